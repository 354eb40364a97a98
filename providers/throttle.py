"""Requests per second, evenly spaced over all processes: one Redis key per name holds the next free slot.

Waiting is all it does. It never fails because Redis does: then each process keeps the same pace by itself.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import redis

from providers.errors import ProviderRateLimited

SAFETY = 1.05  # measured: with 5 % more than 1/rps never more than rps requests fall into any one second
REDIS_PAUSE_S = 5.0  # after a failure, leave Redis alone that long instead of waiting for its time-out again

_log = logging.getLogger(__name__)

# Redis's own clock, in microseconds, and the next free slot. A key that holds anything else counts as free.
_NOW_AND_SLOT = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local held = redis.call('GET', KEYS[1])
local slot = now
if held and #held < 18 and string.match(held, '^%d+$') then slot = math.max(now, tonumber(held)) end
local function keep(free)
  redis.call('SET', KEYS[1], string.format('%.0f', free), 'PX', math.ceil((free - now) / 1000) + 1000)
end
"""

# Takes the slot, which leaves the next one ARGV[1] later, unless it lies more than ARGV[2] from now.
_TAKE = f"""{_NOW_AND_SLOT}
if slot - now <= tonumber(ARGV[2]) then keep(slot + tonumber(ARGV[1])) end
return {{string.format('%.0f', slot), string.format('%.0f', now)}}
"""

# Moves the next free slot at least ARGV[1] away from now.
_WIDEN = f"{_NOW_AND_SLOT} keep(math.max(now + tonumber(ARGV[1]), slot))"


class Throttle:
    """Grants slots, first come first served. Thread-safe.

    The client should fail fast: short time-outs, no retries. Its errors are logged once per outage.
    """

    def __init__(
        self,
        redis_client: redis.Redis,
        prefix: str = "marquee:throttle:",
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._prefix, self._clock, self._sleep = prefix, clock, sleep
        self._take = redis_client.register_script(_TAKE)
        self._widen = redis_client.register_script(_WIDEN)
        self._lock = Lock()
        self._free: dict[
            str, float
        ] = {}  # what this process knows of each name's next slot, by its own clock
        self._redis_down = False
        self._redis_again_at = -math.inf

    def wait(self, name: str, rps: float, *, max_wait_s: float = 60) -> float:
        """Sleep until this name's next slot and return its time (seconds since the epoch, Redis's clock).

        Raises ValueError for an `rps` that is no pace, and ProviderRateLimited, taking no slot, when the next
        one is more than `max_wait_s` away.
        """
        if not (rps > 0 and math.isfinite(rps)):
            raise ValueError(f"requests per second must be a finite number above 0, not {rps!r}")
        slot, delay = self._next(name, SAFETY / rps, max_wait_s)
        if delay > max_wait_s:
            raise ProviderRateLimited(
                f"the next free slot is {delay:.0f} s away, more than {max_wait_s:.0f} s",
                provider=name,
                retry_after_s=delay,
            )
        if delay > 0:
            self._sleep(delay)
        return slot

    def widen(self, name: str, seconds: float) -> None:
        """Grant no slot of this name for so many seconds from now: the server asked for a pause."""
        if seconds > 0:
            self._remember(name, seconds)
            self._from_redis(self._widen, name, int(seconds * 1e6))

    def _next(self, name: str, interval: float, max_wait_s: float) -> tuple[float, float]:
        """The next slot's time and the seconds until then. It is taken if that is within `max_wait_s`."""
        granted = self._from_redis(self._take, name, int(interval * 1e6), int(max_wait_s * 1e6))
        if granted is None:
            delay = self._take_own(name, interval, max_wait_s)
            return time.time() + delay, delay
        slot, now = (int(microseconds) / 1e6 for microseconds in granted)
        if slot - now <= max_wait_s:
            self._remember(name, slot - now + interval)
        return slot, slot - now

    def _from_redis(self, script: Any, name: str, *args: int) -> Any:
        """What the script answers, None while Redis is away."""
        if self._clock() < self._redis_again_at:
            return None
        try:
            answer = script(keys=[self._prefix + name], args=args)
        except (redis.RedisError, OSError) as error:
            self._redis_again_at = self._clock() + REDIS_PAUSE_S
            if not self._redis_down:
                _log.warning("Redis is away (%s): each process now keeps its own pace", type(error).__name__)
            self._redis_down = True
            return None
        if self._redis_down:
            _log.info("Redis is back: the pace is shared again")
        self._redis_down = False
        return answer

    def _take_own(self, name: str, interval: float, max_wait_s: float) -> float:
        """Seconds until the next slot by this process's own count; taken unless it is too far away."""
        with self._lock:
            now = self._clock()
            slot = max(now, self._free.get(name, now))
            if slot - now <= max_wait_s:
                self._free[name] = slot + interval
            return slot - now

    def _remember(self, name: str, seconds: float) -> None:
        """Keep the spacing when Redis goes away in between."""
        with self._lock:
            self._free[name] = max(self._clock() + seconds, self._free.get(name, -math.inf))
