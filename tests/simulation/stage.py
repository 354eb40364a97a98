"""Puts the simulated clock and wire where Marquee would find the real ones, for as long as a day lasts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import SimpleNamespace
from unittest.mock import patch

import redis
from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from ingestion import runs
from providers import registry, services, sessions
from providers.http import GuardedSession
from providers.throttle import Throttle
from tests.simulation.clock import Clock
from tests.simulation.frames import Frames
from tests.simulation.peers import TMDB
from tests.simulation.wire import Wire


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
            patch.object(services, "POOL", 1),
            patch.object(services, "time", SimpleNamespace(monotonic=clock.monotonic)),
            patch.object(timezone, "now", clock.now),
            patch.dict(runs.execute.__kwdefaults__, clock=clock.now),
            patch.dict(registry.ADAPTERS, {Frames.slug: Frames}),
            override_settings(TMDB_API_KEY="key", TMDB_BASE_URL=TMDB, LIBRARY_URL=""),
        ):
            stack.enter_context(replaced)
        logging.disable(logging.CRITICAL)  # a line for each call that fails would be most of the work
        stack.callback(logging.disable, logging.NOTSET)
        yield
