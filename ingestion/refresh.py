"""Movies that are due for another search: each becomes a run of `content.match`. Nobody searches here.

Never more of these wait for a worker than QUEUE_DEPTH, but for what somebody asks for by hand. What does not
fit stays due, and a tick takes it: what somebody's word made due first, then what the last refresh left.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from core import conf
from ingestion import runs
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.runs import Report
from ingestion.searching import PUT_OFF
from streaming.models import Movie
from streaming.quality import Quality
from streaming.querysets import MovieQuerySet

STEP = 20
"""So many movies are queued between two looks at how many wait: other processes queue as well."""
WORD, LADDER = "next_check_at", "refresh_at"
"""The two clocks of a movie, see `ingestion.searching`."""


def refresh(report: Report) -> dict[str, Any]:
    """Queue the movies below their target whose back-off has ended, the longest overdue first."""
    due = Movie.objects.due_for_refresh(report.now())
    return _summed_up(report, _queue(report, due, LADDER, trigger="refresh"), due.count())


def match_due(report: Report) -> dict[str, Any]:
    """Queue all movies that are due, by somebody's word or by our ladder. What is left is left to ticks."""
    at, trigger = report.now(), report.run.trigger
    asked_for, due = Movie.objects.due_for_tick(at), Movie.objects.due_for_refresh(at)
    queued = _queue(report, asked_for, WORD, trigger=trigger)
    queued += _queue(report, due, LADDER, trigger=trigger)
    if left := due.count():
        runs.queue(Job.REFRESH, at=at, trigger=trigger, again=False)
    return _summed_up(report, queued, left + asked_for.count())


def queue_searches(report: Report, *, limit: int) -> int:
    """Queue movies whose `next_check_at` has come, then what the last refresh had no room for; how many."""
    asked_for = Movie.objects.due_for_tick(report.now())
    queued = _queue(report, asked_for, WORD, trigger="tick", limit=limit)
    if since := _last_refresh():
        due = Movie.objects.due_for_refresh(since)
        queued += _queue(report, due, LADDER, trigger="refresh", limit=limit - queued)
    return queued


def queue_found(report: Report, movie_ids: list[int]) -> int:
    """Queue movies that discovery has made due, in its order; how many there was room for."""
    found = Movie.objects.due_for_tick(report.now()).in_bulk(movie_ids)
    movies = [found[movie_id] for movie_id in movie_ids if movie_id in found]
    return _take_each(report, movies, WORD, trigger="discovery")


def resume(movie_ids: Iterable[int], *, at: datetime) -> int:
    """Of these movies, make those due whose search had ended at a target that is higher now; how many.

    For whoever changes a target, by whatever setting: the sweeps read what is due, and not the catalogue.
    """
    target = Quality.from_label(conf.current().target_quality)
    own = Q(active_quality__lt=F("target_quality"))
    short = own | Q(target_quality__isnull=True, active_quality__lt=target)
    ended = Movie.objects.present().filter(pk__in=list(movie_ids), refresh_at__isnull=True)
    return ended.filter(short).update(refresh_at=at)


def _queue(report: Report, due: MovieQuerySet, clock: str, *, trigger: str, limit: int | None = None) -> int:
    """Queue movies that are due, in their order, as far as there is room; how many."""
    room = _room(conf.current().queue_depth)
    most = room if limit is None else min(room, limit)
    return _take_each(report, list(due[: max(most, 0)]), clock, trigger=trigger)


def _take_each(report: Report, movies: list[Movie], clock: str, *, trigger: str) -> int:
    """Queue these movies while there is room; how many. One that cannot be queued stops no other."""
    depth, queued = conf.current().queue_depth, 0
    for begin in range(0, len(movies), STEP):
        room = _room(depth)
        for movie in movies[begin : begin + STEP][: max(room, 0)]:
            with report.contained(f"The search for {movie}", movie_id=movie.pk):
                queued += _take(movie, clock, trigger=trigger, at=report.now())
        report.progress(min(begin + STEP, len(movies)), len(movies))
    return queued


def _take(movie: Movie, clock: str, *, trigger: str, at: datetime) -> bool:
    """Queue one movie, and put its clock off: of several processes one does, and no movie comes twice."""
    as_read = Movie.objects.filter(pk=movie.pk, **{clock: getattr(movie, clock)})
    if not as_read.update(**{clock: at + PUT_OFF}):
        return False
    _, created = runs.queue(Job.MATCH, movie_id=movie.pk, at=at, trigger=trigger, again=False)
    return created


def _room(depth: int) -> int:
    """How many more searches may wait for a worker. Reads so many keys of an index, however many wait."""
    waiting = IngestRun.objects.filter(job=Job.MATCH, status=IngestRun.Status.QUEUED)
    return depth - len(waiting.values_list("pk")[:depth])


def _last_refresh() -> datetime | None:
    """When the last refresh began that nobody called off: it speaks for all that was due by then."""
    begun = IngestRun.objects.filter(job=Job.REFRESH, started_at__isnull=False)
    begun = begun.exclude(status=IngestRun.Status.CANCELLED)
    return begun.order_by("-id").values_list("started_at", flat=True).first()


def _summed_up(report: Report, queued: int, waiting: int) -> dict[str, Any]:
    rest = f" {waiting} more are due, and wait for room (QUEUE_DEPTH)." if waiting else ""
    report.log(IngestLog.Status.OK, f"{queued} movies queued for a search.{rest}")
    return {"queued": queued, "waiting": waiting}
