"""Simulated time: the wall clock that Marquee reads, and the stopwatch that its waits and calls advance.

Nothing sleeps here, and nobody reads the real time.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

START = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LANES = 64
"""How many calls are under way at once: eight workers with eight threads. A call of 64 s takes one second."""


class Clock:
    """The time of the simulated day. Work is done one call after the other, so that a seed gives one day."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        self._minute_at_s = 0.0
        self.minute = 0
        self._late = timedelta(0)

    def now(self) -> datetime:
        """The wall clock, which moves within a minute as calls take their time, the lanes side by side.

        In whole milliseconds, which is what MongoDB keeps.
        """
        spent_ms = int(1000 * (self.elapsed_s - self._minute_at_s) / LANES)
        return START + self.minute * MINUTE + self._late + timedelta(milliseconds=spent_ms)

    def begin(self, minute: int) -> None:
        """Go on to a minute of the day. Work that took longer than the one before it pushes this one back."""
        late = self.now() - (START + minute * MINUTE)
        self.minute, self._minute_at_s = minute, self.elapsed_s
        self._late = max(late, timedelta(0))

    @property
    def minute_is_over(self) -> bool:
        return self.now() >= START + (self.minute + 1) * MINUTE

    def wall_s(self) -> float:
        """Seconds since the epoch."""
        return self.now().timestamp()

    def monotonic(self) -> float:
        """Seconds spent waiting by one lane, in all."""
        return self.elapsed_s

    def sleep(self, seconds: float) -> None:
        self.elapsed_s += seconds


def chance(*about: object) -> float:
    """A number from 0 to 1 that depends on `about` alone: no order of questions changes an answer."""
    text = "/".join(map(str, about)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / 2**64
