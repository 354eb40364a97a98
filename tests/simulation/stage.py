"""Puts the simulated clock and wire where Marquee would find the real ones, for as long as a day lasts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import partial
from types import SimpleNamespace
from typing import TypeVar
from unittest.mock import patch

import redis
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from ingestion import runs
from providers import calls, registry, sessions
from providers.http import GuardedSession
from providers.throttle import Throttle
from tests.simulation.clock import Clock
from tests.simulation.frames import Frames
from tests.simulation.peers import TMDB
from tests.simulation.wire import Wire

T = TypeVar("T")


def at_once(name: str, work: Callable[[], T]) -> Future[T]:
    done: Future[T] = Future()
    done.set_result(work())
    return done


@contextmanager
def staged(clock: Clock, wire: Wire) -> Iterator[None]:
    """Within the block Marquee lives by `clock`, and all that it sends goes over `wire`.

    Calls are made one after the other: were they raced, a seed would not give the same day twice. The pace is
    kept by each process alone, because Redis would keep it by its own clock.
    """
    session = partial(
        GuardedSession,
        resolve=wire.resolve,
        dial=wire.dial,
        clock=clock.monotonic,
        wall_clock=clock.wall_s,
        sleep=clock.sleep,
        rng=lambda: 0.5,
    )
    nowhere = redis.Redis.from_url("unix:///nowhere", **settings.REDIS_LIMITS)
    throttle = Throttle(nowhere, clock=clock.wall_s, sleep=clock.sleep)
    with ExitStack() as stack:
        for replaced in (
            patch.object(sessions, "GuardedSession", session),
            patch.object(sessions, "_throttle", lambda url: throttle),
            patch.dict(sessions._sessions, clear=True),
            patch.object(calls.bulkheads, "submit", at_once),
            patch.object(calls, "time", SimpleNamespace(monotonic=clock.monotonic)),
            patch.object(timezone, "now", clock.now),
            patch.dict(runs.execute.__kwdefaults__, clock=clock.now),
            patch.dict(registry.ADAPTERS, {Frames.slug: Frames}),
            override_settings(TMDB_API_KEY="key", TMDB_BASE_URL=TMDB, LIBRARY_URL=""),
        ):
            stack.enter_context(replaced)
        logging.disable(logging.CRITICAL)  # a line for each call that fails would be most of the work
        stack.callback(logging.disable, logging.NOTSET)
        yield
