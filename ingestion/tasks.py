"""Each job as a Celery task of its name: a run's id in, one call out.

A message that comes twice, late or for a run that is over does nothing (`ingestion.runs`). One that comes
while the database is away goes back to the broker.
"""

from __future__ import annotations

import logging
import time
import uuid

from celery import shared_task
from celery.exceptions import Reject

from core.outages import OUTAGES
from ingestion import jobs, registry
from ingestion.slots import TRY_AGAIN_S

logger = logging.getLogger(__name__)


def do(run_id: str) -> None:
    """Do the work of a queued run."""
    try:
        jobs.execute(uuid.UUID(run_id))
    except OUTAGES as error:
        logger.warning("run %s has to wait, the database does not answer: %s", run_id, error)
        time.sleep(TRY_AGAIN_S)  # a broker that is well would bring it back this moment
        raise Reject(error, requeue=True) from error


registry.refuse_faults()
for _name in registry.JOBS:
    shared_task(name=_name)(do)
