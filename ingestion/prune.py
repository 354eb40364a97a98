"""What nobody needs any more: versions past their grace period, old logs, old runs, sessions that have ended.

Never deleted: a version that is active, suppressed or of a pinned movie, and any row of the switch log.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import router
from django.db.models import Q, QuerySet

from core import conf
from core.audit import keeping
from core.expiry import expires_by_itself
from core.models import TokenFamily
from ingestion.models import DailyStats, IngestLog, IngestRun, Job
from ingestion.parts import in_parts
from ingestion.retention import DAYS_KEPT, LOGS_KEPT, RUNS_KEPT, TICKS_KEPT
from ingestion.runs import Report
from providers.models import HOURS_KEPT, Provider, ProviderHour
from streaming.models import Movie, StreamVersion

BATCH = 500
ROWS = 100_000
"""Of old logs, runs or hours so many go in one run; what is left goes in the next."""


def prune(report: Report) -> dict[str, Any]:
    """Delete what was marked a cycle ago, mark what is past its grace now, drop old logs, runs and audit."""
    at, options = report.now(), conf.current()
    grace, audit_kept = timedelta(hours=options.grace_period_hours), timedelta(days=options.audit_kept_days)
    summary = in_parts(
        report,
        [
            ("The deletion of versions", lambda: {"deleted": _delete_expired(before=report.run.queued_at)}),
            ("The marking of versions", lambda: {"expired": _expire(at, before=at - grace)}),
            *((f"The end of old {what}", partial(_drop, what, rows)) for what, rows in _old(at)),
            ("The end of acts that never ended", lambda: {"given_up": keeping.give_up(at)}),
            ("The end of old audit", lambda: {"audit": keeping.forget(before=at - audit_kept)}),
        ],
    )
    if any(summary.values()):
        words = ", ".join(f"{count} {what}" for what, count in summary.items() if count)
        report.log(IngestLog.Status.OK, f"Pruned: {words}.", metadata=summary)
    return summary


def _expire(at: datetime, *, before: datetime) -> int:
    """Mark what its provider has not listed, and nobody has been shown, since `before`: the policy passes it
    over from now on, and being found again clears the mark.

    A provider that is switched off is not asked, so it proves nothing by listing nothing.
    """
    asked = list(Provider.objects.filter(enabled=True).values_list("pk", flat=True))
    retired = Q(retired_at__isnull=True) | Q(retired_at__lt=before)
    missing = StreamVersion.objects.filter(
        retired, missing_since__lt=before, expired_at__isnull=True, provider__in=asked
    )
    return missing.filter(pk__in=_free(missing.order_by("missing_since", "pk"))).update(expired_at=at)


def _delete_expired(*, before: datetime) -> int:
    """Delete what an earlier run marked, each by one statement that tests the mark again.

    What bears the mark nobody can choose, and finding it clears the mark: so no turn leads to what such a
    statement deletes. `delete()` would look first and then delete by key: a version that is found again in
    between could become active, and a turn that leads to a row that is gone could never be finished.
    """
    marked = StreamVersion.objects.filter(expired_at__lt=before)
    using = router.db_for_write(StreamVersion)
    free = marked.filter(suppressed_at__isnull=True)
    keys = _free(marked.order_by("expired_at", "pk"))
    return sum(free.filter(pk=key)._raw_delete(using) for key in keys)


def _free(versions: QuerySet[StreamVersion]) -> list[UUID]:
    """The first BATCH of those that are neither suppressed nor active nor of a pinned movie."""
    rows = versions.filter(suppressed_at__isnull=True).values_list("pk", "movie_id").iterator()
    return list(islice(_not_needed(rows), BATCH))


def _not_needed(rows: Iterator[tuple[UUID, int]]) -> Iterator[UUID]:
    while some := list(islice(rows, BATCH)):
        movies = Movie.objects.only("pinned", "active_stream").in_bulk({movie_id for _, movie_id in some})
        for key, movie_id in some:
            if not movies[movie_id].pinned and movies[movie_id].active_stream_id != key:
                yield key


def _old(at: datetime) -> list[tuple[str, QuerySet[Any]]]:
    """What is past its time, the oldest first."""
    ticks = IngestRun.objects.filter(job=Job.TICK, status=IngestRun.Status.SUCCEEDED)
    return [
        ("logs", IngestLog.objects.filter(at__lt=at - LOGS_KEPT).order_by("at", "pk")),
        ("runs", IngestRun.objects.filter(finished_at__lt=at - RUNS_KEPT).order_by("finished_at", "pk")),
        ("runs", ticks.filter(finished_at__lt=at - TICKS_KEPT).order_by("finished_at", "pk")),
        ("days", DailyStats.objects.filter(start__lt=at - DAYS_KEPT).order_by("start", "pk")),
        ("hours", ProviderHour.objects.filter(hour__lt=at - HOURS_KEPT).order_by("hour", "pk")),
        ("sessions", TokenFamily.objects.filter(expires_at__lt=at).order_by("expires_at", "pk")),
    ]


def _drop(what: str, rows: QuerySet[Any]) -> dict[str, int]:
    """How many were dropped: BATCH by BATCH, so that no other writer waits long, and ROWS at most; nothing,
    where the database sees to it by itself."""
    dropped = 0
    while not expires_by_itself(rows.model) and dropped < ROWS:
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        rows.model._default_manager.filter(pk__in=keys).delete()
        dropped += len(keys)
        if len(keys) < BATCH:
            break
    return {what: dropped}
