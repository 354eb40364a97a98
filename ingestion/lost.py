"""Runs that nobody works on any more: their worker died, they hang, or no message ever reached a worker.

A slot whose lease ran out tells. Nothing here waits, and two who look at once do everything once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from ingestion import ending, slots
from ingestion.ending import key_of
from ingestion.models import IngestLog, IngestRun, Slot
from ingestion.reports import log, overran

Status = IngestRun.Status

RECOVERED_AT_ONCE = 500
PUT_OFF = timedelta(minutes=15)
"""A slot that the sweep stumbled over is left alone for so long."""

Contained = Callable[..., AbstractContextManager[None]]
"""Keeps what goes wrong with one thing from the others (`Report.contained`)."""


class Recovered(NamedTuple):
    """What `find_lost` found: lost runs, how many of these are retried, and queued ones published again."""

    lost: int = 0
    retried: int = 0
    published: int = 0


def _bare(what: str, **otherwise: object) -> AbstractContextManager[None]:
    """Whatever goes wrong is the caller's."""
    return nullcontext()


def find_lost(*, at: datetime, contained: Contained = _bare) -> Recovered:
    """Deal with slots whose lease ran out: its worker died, or its message has not reached a worker yet.

    The longest overdue come first, RECOVERED_AT_ONCE at most. And with runs that wait without a slot. Each of
    them is dealt with under `contained`.
    """
    found = [Recovered()]
    overdue = Slot.objects.filter(lease_until__lte=at).order_by("lease_until", "pk")
    for slot in overdue[:RECOVERED_AT_ONCE]:
        with contained(f"The recovery of {slot}", otherwise=partial(_put_off, slot, at)):
            found.append(recover(slot, at))
    for run in _without_slot(at):
        with contained(f"The adoption of {run}"):
            found.append(Recovered(published=_adopt(run, at)))
    return Recovered(*map(sum, zip(*found, strict=True)))


def active(key: str, at: datetime) -> IngestRun | None:
    """The run that holds this slot, if any; a lease that ran out is dealt with first."""
    slot, _ = Slot.objects.get_or_create(key=key)
    run = _holder(slot)
    if slot.lease_until is not None and (run is None or slot.lease_until <= at):
        recover(slot, at)
        slot.refresh_from_db()
        run = _holder(slot)
    return run


def recover(slot: Slot, at: datetime) -> Recovered:
    """Deal with one slot whose lease had run out when it was read."""
    run = _holder(slot)
    if run is None:
        Slot.objects.filter(pk=slot.pk, run_id=slot.run_id).update(run_id=None, lease_until=None)
        return Recovered()
    if run.status == Status.QUEUED:
        return Recovered(published=_publish_again(slot, run, at))
    if not slots.take_over(slot, until=at):
        return Recovered()  # its worker is back: it was the database that had been away
    if run.status == Status.RUNNING and _was_kept_to_the_end(slot, run):
        end(run, Status.FAILED, overran(run, ending.deadline_of(run)), at)
        ending.pass_on(run, at=at)
        return Recovered()
    lost = run.status == Status.RUNNING and end(run, Status.LOST, _why_lost(run), at)
    if run.status == Status.RUNNING and not lost:
        run.refresh_from_db()  # it was closed since: how, decides whether it is retried
    if run.status == Status.LOST:
        _say(run, run.status, run.error, at)
    # One that is over, and still has its slot: whoever closed it came no further.
    owed = lost or run.status in (Status.LOST, Status.FAILED)
    return Recovered(lost, ending.pass_on(run, at=at, retry_in=_pause(run) if owed else None))


def _put_off(slot: Slot, at: datetime) -> None:
    """Or it would come first every minute."""
    if slot.run_id is not None:
        slots.extend(slot.pk, slot.run_id, until=at + PUT_OFF)


def _pause(run: IngestRun) -> timedelta:
    """Once, a worker may well have died by itself. If it was one of its runs that ended it, the others come
    apart from that one at their second retry, and are not given up with it."""
    return timedelta(0) if run.attempts <= 1 else ending.pause_before_retry(run)


def _was_kept_to_the_end(slot: Slot, run: IngestRun) -> bool:
    """Whether its worker held the slot until the run's deadline: then it hangs, and would again."""
    return slot.lease_until is not None and slot.lease_until >= ending.deadline_of(run)


def end(run: IngestRun, status: str, error: str, at: datetime) -> bool:
    """Close a run in its worker's place, if it has not come back to do so, and say why."""
    ended = ending.close([Status.RUNNING], run, status, at=at, error=error)
    if ended:
        _say(run, status, error, at)
    return ended


def _say(run: IngestRun, status: str, error: str, at: datetime) -> None:
    """Once: whoever closed it may have died before he came to say so, or right after."""
    message = f"The run is {status}: {error}"
    if not IngestLog.objects.filter(run_id=run.pk, message=message).exists():
        log(run, IngestLog.Status.ERROR, message, at=at, movie_id=run.movie_id)


def _why_lost(run: IngestRun) -> str:
    error = "Its worker went away without closing it."
    if ending.is_last(run.attempts):
        error += f" That was attempt {run.attempts}, and the last: it may be what ends its workers."
    return error


def _without_slot(at: datetime) -> list[IngestRun]:
    """Runs that were written down, but whoever did so died before they had their slot."""
    old = IngestRun.objects.filter(status=Status.QUEUED, queued_at__lte=at - slots.QUEUED_LEASE)
    waiting = list(old.order_by("pk")[:RECOVERED_AT_ONCE])
    held = dict(Slot.objects.filter(pk__in=map(key_of, waiting)).values_list("pk", "run_id"))
    return [run for run in waiting if held.get(key_of(run)) != run.pk]


def _adopt(run: IngestRun, at: datetime) -> bool:
    """Give a run its slot and publish it. Where another has that slot, this one is not wanted any more."""
    queued = IngestRun.objects.filter(pk=run.pk, status=Status.QUEUED)
    Slot.objects.get_or_create(key=key_of(run))
    if not slots.claim(key_of(run), run.pk, until=at + slots.QUEUED_LEASE):
        queued.delete()
    elif queued.exists():
        ending.publish(run, at=at)
        return True
    else:  # it ran after all, between two looks
        slots.release(key_of(run), run.pk)
    return False


def _publish_again(slot: Slot, run: IngestRun, at: datetime) -> bool:
    """Publish a queued run once more, unless another tick has just done so."""
    won = slots.take_over(slot, until=at + slots.QUEUED_LEASE)
    if won:
        ending.publish(run, at=at)
    return won


def _holder(slot: Slot) -> IngestRun | None:
    return IngestRun.objects.filter(pk=slot.run_id).first() if slot.run_id else None
