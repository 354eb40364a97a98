"""Which of the streams that are due are probed first: those by which most would be lost.

Pure: facts in, an order out. Nothing is looked up here.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

JUST_SWITCHED = timedelta(days=1)
RELIABLE = 0.8
"""A provider's reliability, 0 to 1, below which its streams are a risk."""
FOR_THE_LONGEST_OVERDUE = 1 / 3
"""Of the room in a sweep, however much is at risk: so that nothing waits for ever."""

Item = TypeVar("Item", bound=Hashable)


class Why(StrEnum):
    """What makes a stream a risk, the weightiest first."""

    WATCHED = "watched now"
    DOUBTED = "on trial or suspect"
    SWITCHED = "switched to within a day"
    UNRELIABLE = "of an unreliable provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """What is known of one stream that is due; `watched` and `switched` (lately) are said of its movie."""

    key: UUID
    active: bool
    watched: bool
    doubted: bool
    switched: bool
    reliability: float
    popularity: float
    due_at: datetime

    @property
    def why(self) -> tuple[Why, ...]:
        """All that makes it a risk; () when nothing does."""
        found = {
            Why.WATCHED: self.watched,
            Why.DOUBTED: self.doubted,
            Why.SWITCHED: self.active and self.switched,
            Why.UNRELIABLE: self.active and self.reliability < RELIABLE,
        }
        return tuple(why for why, holds in found.items() if holds)

    @property
    def rank(self) -> tuple[bool, bool, bool, bool, float, float, datetime, UUID]:
        """Smallest first, no two alike: what plays before what could, then each reason by its weight, the
        less reliable provider, the more popular movie, the longer overdue."""
        return (
            not self.active,
            not self.watched,
            not self.doubted,
            not self.switched,
            self.reliability,
            -self.popularity,
            self.due_at,
            self.key,
        )


def share(risky: Sequence[Item], overdue: Sequence[Item], room: int) -> list[Item]:
    """`room` of them, each once: the first of `risky`, a third kept for the first of `overdue`.

    What one of them leaves free is the other's.
    """
    at_risk = risky[: room - int(room * FOR_THE_LONGEST_OVERDUE)]
    return list(dict.fromkeys([*at_risk, *overdue, *risky]))[:room]
