"""The tick, once a minute: whatever has fallen due. Each part is bounded; what is left waits a minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any
from uuid import UUID

from django.db.models import Min

from ingestion import refresh, reverify, runs
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.runs import Report
from providers.models import Provider
from streaming import switching
from streaming.errors import SwitchError
from streaming.models import Movie, StreamVersion

CHECKS = 30
SEARCHES = 100
MOVIES = 100
BATCH = 500
LOOK_BACK = timedelta(days=1)
"""How old a half-made switch may be: older ones were found by the ticks before this one."""
UNDECIDED = timedelta(minutes=10)
"""For how long ticks decide in place of a run that died: the tick that should have may have died as well."""


def tick(report: Report) -> dict[str, Any]:
    """Finish what was left half done, leave what may be shown no longer, check and search for what is due."""
    at = report.now()
    finished = switching.finish_pending(since=at - LOOK_BACK)
    recovered = runs.find_lost(at=at)
    searches = refresh.queue_searches(report, limit=SEARCHES)
    left = reverify.settle_each(report, [*_to_be_left(at), *_undecided(at)])
    due = {v.pk: v for v in [*_released(report, at), *reverify.urgent(at, limit=CHECKS)]}
    switches = left + reverify.check_all(report, list(due.values()))
    return {
        "finished": finished,
        "lost": recovered.lost,
        "published": recovered.published,
        "searches": searches,
        "checked": len(due),
        "switches": switches,
    }


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
    if (since := sweeps.aggregate(Min("started_at"))["started_at__min"]) is None:
        return set()
    measured = StreamVersion.objects.filter(probed_at__gte=since).values_list("movie_id", flat=True)
    return set(Movie.objects.present().filter(pk__in=set(measured)).values_list("pk", flat=True))


def _showing(keys: Iterator[UUID]) -> Iterator[int]:
    """The movies that point at any of these versions."""
    while some := list(islice(keys, BATCH)):
        showing = Movie.objects.present().filter(active_stream__in=some)
        yield from showing.order_by("pk").values_list("pk", flat=True)


def _released(report: Report, at: datetime) -> list[StreamVersion]:
    """Versions whose suppression has ended: they may be chosen again, once they have been probed."""
    over = StreamVersion.objects.filter(suppressed_at__isnull=False, suppressed_until__lte=at)
    versions = list(over.order_by("suppressed_until", "pk").prefetch_related("provider")[:MOVIES])
    for version in versions:
        _release(report, version)
    return reverify.of_present(versions)


def _release(report: Report, version: StreamVersion) -> None:
    ended = "Its suppression has ended."
    try:
        switching.unsuppress(version.pk, actor=switching.SYSTEM, comment=ended, at=report.now())
    except SwitchError as error:
        report.log(IngestLog.Status.FAILED, str(error), movie_id=version.movie_id)
