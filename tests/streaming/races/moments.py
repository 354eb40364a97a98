"""The moments of a turn at which a process can end, or another one can come between.

Marquee knows nothing of them: its functions and the ORM's writes are wrapped from outside. Nothing is
written between one step and the next, so the moment after a step is also the one before the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from streaming import events, turns
from streaming.models import StreamSwitch
from streaming.querysets import MovieQuerySet, StreamVersionQuerySet

BEGUN = "it has begun"
READ = "the movie is read"
DECIDED = "the turn is planned"
UNCOMMITTED = "the row is sent, and not committed where there is a transaction"
INSERTED = "the row is in the log"
VERSION = "a version is written"
MOVIE = "the movie is written"
NUDGED = "the feed is nudged"

_STEPS: tuple[tuple[str, Any, str], ...] = (
    (READ, turns, "read"),
    (DECIDED, turns, "_row"),
    (UNCOMMITTED, StreamSwitch, "save"),
    (INSERTED, turns, "_insert"),
    (VERSION, StreamVersionQuerySet, "update"),
    (MOVIE, MovieQuerySet, "update"),
    (NUDGED, events, "nudge"),
)
EXIT_CODE = 86


class Killed(BaseException):
    """A process that ends, played by a thread or by the test itself: nothing in Marquee catches it."""


@contextmanager
def watched(reached: Callable[[str], None]) -> Iterator[None]:
    """Call `reached` at each moment of whatever is done meanwhile, in every thread."""
    with ExitStack() as patches:
        for moment, owner, name in _STEPS:
            step = _followed_by(getattr(owner, name), moment, reached)
            patches.enter_context(mock.patch.object(owner, name, step))
        reached(BEGUN)
        yield


def of(work: Callable[[], Any]) -> list[str]:
    """Do it, and say through which moments it went."""
    seen: list[str] = []
    with watched(seen.append):
        work()
    return seen


@contextmanager
def ended_at(number: int, end: Callable[[], object]) -> Iterator[None]:
    """Call `end` at the moment of that number, counted from 0."""
    left = iter(range(number))

    def reached(moment: str) -> None:
        if next(left, None) is None:
            end()

    with watched(reached):
        yield


def exit_at(number: int, work: Callable[..., Any], *args: Any) -> Any:
    """The work of a process that ends at that moment, as one does that is killed."""
    with ended_at(number, lambda: os._exit(EXIT_CODE)):
        return work(*args)


def kill() -> None:
    raise Killed


def _followed_by(step: Callable[..., Any], moment: str, reached: Callable[[str], None]) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        result = step(*args, **kwargs)
        reached(moment)
        return result

    return run
