"""The tick, once a minute: whatever has fallen due. Each part is bounded; what is left waits a minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from ingestion import refresh, reverify, runs
from ingestion.models import IngestLog
from ingestion.runs import Report
from streaming import switching
from streaming.errors import SwitchError
from streaming.models import Movie, StreamVersion

CHECKS = 30
SEARCHES = 100
MOVIES = 100
LOOK_BACK = timedelta(days=1)
"""How old a half-made switch may be: older ones were found by the ticks before this one."""


def tick(report: Report) -> dict[str, Any]:
    """Finish what was left half done, leave what may be shown no longer, check and search for what is due."""
    at = report.now()
    finished = switching.finish_pending(since=at - LOOK_BACK)
    recovered = runs.find_lost(at=at)
    searches = refresh.queue_searches(report, limit=SEARCHES)
    left = reverify.settle_each(report, _to_be_left(at))
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
    lapsed = Q(active_stream__rights_until__lte=at) | Q(active_stream__rights_from__gt=at)
    gone = lapsed | Q(active_stream__provider__enabled=False)
    return list(Movie.objects.present().filter(gone).values_list("pk", flat=True)[:MOVIES])


def _released(report: Report, at: datetime) -> list[StreamVersion]:
    """Versions whose suppression has ended: they may be chosen again, once they have been probed."""
    over = StreamVersion.objects.present().filter(suppressed_at__isnull=False, suppressed_until__lte=at)
    versions = list(over.order_by("suppressed_until").prefetch_related("provider")[:MOVIES])
    for version in versions:
        _release(report, version)
    return versions


def _release(report: Report, version: StreamVersion) -> None:
    ended = "Its suppression has ended."
    try:
        switching.unsuppress(version.pk, actor=switching.SYSTEM, comment=ended, at=report.now())
    except SwitchError as error:
        report.log(IngestLog.Status.FAILED, str(error), movie_id=version.movie_id)
