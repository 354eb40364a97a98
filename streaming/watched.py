"""Which movies are watched at this moment: every web process says so now and then, and jobs may ask.

A hint and nothing more. It holds ids of movies, of no person and no number of them; where Redis is away,
nobody is known to watch anything. The times are those of Redis, so that no two clocks have to agree.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Collection
from itertools import islice
from typing import Any

import redis
from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

EVERY_S = 30.0
FORGOTTEN_AFTER_S = 90
"""Two reports may be lost before a movie counts as watched no longer."""
ANSWER_S = 5.0
MOST = 10_000
"""Movies that are known at a time, over all processes: a megabyte or so of Redis."""
KEY = "marquee:watched"

_NOTE = f"""
local now = tonumber(redis.call('TIME')[1])
for _, movie in ipairs(ARGV) do redis.call('ZADD', KEYS[1], now, movie) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - {FORGOTTEN_AFTER_S})
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, {-MOST - 1})
redis.call('EXPIRE', KEYS[1], {FORGOTTEN_AFTER_S})
"""
_READ = f"""
local now = tonumber(redis.call('TIME')[1])
return redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', now - {FORGOTTEN_AFTER_S}, 'LIMIT', 0, ARGV[1])
"""


async def tell(address: dict[str, Any], movies: Callable[[], Collection[int]]) -> None:
    """Say for ever what is watched here. `address` holds the keyword arguments of redis.Redis."""
    failing = False
    while True:
        await asyncio.sleep(EVERY_S * random.uniform(0.9, 1.1))
        if not (watched := movies()):
            continue
        try:
            await note(address, watched)
        except (RedisError, OSError) as error:
            if not failing:
                logger.warning("Redis does not answer, jobs do not know what is watched: %s", error)
            failing = True
        else:
            failing = False


async def note(address: dict[str, Any], movies: Collection[int]) -> None:
    """Say once that these movies are watched, by a connection of its own. Raises RedisError or OSError."""
    once = {**address, "retry": Retry(NoBackoff(), 0)}
    async with asyncio.timeout(ANSWER_S), Redis(**once) as client:
        await client.eval(_NOTE, 1, KEY, *islice(movies, MOST))


def now(*, limit: int) -> frozenset[int]:
    """The movies that were last said to be watched, `limit` at most; none when Redis does not answer."""
    try:
        with redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_LIMITS) as client:
            found: Any = client.eval(_READ, 1, KEY, str(limit))
    except (RedisError, OSError) as error:
        logger.warning("Redis does not answer, so that nobody is known to watch anything: %s", error)
        return frozenset()
    return frozenset(int(movie) for movie in found)
