"""A module of JOB_MODULES: whatever process of the product has it keeps the soak's journal.

SOAK_JOURNAL names the journal's folder. With SOAK_HURRY the product gives less time to a worker that may be
dead and to a message that may be lost, so that a small soak need not wait for them.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from ingestion import ending, runs, slots
from ingestion.attempts import End
from ingestion.reports import Report, Work
from tests.soak.journal import Journal

HURRIED = (
    (slots, "RUNNING_LEASE", timedelta(seconds=8)),
    (slots, "HEARTBEAT_S", 2.0),
    (slots, "QUEUED_LEASE", timedelta(seconds=20)),
    (ending, "RETRY_AFTER", timedelta(seconds=2)),
)


def hurry() -> None:
    for module, name, value in HURRIED:
        assert hasattr(module, name), f"{name} has moved"
        setattr(module, name, value)


def keep_journal(journal: Journal) -> None:
    """Note each attempt at a run's work, of whatever job."""
    product = runs.attempt

    def attempt(work: Work, report: Report) -> End | None:
        run = report.run
        with journal.working(str(run.pk), slots.key_for(run.job, run.movie_id)):
            return product(work, report)

    runs.attempt = attempt


keep_journal(Journal(Path(os.environ["SOAK_JOURNAL"])))
if os.environ["SOAK_HURRY"]:
    hurry()
