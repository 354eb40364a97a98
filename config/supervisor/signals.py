"""The wish to stop, as a flag: SIGINT (Ctrl-C), SIGTERM, and SIGHUP (the terminal was closed)."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable


class Stopped(Exception):
    """Somebody asked us to stop."""


class StopWish:
    """Set by the first signal. Each later one calls `again`, from the handler: somebody is in a hurry."""

    def __init__(self, again: Callable[[], None]) -> None:
        self._again = again
        self._asked = False

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if (
                number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
            ):  # nohup keeps its meaning
                signal.signal(number, self._note)

    def pause(self, seconds: float = 0.1) -> None:
        """Sleep. Raises Stopped if the wish is there, before or after."""
        self.check()
        time.sleep(seconds)
        self.check()

    def check(self) -> None:
        if self._asked:
            raise Stopped

    def _note(self, _number: int, _frame: object) -> None:
        if self._asked:
            self._again()
        self._asked = True
