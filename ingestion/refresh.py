"""Movies that are due for another search: each becomes a run of `content.match`. Nobody searches here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q

from core import conf
from ingestion import runs
from ingestion.models import IngestLog, Job
from ingestion.runs import Report
from streaming.models import Movie
from streaming.quality import Quality

BATCH = 2000
PUT_OFF = timedelta(hours=1)
"""A movie whose search dies without a word is not asked for again at every tick."""


def refresh(report: Report) -> dict[str, Any]:
    """Queue the movies below their target whose back-off has ended, the longest overdue first."""
    _resume(report.now())
    return _queued(report, Movie.objects.due_for_refresh(report.now()), trigger="refresh")


def match_due(report: Report) -> dict[str, Any]:
    """Queue all movies that are due, by our ladder or by a provider's word."""
    at = report.now()
    due = [*Movie.objects.due_for_tick(at)[:BATCH], *Movie.objects.due_for_refresh(at)[:BATCH]]
    return _queued(report, {movie.pk: movie for movie in due}.values(), trigger=report.run.trigger)


def queue_searches(report: Report, *, limit: int) -> int:
    """Queue movies whose `next_check_at` has come; how many there were. One process takes each."""
    at, taken = report.now(), 0
    for movie in Movie.objects.due_for_tick(at)[:limit]:
        mine = Movie.objects.filter(pk=movie.pk, next_check_at=movie.next_check_at)
        if mine.update(next_check_at=at + PUT_OFF):
            runs.queue(Job.MATCH, movie_id=movie.pk, at=at, trigger="tick", again=False)
            taken += 1
    return taken


def _resume(at: datetime) -> None:
    """A target that was raised, by whatever setting, is searched for again where the old one was reached."""
    target = Quality.from_label(conf.current().target_quality)
    own = Q(active_quality__lt=F("target_quality"))
    short = own | Q(target_quality__isnull=True, active_quality__lt=target)
    Movie.objects.present().filter(short, refresh_at__isnull=True).update(refresh_at=at)


def _queued(report: Report, due: Iterable[Movie], *, trigger: str) -> dict[str, Any]:
    movies = list(due)[:BATCH]
    for done, movie in enumerate(movies, start=1):
        runs.queue(Job.MATCH, movie_id=movie.pk, at=report.now(), trigger=trigger, again=False)
        if done % 20 == 0 or done == len(movies):
            report.progress(done, len(movies))
    report.log(IngestLog.Status.OK, f"{len(movies)} movies queued for a search.")
    return {"queued": len(movies)}
