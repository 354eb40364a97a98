"""One attempt at a job's work, and what came of it. Nothing is closed or queued here: that is for `runs`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.outages import OUTAGES
from ingestion.models import IngestLog, IngestRun
from ingestion.reports import EXPECTED, Report, Stopped

logger = logging.getLogger(__name__)

RETRY_AFTER = timedelta(minutes=1)
Work = Callable[[Report], dict[str, Any]]
"""A job's work: it reports while it goes on, and returns the run's summary (JSON)."""


@dataclass(frozen=True, slots=True)
class End:
    """What becomes of the run, its columns and what its log says; whether to try again, and when.

    One that `counts` is among the attempts that MAX_RETRY_ATTEMPTS bounds.
    """

    status: str
    columns: dict[str, Any]
    said: dict[str, Any] | None = None
    retry_in: timedelta | None = None
    counts: bool = True


def attempt(work: Work, report: Report) -> End | None:
    """Do the work. None if it was stopped: then its run is closed already."""
    try:
        summary = work(report)
    except Stopped:
        return None
    except EXPECTED as error:
        retry_in = _pause(report.run) if getattr(error, "retryable", False) else None
        return _failed(IngestLog.Status.FAILED, str(error), retry_in=retry_in)
    except OUTAGES as error:
        return _outlasted(report, error)
    except Exception as bug:
        logger.exception("%s failed", report.run)
        said = f"{type(bug).__name__}: {bug}"
        return _failed(IngestLog.Status.ERROR, said, error=traceback.format_exc())
    if report.mishaps:
        return End(IngestRun.Status.FAILED, {"summary": summary, "error": _incomplete(report.mishaps)})
    return End(IngestRun.Status.SUCCEEDED, {"summary": summary})


def _incomplete(mishaps: int) -> str:
    times = "One thing" if mishaps == 1 else f"{mishaps} things"
    return f"{times} went wrong, and the rest was done. The log says what."


def _outlasted(report: Report, error: Exception) -> End:
    """The database was away: that is nobody's attempt, and the work begins anew as soon as it is back.

    One that answers at once was too slow for the work, and may well be so again.
    """
    away = report.lease.outlast()
    retry_in = timedelta(0) if away else _pause(report.run)
    said = f"The database did not answer: {error}"
    return _failed(IngestLog.Status.FAILED, said, retry_in=retry_in, counts=not away)


def _pause(run: IngestRun) -> timedelta:
    pause: timedelta = RETRY_AFTER * 2**run.attempts
    return pause


def _failed(status: IngestLog.Status, message: str, *, error: str = "", **retry: Any) -> End:
    said = {"status": status, "message": message, "error": error}
    return End(IngestRun.Status.FAILED, {"error": error or message}, said, **retry)
