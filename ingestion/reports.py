"""What a run says while it works: progress and log lines. Nothing here ends a run."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingestion.models import IngestLog, IngestRun
from ingestion.slots import Clock, Lease


class Stopped(Exception):
    """The run was cancelled, or taken for lost: its work has to end where it is."""


class Report:
    """What the work of one run says while it goes on. `now` is its only clock."""

    def __init__(self, run: IngestRun, clock: Clock, lease: Lease) -> None:
        self.run, self.now, self.lease = run, clock, lease

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is. Raises Stopped when it should go no further."""
        running = IngestRun.objects.filter(pk=self.run.pk, status=IngestRun.Status.RUNNING)
        if self.lease.lost.is_set() or not running.update(progress_done=done, progress_total=total):
            raise Stopped

    def log(self, status: IngestLog.Status, message: str, **details: Any) -> None:
        """Write a log line (see `log`), of the run's movie unless `movie_id` names another."""
        log(self.run, status, message, at=self.now(), **{"movie_id": self.run.movie_id, **details})


def log(
    run: IngestRun,
    status: IngestLog.Status,
    message: str,
    *,
    at: datetime,
    movie_id: int | None = None,
    duration_ms: int | None = None,
    error: str = "",
    metadata: dict[str, Any] | None = None,
) -> IngestLog:
    """Write one line of what `run` did."""
    return IngestLog.objects.create(
        at=at,
        run_id=run.pk,
        job=run.job,
        movie_id=movie_id,
        status=status,
        message=message,
        duration_ms=duration_ms,
        error=error,
        metadata=metadata or {},
    )
