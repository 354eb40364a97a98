"""Runs a few calls at the same time in an order that is chosen, from moment to moment, and not by luck."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable
from typing import Any

from django.db import connections

from tests.streaming.races import moments
from tests.streaming.races.moments import Killed

WATCHDOG_S = 60.0


class Stepped(threading.Thread):
    """Does its work from one moment to the next, each time that it is told to go on."""

    def __init__(self, work: Callable[[], Any], pauses: Container[str], dies_at: int = -1) -> None:
        super().__init__(daemon=True)
        self._work, self._pauses, self._left = work, pauses, dies_at
        self._go, self._paused = threading.Semaphore(0), threading.Semaphore(0)
        self.done = False
        self.outcome: Any = None
        self.start()

    def go_on(self) -> None:
        """Let it go on to its next moment, or to its end."""
        if not self.done:
            self._go.release()
            assert self._paused.acquire(timeout=WATCHDOG_S), "it neither pauses nor ends"

    def reached(self, moment: str) -> None:
        if self._left == 0:
            raise Killed
        self._left -= 1
        if moment in self._pauses:
            self._paused.release()
            self._go.acquire(timeout=WATCHDOG_S)

    def run(self) -> None:
        self._go.acquire(timeout=WATCHDOG_S)
        try:
            self.outcome = self._work()
        except BaseException as error:
            self.outcome = error
        finally:
            connections.close_all()
            self.done = True
            self._paused.release()


def interleaved(threads: list[Stepped], order: Iterable[int]) -> list[Any]:
    """What became of each: its result, or what it raised. After `order` each goes on to its end."""

    def reached(moment: str) -> None:
        thread = threading.current_thread()
        if isinstance(thread, Stepped):
            thread.reached(moment)

    with moments.watched(reached):
        for number in order:
            threads[number].go_on()
        for thread in threads:
            while not thread.done:
                thread.go_on()
    return [thread.outcome for thread in threads]
