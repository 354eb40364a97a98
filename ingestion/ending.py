"""How a run ends, and what follows it in its slot. Only `runs` and `lost` end one; no work is done here."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Any

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from core import conf
from ingestion import registry, slots
from ingestion.models import IngestRun

RETRY_AFTER = timedelta(minutes=1)
LONGEST_DOUBLED = 60
"""So many times RETRY_AFTER a retry waits at the most, but for what is drawn."""

logger = logging.getLogger(__name__)


def key_of(run: IngestRun) -> str:
    """The slot that a run needs."""
    return slots.key_for(run.job, run.movie_id)


def deadline_of(run: IngestRun) -> datetime:
    """When a run that has begun has to be over: nothing that hangs keeps its slot for ever."""
    assert run.started_at is not None
    return run.started_at + registry.time_limit_of(run.job)


def close(among: Iterable[str], run: IngestRun, status: str, *, at: datetime, **columns: Any) -> bool:
    """End the run, if it still is in one of the states `among`."""
    open_run = IngestRun.objects.filter(pk=run.pk, status__in=list(among))
    return open_run.update(status=status, finished_at=at, **columns) == 1


def pass_on(run: IngestRun, *, at: datetime, retry_in: timedelta | None = None, counts: bool = True) -> bool:
    """Give the slot of a run that is over to its retry or to the run asked for meanwhile, or free it.

    True when it is retried. An attempt that `counts` is one of those that MAX_RETRY_ATTEMPTS bounds.
    """
    attempts = run.attempts if counts else run.attempts - 1
    if retry_in is not None and not is_last(attempts):
        return _follow(run, trigger="retry", attempts=attempts, at=at, wait=retry_in)
    if not slots.release(key_of(run), run.pk):
        _follow(run, trigger="again", attempts=0, at=at, wait=timedelta(0))
    return False


def is_last(attempts: int) -> bool:
    """Whether so many attempts are all there may be."""
    return attempts > conf.current().max_retry_attempts


def pause_before_retry(run: IngestRun) -> timedelta:
    """2, 4, 8 … minutes, an hour at the most, and up to half as much again: what failed together does not
    come back together.

    Drawn from the run, so that whoever works it out comes to the same.
    """
    drawn = blake2s(f"{key_of(run)} {run.queued_at.timestamp():.3f}".encode(), digest_size=4).digest()
    stretch = 1 + int.from_bytes(drawn) / 2**33
    doubled = min(2**run.attempts, LONGEST_DOUBLED)
    return timedelta(seconds=round(RETRY_AFTER.total_seconds() * doubled * stretch))


def publish(run: IngestRun, *, at: datetime) -> None:
    """Hand a queued run to the workers. With the broker away the next tick does."""
    queue = settings.CELERY_TASK_DEFAULT_QUEUE if run.movie_id is None else settings.MOVIES_QUEUE
    try:
        current_app.send_task(run.job, args=[str(run.pk)], queue=queue, retry=False)
    except OperationalError as error:
        logger.warning("%s stays queued until the broker answers: %s", run, error)
        slots.extend(key_of(run), run.pk, until=at)


def _follow(run: IngestRun, *, trigger: str, attempts: int, at: datetime, wait: timedelta) -> bool:
    """Queue the run that comes after `run` in its slot, for the same cause. One that has to wait is published
    by a tick."""
    then = IngestRun(
        job=run.job,
        movie_id=run.movie_id,
        trigger=trigger,
        requested_by=run.requested_by,
        correlation_id=run.correlation_id,
        queued_at=at,
        attempts=attempts,
    )
    then.save(force_insert=True)
    if not slots.hand_over(key_of(run), run.pk, then.pk, until=at + (wait or slots.QUEUED_LEASE)):
        IngestRun.objects.filter(pk=then.pk).delete()
        return False
    if not wait:
        publish(then, at=at)
    return True
