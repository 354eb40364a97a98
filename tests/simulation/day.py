"""A simulated day, minute by minute: beat publishes what is due, a worker does what is queued, people act.

The jobs are Marquee's own Celery tasks, taken from the real broker; only kills are made here.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from queue import Empty
from typing import Any

from celery import current_app
from kombu.message import Message

from ingestion import runs, schedule
from ingestion.models import IngestRun
from streaming.models import StreamSwitch
from tests.simulation import invariants
from tests.simulation.clock import MINUTE, START, Clock, chance
from tests.simulation.journal import Journal
from tests.simulation.kills import FUSES, Fuse, do_in_victim
from tests.simulation.people import People
from tests.simulation.stage import staged
from tests.simulation.wire import Wire
from tests.simulation.world import HOUR, World

DRAIN_MINUTES = 15
"""After the day nobody acts and nobody is killed: what was left half done is finished."""


class Day:
    """One simulated day in an empty installation. `hours` may be fewer than 24."""

    def __init__(self, seed: int, *, movies: int, hours: float, kills: int) -> None:
        self.seed, self.minutes = seed, int(hours * HOUR)
        self.world = World(seed, movies=movies, minutes=self.minutes)
        self.clock, self.journal = Clock(), Journal()
        self.wire = Wire(self.world, self.clock)
        self.people = People(self.world, self.clock, self.journal)
        self.kills: Counter[str] = Counter()
        self.checked: Counter[str] = Counter()
        self.violations: dict[str, str] = {}
        self._fuses = dict(self._planned(kills))
        self._lit: list[Fuse] = []
        self._before: invariants.Seen | None = None

    def _planned(self, kills: int) -> Iterator[tuple[int, Fuse]]:
        """Which kill comes in which minute, all kinds in turn."""
        for number in range(kills):
            part = (number + chance(self.seed, "kill", number)) / kills
            fuse = FUSES[(number + self.seed) % len(FUSES)]
            yield 5 + int(part * (self.minutes - 10)), fuse

    def run(self, *, say: Callable[[str], None] = lambda line: None) -> None:
        """Live through the day. What is violated, and where first, is in `violations`."""
        began = time.monotonic()
        current_app.loader.import_default_modules()  # as a worker does: the tasks
        with self._staged():
            for minute in range(self.minutes + DRAIN_MINUTES):
                self._live(minute)
                if minute % HOUR == HOUR - 1:
                    self._check(say)
                    say(self._progress(minute, time.monotonic() - began))
            self._before = None  # once more, and of everything
            self._check(say)

    @contextmanager
    def _staged(self) -> Iterator[None]:
        with (
            staged(self.clock, self.wire),
            self.journal.watching(),
            current_app.connection_for_read() as broker,
        ):
            self._queues = [broker.SimpleQueue(queue) for queue in current_app.amqp.queues.values()]
            self.people.open()
            schedule.initialize()
            yield
            for queue in self._queues:
                queue.close()

    def _live(self, minute: int) -> None:
        self.clock.begin(minute)
        self._beat(minute)
        if minute < self.minutes:
            self.people.act()
            self._lit += [self._fuses[minute]] if minute in self._fuses else []
        else:
            self._lit.clear()
        self._work()

    def _beat(self, minute: int) -> None:
        """Queue the jobs whose time has come, as beat does."""
        now = START + minute * MINUTE
        due = [job for job, at in schedule.next_runs(now - timedelta(seconds=1)).items() if at == now]
        for job in due:
            runs.queue(job, at=now, trigger="schedule", again=False)

    def _work(self) -> None:
        """Do what is queued, until the minute is over. The rest waits, as it does for busy workers."""
        while not self.clock.minute_is_over and (message := self._next()) is not None:
            self._do(message)

    def _next(self) -> Message | None:
        """What waits, jobs of their own before movies, so that a seed gives the same day twice."""
        for queue in self._queues:
            with suppress(Empty):
                return queue.get(block=False)
        return None

    def _do(self, message: Message) -> None:
        """One task. One whose process was killed goes back to the broker, as it was acknowledged late."""
        task, (args, kwargs, _) = current_app.tasks[message.headers["task"]], message.payload
        if not self._lit:
            task(*args, **kwargs)
        elif self._do_in_victim(lambda: task(*args, **kwargs)):
            message.requeue()
            return
        message.ack()

    def _do_in_victim(self, work: Callable[[], None]) -> bool:
        killed, said = do_in_victim(work, self._lit[0], self._last_words)
        self.wire.calls, self.wire.asked, self.clock.elapsed_s, journal = said
        vars(self.journal).update(vars(journal))
        if killed:
            self.kills[self._lit.pop(0).where] += 1
        return bool(killed)

    def _last_words(self) -> Any:
        return self.wire.calls, self.wire.asked, self.clock.elapsed_s, self.journal

    def _check(self, say: Callable[[str], None]) -> None:
        seen = invariants.look(self.clock.now(), self.journal, before=self._before)
        for name, check in invariants.ALL.items():
            for what in check(seen):
                where = f"seed {self.seed}, minute {self.clock.minute}"
                if self.violations.setdefault(f"{name}: {what}", where) is where:
                    say(f"{name}: {what} ({where})")
            self.checked[name] += 1
        self._before = seen.shrunk()

    def _progress(self, minute: int, seconds: float) -> str:
        return (
            f"{(minute + 1) // HOUR:>3} h  {StreamSwitch.objects.count():>6} switches"
            f"  {self.wire.calls.total():>7} calls, {self.wire.failing:.0%} failing"
            f"  {self.kills.total():>3} kills  {IngestRun.objects.count():>6} runs"
            f"  {len(self.violations):>3} violations  {seconds:>5.0f} s"
        )

    def digest(self) -> str:
        """A hash of the switch log, but for what is drawn at random in it."""
        rows = StreamSwitch.objects.order_by("movie_id", "seq").values_list(
            "pk", "reason", "from_version", "to_version", "at", "comment"
        )
        return hashlib.sha256("\n".join(map(_line, rows)).encode()).hexdigest()[:16]


def _line(row: tuple[Any, ...]) -> str:
    key, reason, left, taken, at, comment = row
    return f"{key} {reason} {left} {taken} {at:%H:%M:%S.%f} {comment}"
