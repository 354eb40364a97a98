"""When a movie is searched for again. Pure: what a search came to, in; the movie's columns, out.

Two clocks run side by side. The ladder (`refresh_at`) is ours: the longer nothing better turns up, the rarer
we ask. `next_check_at` is when somebody's word says that asking is worth it, however soon.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

LADDER = tuple(timedelta(days=days) for days in (1, 3, 7, 30))
SOONEST = timedelta(seconds=30)
PUT_OFF = timedelta(hours=1)
"""Whoever queues a movie puts its clock off by so much: one whose search dies does not come first again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What one search came to.

    `reached`: the movie now has its target quality. `improved`: the search brought a rendition that is new,
    or a better stream.
    `complete`: every provider answered in full. `ask_again`: when each provider's answer goes stale, or when
    one that failed may be asked again. `renew_at`: when the active stream's URL has to be renewed.
    """

    reached: bool
    improved: bool
    complete: bool
    ask_again: tuple[datetime, ...] = ()
    renew_at: datetime | None = None


def next_search(came: Came, *, refresh_at: datetime | None, fruitless: int, at: datetime) -> dict[str, Any]:
    """The movie's columns after a search. A search that a provider asked for does not climb our ladder.

    One that the ladder asked for finds its clock put off; so close to its turn, any search is the ladder's.
    """
    columns: dict[str, Any] = {"next_check_at": _next_check(came, at)}
    if came.complete:
        columns["matched_at"] = at
    if came.reached:
        return columns | {"refresh_at": None, "fruitless_searches": 0}
    if came.improved:
        return columns | {"refresh_at": at + LADDER[0], "fruitless_searches": 0}
    if refresh_at is not None and refresh_at > at + PUT_OFF:
        return columns
    climbed = min(fruitless + came.complete, len(LADDER))
    return columns | {
        "refresh_at": at + LADDER[min(fruitless, len(LADDER) - 1)],
        "fruitless_searches": climbed,
    }


def _next_check(came: Came, at: datetime) -> datetime | None:
    """The target ends the search, but not the care for a URL that expires."""
    moments = [] if came.reached else list(came.ask_again)
    if came.renew_at is not None:
        moments.append(came.renew_at)
    return max(min(moments), at + SOONEST) if moments else None
