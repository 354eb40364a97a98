"""Runs: the only writer of a run's status.

A run is a row before its work begins, and closed after it whatever happens. No job's work is done here, and
nothing here waits for one: Celery carries a run's id and no more.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from celery import current_app
from django.db.models import F
from django.utils import timezone
from kombu.exceptions import OperationalError

from core import conf
from ingestion import slots
from ingestion.attempts import End, Work, attempt
from ingestion.models import IngestLog, IngestRun, Job, Slot
from ingestion.reports import Report, Stopped, log
from ingestion.slots import Clock

__all__ = ["Report", "Stopped", "Work", "cancel", "execute", "find_lost", "log", "queue"]

logger = logging.getLogger(__name__)

Status = IngestRun.Status

QUEUED_LEASE = timedelta(minutes=10)
"""How long a queued run is left to the broker before it is published once more."""
RECOVERED_AT_ONCE = 500


class UnknownRun(Exception):
    """There is no such run."""


class Recovered(NamedTuple):
    """What `find_lost` found: lost runs, how many of these are retried, and queued ones published again."""

    lost: int = 0
    retried: int = 0
    published: int = 0


def queue(
    job: Job,
    *,
    at: datetime,
    trigger: str,
    movie_id: int | None = None,
    requested_by: str = "",
    again: bool = True,
    publish: bool = True,
) -> tuple[IngestRun, bool]:
    """Record a run and hand it to the workers: (run, True), or (the run that is active already, False).

    Asking while one *runs* has it followed by one more, unless `again` is off. With `publish` off the caller
    executes the run itself. With the broker away the run stays queued, and the next tick publishes it.
    """
    run = IngestRun(job=job, movie_id=movie_id, trigger=trigger, requested_by=requested_by)
    run.queued_at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # MongoDB would keep no more
    while (active := _active(run, at)) or not _claim(run):
        if active and (not again or active.status == Status.QUEUED or slots.ask_again(_key(run), active.pk)):
            return active, False
    if publish:
        _publish(run, at=at)
    return run, True


def execute(run_id: uuid.UUID, work: Work, *, clock: Clock = timezone.now) -> IngestRun | None:
    """Do the work of a queued run, here and now. None when it is not queued: then somebody else has it.

    A database that goes away meanwhile is waited for: how the work ended is on record before this returns.
    Raises one of `core.outages` if it is away before the work has begun; then the run is as queued as it was.
    """
    run = _start(run_id, at=clock())
    if run is None:
        return None
    with slots.kept(_key(run), run.pk, clock) as lease:
        report = Report(run, clock, lease)
        try:
            end = attempt(work, report)
        except BaseException:
            _close([Status.RUNNING], run, Status.CANCELLED, at=clock(), error="Interrupted.")
            _pass_on(run, at=clock())
            raise
        _conclude(report, end)
        lease.written(run.refresh_from_db)
    return run


def cancel(run_id: uuid.UUID, *, by: str, at: datetime) -> IngestRun:
    """Cancel a run that is queued or running; a running one stops at its next step. Raises UnknownRun.

    A run that is over already is returned as it is.
    """
    run = IngestRun.objects.filter(pk=run_id).first()
    if run is None:
        raise UnknownRun(f"There is no run {run_id}.")
    error = f"Cancelled by {by}."
    if _close([Status.QUEUED], run, Status.CANCELLED, at=at, error=error):
        _pass_on(run, at=at)
    else:  # its worker passes the slot on
        _close([Status.RUNNING], run, Status.CANCELLED, at=at, error=error)
    run.refresh_from_db()
    return run


def find_lost(*, at: datetime) -> Recovered:
    """Deal with slots whose lease ran out: its worker died, or its message has not reached a worker yet.

    The longest overdue come first, RECOVERED_AT_ONCE at most. And with runs that wait without a slot.
    """
    overdue = Slot.objects.filter(lease_until__lte=at).order_by("lease_until", "pk")
    found = [_recover(slot, at) for slot in overdue[:RECOVERED_AT_ONCE]]
    found += [Recovered(published=_adopt(run, at)) for run in _without_slot(at)]
    return Recovered(*map(sum, zip(*found, strict=True))) if found else Recovered()


def _active(run: IngestRun, at: datetime) -> IngestRun | None:
    """The run that holds the slot of `run`, if any; a lease that ran out is dealt with first."""
    slot, _ = Slot.objects.get_or_create(key=_key(run))
    active = _holder(slot)
    if slot.lease_until is not None and (active is None or slot.lease_until <= at):
        _recover(slot, at)
        slot.refresh_from_db()
        active = _holder(slot)
    return active


def _claim(run: IngestRun) -> bool:
    """Write the row and take the slot for it. The row goes first: a slot never points at nothing."""
    run.save(force_insert=True)
    if slots.claim(_key(run), run.pk, until=run.queued_at + QUEUED_LEASE):
        return True
    IngestRun.objects.filter(pk=run.pk).delete()
    return False


def _publish(run: IngestRun, *, at: datetime) -> None:
    try:
        current_app.send_task(run.job, args=[str(run.pk)], retry=False)
    except OperationalError as error:
        logger.warning("%s stays queued until the broker answers: %s", run, error)
        slots.extend(_key(run), run.pk, until=at)


def _start(run_id: uuid.UUID, *, at: datetime) -> IngestRun | None:
    """Turn a queued run into a running one. None when it is not queued, so each is worked on once."""
    queued = IngestRun.objects.filter(pk=run_id, status=Status.QUEUED)
    run = queued.first()
    if run is None or not queued.update(status=Status.RUNNING, started_at=at, attempts=F("attempts") + 1):
        return None
    run.status, run.started_at, run.attempts = Status.RUNNING, at, run.attempts + 1
    return run


def _conclude(report: Report, end: End | None) -> None:
    """Close the run, say why, and pass its slot on, each of them for certain. No retry of a run that was
    cancelled, or taken for lost, before it failed.

    What follows it is queued at the moment of its row: one that looked old would be a stray to `find_lost`.
    """
    run, at, written = report.run, report.now(), report.lease.written
    if end is None or not written(lambda: _closed(run, end, at)):
        written(lambda: _pass_on(run, at=report.now()))
        return
    if said := end.said:
        written(lambda: report.log(**said))
    written(lambda: _pass_on(run, at=report.now(), retry_in=end.retry_in, counts=end.counts))


def _closed(run: IngestRun, end: End, at: datetime) -> bool:
    """Close the run. True also if it was closed so by an UPDATE whose answer did not arrive."""
    if _close([Status.RUNNING], run, end.status, at=at, **end.columns):
        return True
    return IngestRun.objects.filter(pk=run.pk, status=end.status).exists()


def _close(among: Iterable[str], run: IngestRun, status: str, *, at: datetime, **columns: Any) -> bool:
    """End the run, if it still is in one of the states `among`."""
    open_run = IngestRun.objects.filter(pk=run.pk, status__in=list(among))
    return open_run.update(status=status, finished_at=at, **columns) == 1


def _pass_on(run: IngestRun, *, at: datetime, retry_in: timedelta | None = None, counts: bool = True) -> bool:
    """Give the slot of a run that is over to its retry or to the run asked for meanwhile, or free it.

    True when it is retried. An attempt that `counts` is one of those that MAX_RETRY_ATTEMPTS bounds.
    """
    attempts = run.attempts if counts else run.attempts - 1
    if retry_in is not None and attempts <= conf.current().max_retry_attempts:
        return _follow(run, trigger="retry", attempts=attempts, at=at, wait=retry_in)
    if not slots.release(_key(run), run.pk):
        _follow(run, trigger="again", attempts=0, at=at, wait=timedelta(0))
    return False


def _follow(run: IngestRun, *, trigger: str, attempts: int, at: datetime, wait: timedelta) -> bool:
    """Queue the run that comes after `run` in its slot. One that has to wait is published by a tick."""
    then = IngestRun(
        job=run.job,
        movie_id=run.movie_id,
        trigger=trigger,
        requested_by=run.requested_by,
        queued_at=at,
        attempts=attempts,
    )
    then.save(force_insert=True)
    if not slots.hand_over(_key(run), run.pk, then.pk, until=at + (wait or QUEUED_LEASE)):
        IngestRun.objects.filter(pk=then.pk).delete()
        return False
    if not wait:
        _publish(then, at=at)
    return True


def _recover(slot: Slot, at: datetime) -> Recovered:
    run = _holder(slot)
    if run is None:
        Slot.objects.filter(pk=slot.pk, run_id=slot.run_id).update(run_id=None, lease_until=None)
        return Recovered()
    if run.status == Status.QUEUED:
        return Recovered(published=_publish_again(slot, run, at))
    if not slots.take_over(slot, until=at):
        return Recovered()  # its worker is back: it was the database that had been away
    error = "Its worker went away without closing it."
    lost = _close([Status.RUNNING], run, Status.LOST, at=at, error=error)
    if lost:
        log(run, IngestLog.Status.ERROR, "The run was lost.", at=at, movie_id=run.movie_id, error=error)
    # One that is over, and still has its slot: whoever closed it came no further.
    owed = lost or run.status in (Status.LOST, Status.FAILED)
    return Recovered(lost, _pass_on(run, at=at, retry_in=timedelta(0) if owed else None))


def _without_slot(at: datetime) -> list[IngestRun]:
    """Runs that were written down, but whoever did so died before they had their slot."""
    old = IngestRun.objects.filter(status=Status.QUEUED, queued_at__lte=at - QUEUED_LEASE)
    waiting = list(old.order_by("pk")[:RECOVERED_AT_ONCE])
    held = dict(Slot.objects.filter(pk__in=map(_key, waiting)).values_list("pk", "run_id"))
    return [run for run in waiting if held.get(_key(run)) != run.pk]


def _adopt(run: IngestRun, at: datetime) -> bool:
    """Give a run its slot and publish it. Where another has that slot, this one is not wanted any more."""
    queued = IngestRun.objects.filter(pk=run.pk, status=Status.QUEUED)
    Slot.objects.get_or_create(key=_key(run))
    if not slots.claim(_key(run), run.pk, until=at + QUEUED_LEASE):
        queued.delete()
    elif queued.exists():
        _publish(run, at=at)
        return True
    else:  # it ran after all, between two looks
        slots.release(_key(run), run.pk)
    return False


def _publish_again(slot: Slot, run: IngestRun, at: datetime) -> bool:
    """Publish a queued run once more, unless another tick has just done so."""
    won = slots.take_over(slot, until=at + QUEUED_LEASE)
    if won:
        _publish(run, at=at)
    return won


def _holder(slot: Slot) -> IngestRun | None:
    return IngestRun.objects.filter(pk=slot.run_id).first() if slot.run_id else None


def _key(run: IngestRun) -> str:
    return slots.key_for(run.job, run.movie_id)
