"""What nobody needs any more: versions past their grace period, old logs, old runs.

Never deleted: a version that is active, suppressed or of a pinned movie, and any row of the switch log.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import router
from django.db.models import Q, QuerySet

from core import conf
from core.expiry import expires_by_itself
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.retention import LOGS_KEPT, RUNS_KEPT, TICKS_KEPT
from ingestion.runs import Report
from providers.models import HOURS_KEPT, Provider, ProviderHour
from streaming.models import Movie, StreamVersion

BATCH = 500


def prune(report: Report) -> dict[str, Any]:
    """Delete what was marked a cycle ago, mark what is past its grace now, drop old logs and runs."""
    at = report.now()
    grace = timedelta(hours=conf.current().grace_period_hours)
    summary = {
        "deleted": _delete_expired(before=report.run.queued_at),
        "expired": _expire(at, before=at - grace),
        **_drop_old(at),
    }
    if any(summary.values()):
        words = ", ".join(f"{count} {what}" for what, count in summary.items() if count)
        report.log(IngestLog.Status.OK, f"Pruned: {words}.", metadata=summary)
    return summary


def _expire(at: datetime, *, before: datetime) -> int:
    """Mark what was neither listed by the latest complete search of its movie nor seen or active since
    `before`: the policy passes it over from now on, and being found again clears the mark.

    A provider that is switched off is not asked, so it proves nothing by listing nothing.
    """
    asked = list(Provider.objects.filter(enabled=True).values_list("pk", flat=True))
    retired = Q(retired_at__isnull=True) | Q(retired_at__lt=before)
    unseen = StreamVersion.objects.filter(
        retired, last_seen__lt=before, expired_at__isnull=True, provider__in=asked
    )
    unlisted = (
        version.pk
        for version, movie in _free(unseen.order_by("last_seen", "pk"))
        if movie.matched_at is not None and version.last_seen < movie.matched_at
    )
    still = unseen.filter(pk__in=list(islice(unlisted, BATCH)))
    return still.update(expired_at=at)


def _delete_expired(*, before: datetime) -> int:
    """Delete what an earlier run marked, each by one statement that tests the mark again.

    What bears the mark nobody can choose, and finding it clears the mark: so no turn leads to what such a
    statement deletes. `delete()` would look first and then delete by key: a version that is found again in
    between could become active, and a turn that leads to a row that is gone could never be finished.
    """
    marked = StreamVersion.objects.filter(expired_at__lt=before)
    keys = [version.pk for version, _ in islice(_free(marked.order_by("expired_at", "pk")), BATCH)]
    using = router.db_for_write(StreamVersion)
    free = marked.filter(suppressed_at__isnull=True)
    return sum(free.filter(pk=key)._raw_delete(using) for key in keys)


def _free(versions: QuerySet[StreamVersion]) -> Iterator[tuple[StreamVersion, Movie]]:
    """Those that are neither suppressed nor active nor of a pinned movie, each with its movie."""
    rows = versions.filter(suppressed_at__isnull=True).only("movie_id", "last_seen").iterator()
    while some := list(islice(rows, BATCH)):
        movies = Movie.objects.only("matched_at", "pinned", "active_stream").in_bulk(
            {v.movie_id for v in some}
        )
        for version in some:
            movie = movies[version.movie_id]
            if not movie.pinned and movie.active_stream_id != version.pk:
                yield version, movie


def _drop_old(at: datetime) -> dict[str, int]:
    """How many logs, runs and hours were past their time. None, where the database sees to it by itself."""
    logs = IngestLog.objects.filter(at__lt=at - LOGS_KEPT)
    ticks = IngestRun.objects.filter(job=Job.TICK, status=IngestRun.Status.SUCCEEDED)
    runs = IngestRun.objects.filter(finished_at__lt=at - RUNS_KEPT)
    return {
        "logs": _drop(logs),
        "runs": _drop(runs) + _drop(ticks.filter(finished_at__lt=at - TICKS_KEPT)),
        "hours": _drop(ProviderHour.objects.filter(hour__lt=at - HOURS_KEPT)),
    }


def _drop(rows: QuerySet[Any]) -> int:
    return 0 if expires_by_itself(rows.model) else int(rows.delete()[0])
