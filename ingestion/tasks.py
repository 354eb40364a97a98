"""Each job as a Celery task of its name: a run's id in, one call out. Beat gives no id.

A message that comes twice, late or for a run that is over does nothing (`ingestion.runs`). One that comes
while the database is away goes back to the broker, but for the schedule's ticks: the next one will do.
"""

from __future__ import annotations

import logging
import time
import uuid

from celery import shared_task
from celery.exceptions import Reject
from django.utils import timezone

from core.outages import OUTAGES
from ingestion import jobs, registry
from ingestion.models import Job
from ingestion.slots import TRY_AGAIN_S

logger = logging.getLogger(__name__)


def do(name: str, run_id: str | None = None) -> None:
    """Do the work of a queued run; without one, of a run that the schedule asks for."""
    try:
        if run_id is None:
            jobs.run_now(name, at=timezone.now(), trigger="schedule")
        else:
            jobs.execute(uuid.UUID(run_id))
    except OUTAGES as error:
        logger.warning("%s has to wait, the database does not answer: %s", name, error)
        if run_id is not None or name != Job.TICK:
            time.sleep(TRY_AGAIN_S)  # a broker that is well would bring it back this moment
            raise Reject(error, requeue=True) from error


def _task(name: str) -> None:
    @shared_task(name=name)
    def task(run_id: str | None = None) -> None:
        do(name, run_id)


registry.refuse_faults()
for _name in registry.JOBS:
    _task(_name)
