"""The jobs as Celery tasks of the same names: a run's id in, one call out. Beat gives no id.

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
from ingestion import jobs
from ingestion.models import Job
from ingestion.slots import TRY_AGAIN_S

logger = logging.getLogger(__name__)


def _do(job: Job, run_id: str | None) -> None:
    try:
        if run_id is None:
            jobs.run_now(job, at=timezone.now(), trigger="schedule")
        else:
            jobs.execute(uuid.UUID(run_id))
    except OUTAGES as error:
        logger.warning("%s has to wait, the database does not answer: %s", job, error)
        if run_id is not None or job is not Job.TICK:
            time.sleep(TRY_AGAIN_S)  # a broker that is well would bring it back this moment
            raise Reject(error, requeue=True) from error


@shared_task(name=Job.DISCOVER.value)
def discover(run_id: str | None = None) -> None:
    _do(Job.DISCOVER, run_id)


@shared_task(name=Job.MATCH.value)
def match(run_id: str | None = None) -> None:
    _do(Job.MATCH, run_id)


@shared_task(name=Job.REFRESH.value)
def refresh(run_id: str | None = None) -> None:
    _do(Job.REFRESH, run_id)


@shared_task(name=Job.REVERIFY.value)
def reverify(run_id: str | None = None) -> None:
    _do(Job.REVERIFY, run_id)


@shared_task(name=Job.TICK.value)
def tick(run_id: str | None = None) -> None:
    _do(Job.TICK, run_id)


@shared_task(name=Job.PRUNE.value)
def prune(run_id: str | None = None) -> None:
    _do(Job.PRUNE, run_id)
