"""How fast a run goes and when it may be done, from its two numbers and the time. Pure.

An average over the whole run: its things are done in batches, and a faster look at it would only jitter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingestion.models import IngestRun

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` things. `per_minute` is None until something is done, and `left` for a run that is
    over or whose pace nobody knows yet."""

    done: int
    total: int
    per_minute: float | None = None
    left: timedelta | None = None

    def as_json(self) -> dict[str, Any]:
        """`left_s` in whole seconds."""
        return {
            "done": self.done,
            "total": self.total,
            "per_minute": None if self.per_minute is None else round(self.per_minute, 1),
            "left_s": None if self.left is None else round(self.left / timedelta(seconds=1)),
        }


def of(run: IngestRun, at: datetime) -> Progress:
    """How far a run is at `at`; of one that is over, how fast it was."""
    done, total = run.progress_done, run.progress_total
    took = (run.finished_at or at) - run.started_at if run.started_at else timedelta(0)
    if done <= 0 or took <= timedelta(0):
        return Progress(done, total)
    left = took * (max(total - done, 0) / done)
    return Progress(done, total, done / (took / MINUTE), None if run.finished_at else left)
