"""The tick, once a minute: whatever has fallen due. Each part is bounded; what is left waits a minute.

A part that fails, or one movie in it, stops no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice
from typing import Any
from uuid import UUID

from ingestion import backlog, daily, refresh, reverify, runs
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.parts import Part, in_parts
from ingestion.runs import Report
from providers.models import Provider
from streaming import switching
from streaming.models import Movie, StreamVersion

CHECKS = 30
SEARCHES = 100
MOVIES = 100
BATCH = 500
LOOK_BACK = timedelta(days=1)
"""How old a half-made switch may be: older ones were found by the ticks before this one."""
UNDECIDED = timedelta(minutes=10)
"""For how long ticks decide in place of a run that died: the tick that should have may have died as well."""
PUT_OFF = timedelta(minutes=15)
"""A movie that a sweep stumbled over is left alone for so long."""


def tick(report: Report, *first: tuple[str, Part]) -> dict[str, Any]:
    """Do each part, `first` those of the caller. A movie that loses its stream to one of them is searched for
    in the same tick."""
    at = report.now()
    parts = {
        "The sweep of half-made switches": _finish,
        "The sweep of lost runs": _recover,
        "The sweep of streams that may be shown no longer": _leave,
        "The sweep of due searches": _search,
        "The sweep of due checks": _check,
        "The look at the queue": backlog.watch,
        "The day in figures": _keep_figures,
    }
    ours = ((what, partial(part, report, at)) for what, part in parts.items())
    return in_parts(report, [*first, *ours])


def _finish(report: Report, at: datetime) -> dict[str, int]:
    return {"finished": switching.finish_pending(since=at - LOOK_BACK)}


def _recover(report: Report, at: datetime) -> dict[str, int]:
    found = runs.find_lost(at=at, contained=report.contained)
    return {"lost": found.lost, "published": found.published}


def _leave(report: Report, at: datetime) -> dict[str, int]:
    movies = dict.fromkeys([*_to_be_left(at), *_undecided(at)])
    failed = _failed_lately(at)
    return {"switches": reverify.settle_each(report, (movie for movie in movies if movie not in failed))}


def _search(report: Report, at: datetime) -> dict[str, int]:
    return {"searches": refresh.queue_searches(report, limit=SEARCHES)}


def _check(report: Report, at: datetime) -> dict[str, int]:
    due = list(dict.fromkeys([*_released(report, at), *reverify.due(at, limit=CHECKS)]))
    return {"checked": len(due), "switches": reverify.check_all(report, due)}


def _keep_figures(report: Report, at: datetime) -> dict[str, int]:
    return {"days": daily.keep(at)}


def _failed_lately(at: datetime) -> set[int]:
    """Movies over which a sweep stumbled a moment ago: they are not to come first every minute."""
    bugs = IngestLog.objects.filter(at__gt=at - PUT_OFF, status=IngestLog.Status.ERROR)
    sweeps = bugs.filter(job__in=[Job.TICK, Job.REVERIFY], movie_id__isnull=False)
    return {movie for movie in sweeps.values_list("movie_id", flat=True) if movie is not None}


def _to_be_left(at: datetime) -> list[int]:
    """Movies whose active stream may be shown no longer: out of rights, or of a disabled provider."""
    disabled = list(Provider.objects.filter(enabled=False).values_list("pk", flat=True))
    taken = StreamVersion.objects.taken()
    gone = (
        taken.filter(rights_until__lte=at),
        taken.filter(rights_from__gt=at),
        taken.filter(provider__in=disabled),
    )
    keys = chain.from_iterable(v.order_by("pk").values_list("pk", flat=True).iterator() for v in gone)
    return list(islice(dict.fromkeys(_showing(keys)), MOVIES))


def _undecided(at: datetime) -> set[int]:
    """Movies whose streams were measured by a run that died, or failed, before it let the policy decide.

    A broken stream is probed again only half a day later, and nobody else would leave it until then.
    """
    dead = [IngestRun.Status.LOST, IngestRun.Status.FAILED, IngestRun.Status.CANCELLED]
    ended = IngestRun.objects.filter(status__in=dead, finished_at__gt=at - UNDECIDED)
    sweeps = ended.filter(job__in=[Job.TICK, Job.REVERIFY], started_at__isnull=False)
    # One with a summary failed over some things, and came to its end.
    ends = sweeps.values_list("started_at", "summary")
    begun = [since for since, summary in ends if since is not None and not summary]
    if not begun:
        return set()
    measured = StreamVersion.objects.filter(probed_at__gte=min(begun)).values_list("movie_id", flat=True)
    return set(Movie.objects.present().filter(pk__in=set(measured)).values_list("pk", flat=True))


def _showing(keys: Iterator[UUID]) -> Iterator[int]:
    """The movies that point at any of these versions."""
    while some := list(islice(keys, BATCH)):
        showing = Movie.objects.present().filter(active_stream__in=some)
        yield from showing.order_by("pk").values_list("pk", flat=True)


def _released(report: Report, at: datetime) -> list[StreamVersion]:
    """Versions whose suppression has ended: they may be chosen again, once they have been probed."""
    over = StreamVersion.objects.filter(suppressed_at__isnull=False, suppressed_until__lte=at)
    over = over.exclude(movie_id__in=_failed_lately(at))
    versions = list(over.order_by("suppressed_until", "pk").prefetch_related("provider")[:MOVIES])
    for version in versions:
        with report.contained(f"The release of {version}", movie_id=version.movie_id):
            ended = "Its suppression has ended."
            switching.unsuppress(version.pk, actor=switching.SYSTEM, comment=ended, at=report.now())
    return reverify.of_present(versions)
