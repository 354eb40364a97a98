"""The one Redis subscriber of a process. What it hears is only a reason to look sooner, never news itself.

It outlives any outage of Redis; while there is none to hear, the hub's own poll finds everything out.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable
from typing import Any, Protocol

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

CHANNEL = "events_channel"
"""Where django-eventstream's `send_event` publishes; the name is fixed in it."""

QUIET_S = 10.0
ANSWER_S = 5.0
RETRY_S = (0.25, 0.5, 1.0, 2.0)


class Listener(Protocol):
    def look_at(self, movie_id: int) -> None:
        """Something happened to this movie."""

    def look_at_all(self) -> None:
        """Nobody listened for a while: anything may have happened."""


async def listen(address: dict[str, Any], listener: Listener) -> None:
    """Pass every nudge on, for ever. `address` holds the keyword arguments of redis.Redis."""
    failures = 0

    def heard() -> None:
        nonlocal failures
        if failures:
            logger.info("Redis is back: events come at once again")
        failures = 0

    while True:
        try:
            await _subscribe(address, listener, heard)
        except (RedisError, OSError) as error:
            if not failures:
                logger.warning("Redis does not answer, events come by poll meanwhile: %s", error)
        except Exception:
            logger.exception("listening to Redis failed, events come by poll meanwhile")
        pause = RETRY_S[min(failures, len(RETRY_S) - 1)]
        failures += 1
        await asyncio.sleep(pause * random.uniform(0.75, 1.25))


async def _subscribe(address: dict[str, Any], listener: Listener, heard: Callable[[], None]) -> None:
    """One connection, until it breaks. Raises RedisError or OSError."""
    once = {**address, "retry": Retry(NoBackoff(), 0)}  # trying again is up to `listen`
    async with Redis(**once) as client, client.pubsub() as pubsub:
        await pubsub.subscribe(CHANNEL)
        async with asyncio.timeout(ANSWER_S):
            await pubsub.parse_response()
        heard()
        listener.look_at_all()
        while True:
            if (movie_id := movie_of(await _next(pubsub))) is not None:
                listener.look_at(movie_id)


async def _next(pubsub: PubSub) -> dict[str, Any]:
    """The next message. After a while of silence a ping has to be answered: the server may have vanished."""
    if message := await pubsub.get_message(timeout=QUIET_S):
        return dict(message)
    await pubsub.ping()
    if message := await pubsub.get_message(timeout=ANSWER_S):
        return dict(message)
    raise RedisConnectionError(f"no answer to a ping within {ANSWER_S:g} s")


def movie_of(message: dict[str, Any]) -> int | None:
    """Which movie a message is about. None for what is not ours: the channel is one for a whole server."""
    try:
        movie_id = json.loads(json.loads(message["data"])["data"])["movie"]
    except (KeyError, TypeError, ValueError):
        return None
    return movie_id if type(movie_id) is int else None
