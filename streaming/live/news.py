"""What there is to tell the viewers of a movie, and the mailbox in which it waits for each of them.

Pure: no database, no network, no clock, no event loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

MAX_REPLAY = 20
"""How many turns of the log are told one by one; whoever missed more gets a snapshot."""

MAILBOX_FRAMES = 32
"""How many frames wait for a client that reads slowly; then a snapshot takes the place of them all."""


class Frame(NamedTuple):
    """One encoded event. `seq` is the turn of the log after which the client knows the movie's state."""

    seq: int
    data: bytes


@dataclass(frozen=True, slots=True)
class News:
    """Where a movie's log is now. No `events`: the way there is not told, the snapshot says it all."""

    movie_id: int
    snapshot: Frame
    events: tuple[Frame, ...] = ()


@dataclass(frozen=True, slots=True)
class Gone:
    """The public may not see this movie: unknown, hidden or removed."""

    movie_id: int


def turns_to_tell(known: int | None, seq: int) -> range:
    """The turns that lead from `known` to `seq`; empty where only a snapshot will do.

    That is: nothing is known yet, too much was missed, or the log is shorter than it was (a restored backup).
    """
    if known is None or seq < known or seq - known > MAX_REPLAY:
        return range(0)
    return range(known + 1, seq + 1)


class Mailbox:
    """Bounded, the latest wins: what does not fit gives way to one snapshot of the newest state."""

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        self._frames: list[Frame] = []

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, news: News) -> None:
        if not news.events or len(self._frames) + len(news.events) > MAILBOX_FRAMES:
            self._frames = [news.snapshot]
        else:
            self._frames.extend(news.events)

    def put_first(self, frames: Sequence[Frame]) -> None:
        """Frames that belong before whatever has come in meanwhile."""
        self._frames[:0] = frames

    def take(self) -> list[Frame]:
        """Everything that waits, in order; then it is empty."""
        frames, self._frames = self._frames, []
        return frames
