"""What a run says while it works: progress and log lines. Nothing here ends a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from core.options import OptionError
from core.outages import OUTAGES
from ingestion import bugs
from ingestion.models import IngestLog, IngestRun
from ingestion.slots import Clock, Lease
from providers.errors import ProviderError
from streaming.errors import SwitchError


class Stopped(Exception):
    """The run was cancelled, or taken for lost: its work has to end where it is."""


class Failed(Exception):
    """The work cannot be done, for a reason that the message explains: no bug, and no traceback is kept.

    What is `retryable` may pass, and is tried again as MAX_RETRY_ATTEMPTS allows.
    """

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


EXPECTED = (Failed, ProviderError, SwitchError, OptionError)
"""What can go wrong in a job without being a bug; its message explains it."""


class Overran(Stopped):
    """The run has taken as long as it may."""


class Report:
    """What the work of one run says while it goes on. `now` is its only clock."""

    def __init__(self, run: IngestRun, clock: Clock, lease: Lease) -> None:
        self.run, self.now, self.lease = run, clock, lease
        self.mishaps = 0

    def progress(self, done: int, total: int) -> None:
        """Say how far the work is. Raises Stopped when it should go no further."""
        running = IngestRun.objects.filter(pk=self.run.pk, status=IngestRun.Status.RUNNING)
        if self.lease.lost.is_set() or not running.update(progress_done=done, progress_total=total):
            raise Stopped
        if self.now() >= self.lease.deadline:
            raise Overran(overran(self.run, self.lease.deadline))

    def log(self, status: IngestLog.Status, message: str, **details: Any) -> None:
        """Write a log line (see `log`), of the run's movie unless `movie_id` names another."""
        log(self.run, status, message, at=self.now(), **{"movie_id": self.run.movie_id, **details})

    @contextmanager
    def contained(
        self, what: str, *, movie_id: int | None = None, otherwise: Callable[[], object] | None = None
    ) -> Iterator[None]:
        """Keep what goes wrong with one thing of many, `what`, from the others.

        What was foreseen is a line in the log. A bug is one with its traceback, `otherwise` is called (to put
        the thing off, or it would come first every time), and the run fails once it has done the rest. A
        database that is away, and Stopped, end the block as ever.
        """
        try:
            yield
        except (Stopped, *OUTAGES):
            raise
        except EXPECTED as error:
            self.log(IngestLog.Status.FAILED, str(error), movie_id=movie_id)
        except Exception as bug:
            self.mishaps += 1
            told = bugs.told(bug, f"{self.run}: {what}", self.lease)
            said = f"{what} failed: {told.sentence}"
            self.log(IngestLog.Status.ERROR, said, movie_id=movie_id, error=told.traceback)
            if otherwise is not None:
                otherwise()


Work = Callable[[Report], dict[str, Any]]
"""A job's work: it reports while it goes on, and returns the run's summary (JSON)."""


def overran(run: IngestRun, deadline: datetime) -> str:
    """The sentence for a run that was not done by its deadline."""
    assert run.started_at is not None
    return f"It was not done within {(deadline - run.started_at) / timedelta(minutes=1):g} minutes."


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
