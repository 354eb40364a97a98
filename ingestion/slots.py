"""Slots: one active run per job and movie, claimed by compare-and-swap and held by a lease.

Every verb is one conditional UPDATE of one row; who changed it has won. Nothing here knows what a run does.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import close_old_connections, connections

from core import correlation
from core.outages import OUTAGES
from ingestion.models import Slot

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Written = TypeVar("Written")

QUEUED_LEASE = timedelta(minutes=10)
"""How long a queued run is left to the broker before it is published once more."""
RUNNING_LEASE = timedelta(seconds=60)
HEARTBEAT_S = 15.0
TRY_AGAIN_S = 1.0


def key_for(job: str, movie_id: int | None) -> str:
    """The slot of a job, for one movie or ("") as a whole."""
    return f"{job}:{'' if movie_id is None else movie_id}"


def claim(key: str, run_id: uuid.UUID, *, until: datetime) -> bool:
    """Take a free slot. False when somebody holds it."""
    free = Slot.objects.filter(key=key, run_id__isnull=True)
    return free.update(run_id=run_id, lease_until=until, again=False) == 1


def extend(key: str, run_id: uuid.UUID, *, until: datetime) -> bool:
    """Hold the slot for longer. False when it is no longer this run's."""
    return Slot.objects.filter(key=key, run_id=run_id).update(lease_until=until) == 1


def hasten(key: str, run_id: uuid.UUID, *, until: datetime) -> bool:
    """Have the lease end sooner. False when it does already, or the slot is no longer this run's."""
    later = Slot.objects.filter(key=key, run_id=run_id, lease_until__gt=until)
    return later.update(lease_until=until) == 1


def ask_again(key: str, run_id: uuid.UUID) -> bool:
    """Ask for one more run after this one. False when this one has just let go."""
    return Slot.objects.filter(key=key, run_id=run_id).update(again=True) == 1


def hand_over(key: str, run_id: uuid.UUID, to: uuid.UUID, *, until: datetime) -> bool:
    """Give the slot to the next run, which is all that anybody may have asked for."""
    mine = Slot.objects.filter(key=key, run_id=run_id)
    return mine.update(run_id=to, lease_until=until, again=False) == 1


def take_over(slot: Slot, *, until: datetime) -> bool:
    """Set the lease of a slot that was found overdue. False when somebody has done so since it was read."""
    as_read = Slot.objects.filter(pk=slot.pk, run_id=slot.run_id, lease_until=slot.lease_until)
    return as_read.update(lease_until=until) == 1


def release(key: str, run_id: uuid.UUID) -> bool:
    """Let go of the slot. False, and nothing changed, when one more run was asked for or the slot is lost."""
    mine = Slot.objects.filter(key=key, run_id=run_id, again=False)
    return mine.update(run_id=None, lease_until=None) == 1


class Lease:
    """A slot while its run works, until its `deadline` at the longest. `lost` is set once the slot is
    somebody else's."""

    def __init__(self, key: str, run_id: uuid.UUID, clock: Clock, deadline: datetime) -> None:
        self.key, self.run_id, self.deadline, self._clock = key, run_id, deadline, clock
        self.lost = threading.Event()
        self._over = threading.Event()

    def renew(self) -> bool:
        """Extend the lease. False if the database does not answer; the next beat asks again."""
        try:
            if not extend(self.key, self.run_id, until=min(self._clock() + RUNNING_LEASE, self.deadline)):
                self.lost.set()
        except OUTAGES as error:
            logger.warning("the lease of %s was not renewed: %s", self.key, error)
            close_old_connections()  # a broken one would break every question to come
            return False
        return True

    def outlast(self) -> bool:
        """Wait, with the slot in hand, until the database answers. False if it did so at once."""
        away = False
        while not self.renew():
            away = True
            time.sleep(TRY_AGAIN_S)
        return away

    def written(self, write: Callable[[], Written]) -> Written:
        """Do what has to be on record, however long the database is away: nobody else could do it now."""
        while True:
            try:
                return write()
            except OUTAGES:
                if not self.outlast():  # it answers, and yet has no room for this, say
                    time.sleep(TRY_AGAIN_S)

    def beat(self) -> None:
        """Renew until the run is over. Runs in a thread of its own, so the connection is its own too: it goes
        back to the pool after each beat, or eight jobs would hold sixteen."""
        while not self._over.wait(HEARTBEAT_S) and not self.lost.is_set():
            try:
                self.renew()
            finally:
                connections.close_all()

    def stop(self) -> None:
        self._over.set()


@contextmanager
def kept(key: str, run_id: uuid.UUID, clock: Clock, *, deadline: datetime) -> Iterator[Lease]:
    """Hold the slot, heartbeat included, for as long as the block lasts; past the deadline anybody may take
    it, however alive the heartbeat is."""
    lease = Lease(key, run_id, clock, deadline)
    lease.renew()
    beat = correlation.carried(lease.beat)
    thread = threading.Thread(target=beat, name=f"lease {key}", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        lease.stop()
        thread.join()
