"""What nobody needs any more: versions past their grace period, old logs, old runs.

Never deleted: a version that is active, suppressed or of a pinned movie, and any row of the switch log.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import router
from django.db.models import F, Q, QuerySet

from core import conf
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.runs import Report
from streaming.models import Movie, StreamVersion

LOGS_KEPT = timedelta(days=30)
TICKS_KEPT = timedelta(days=1)
BATCH = 500


def prune(report: Report) -> dict[str, Any]:
    """Delete what was marked a cycle ago, mark what is past its grace now, drop old logs and runs."""
    at = report.now()
    grace = timedelta(hours=conf.current().grace_period_hours)
    summary = {
        "deleted": _delete_expired(at, before=report.run.queued_at),
        "expired": _expire(at, grace=grace),
        "logs": _drop(IngestLog.objects.filter(at__lt=at - LOGS_KEPT)),
        "runs": _drop(_old_runs(at)),
    }
    if any(summary.values()):
        words = ", ".join(f"{count} {what}" for what, count in summary.items() if count)
        report.log(IngestLog.Status.OK, f"Pruned: {words}.", metadata=summary)
    return summary


def _unwanted(at: datetime, *, grace: timedelta) -> QuerySet[StreamVersion]:
    """Not listed by the latest complete search; neither seen nor active for longer than the grace period."""
    unlisted = Q(last_seen__lt=F("movie__matched_at")) & Q(last_seen__lt=at - grace)
    retired = Q(retired_at__isnull=True) | Q(retired_at__lt=at - grace)
    return _free(StreamVersion.objects.filter(unlisted & retired))


def _free(versions: QuerySet[StreamVersion]) -> QuerySet[StreamVersion]:
    active = Movie.objects.filter(active_stream__isnull=False).values("active_stream")
    return versions.filter(suppressed_at__isnull=True, movie__pinned=False).exclude(pk__in=active)


def _expire(at: datetime, *, grace: timedelta) -> int:
    """Mark versions: the policy passes them over from now on, and being found again clears the mark."""
    keys = list(
        _unwanted(at, grace=grace).filter(expired_at__isnull=True).values_list("pk", flat=True)[:BATCH]
    )
    return StreamVersion.objects.filter(pk__in=keys, expired_at__isnull=True).update(expired_at=at)


def _delete_expired(at: datetime, *, before: datetime) -> int:
    """Delete what an earlier run marked, each by one statement that tests the mark again.

    `delete()` would look first and then delete by key: a version that is found again in between could
    become active, and a turn that leads to a row that is gone could never be finished.
    """
    marked = _free(StreamVersion.objects.filter(expired_at__lt=before))
    keys = list(marked.values_list("pk", flat=True)[:BATCH])
    using = router.db_for_write(StreamVersion)
    return sum(marked.filter(pk=key)._raw_delete(using) for key in keys)


def _old_runs(at: datetime) -> QuerySet[IngestRun]:
    """Runs of long ago; of the tick, which runs every minute and rarely has news, those of yesterday."""
    old = Q(finished_at__lt=at - LOGS_KEPT)
    routine = Q(job=Job.TICK, status=IngestRun.Status.SUCCEEDED, finished_at__lt=at - TICKS_KEPT)
    return IngestRun.objects.filter(old | routine)


def _drop(rows: QuerySet[Any]) -> int:
    return int(rows.delete()[0])
