"""One attempt at a job's work, and what came of it. Nothing is closed or queued here: that is for `runs`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.outages import OUTAGES
from ingestion import bugs, ending
from ingestion.models import IngestLog, IngestRun
from ingestion.reports import EXPECTED, Overran, Report, Stopped, Work

SUMMARY_CHARS = 100_000


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
        summary = _checked(work(report))
    except Overran as late:
        return _failed(IngestLog.Status.FAILED, str(late))
    except Stopped:
        return None
    except EXPECTED as error:
        passes = getattr(error, "retryable", False)
        retry_in = ending.pause_before_retry(report.run) if passes else None
        return _failed(IngestLog.Status.FAILED, str(error), retry_in=retry_in)
    except OUTAGES as error:
        return _outlasted(report, error)
    except Exception as bug:
        return failed_by(bug, report)
    if report.mishaps:
        return End(IngestRun.Status.FAILED, {"summary": summary, "error": _incomplete(report.mishaps)})
    return End(IngestRun.Status.SUCCEEDED, {"summary": summary})


def failed_by(bug: Exception, report: Report) -> End:
    """The end of a run by a mistake of ours."""
    told = bugs.told(bug, report.run, report.lease)
    return _failed(IngestLog.Status.ERROR, told.sentence, traceback=told.traceback)


def _incomplete(mishaps: int) -> str:
    times = "One thing" if mishaps == 1 else f"{mishaps} things"
    return f"{times} went wrong, and the rest was done. The log says what."


def _checked(summary: Any) -> dict[str, Any]:
    """A summary, if it is one. Raises TypeError or ValueError: bugs of the work."""
    if not isinstance(summary, dict):
        raise TypeError(f"A job returns a dictionary, its summary, and not {type(summary).__name__}.")
    if (size := len(json.dumps(summary, allow_nan=False))) > SUMMARY_CHARS:
        raise ValueError(f"A summary has at most {SUMMARY_CHARS} characters of JSON, and not {size}.")
    return summary


def _outlasted(report: Report, error: Exception) -> End:
    """The database was away: that is nobody's attempt, and the work begins anew as soon as it is back.

    One that answers at once was too slow for the work, and may well be so again.
    """
    away = report.lease.outlast()
    retry_in = timedelta(0) if away else ending.pause_before_retry(report.run)
    said = f"The database did not answer: {error}"
    return _failed(IngestLog.Status.FAILED, said, retry_in=retry_in, counts=not away)


def _failed(status: IngestLog.Status, error: str, *, traceback: str = "", **retry: Any) -> End:
    columns = {"error": error, "traceback": traceback}
    return End(IngestRun.Status.FAILED, columns, {"status": status, "message": error}, **retry)
