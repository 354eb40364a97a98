"""The Celery application of the product, which also keeps the soak's journal: `celery -A tests.soak.product`.

SOAK_JOURNAL names the journal's folder. With SOAK_HURRY the product gives less time to a worker that may be
dead and to a message that may be lost, so that a small soak need not wait for them.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import django

from config.celery import app
from tests.soak.journal import Journal

__all__ = ["app", "hurry"]


def hurry() -> None:
    """Let this process hurry, if the soak is to."""
    from ingestion import slots

    wanted = {
        "RUNNING_LEASE": timedelta(seconds=8),
        "HEARTBEAT_S": 2.0,
        "QUEUED_LEASE": timedelta(seconds=20),
    }
    for name, value in wanted.items() if os.environ.get("SOAK_HURRY") else ():
        assert hasattr(slots, name), f"{name} has moved"
        setattr(slots, name, value)


def keep_journal(journal: Journal) -> None:
    """Note each attempt at a run's work, of whatever job."""
    from ingestion import runs, slots
    from ingestion.attempts import End, Work
    from ingestion.reports import Report

    product = runs.attempt

    def attempt(work: Work, report: Report) -> End | None:
        run = report.run
        with journal.working(str(run.pk), slots.key_for(run.job, run.movie_id)):
            return product(work, report)

    runs.attempt = attempt


if folder := os.environ.get("SOAK_JOURNAL"):
    django.setup()
    hurry()
    keep_journal(Journal(Path(folder)))
