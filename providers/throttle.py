"""Requests per second, evenly spaced over all processes: Redis holds the next free slot of each name.

Waiting is all it does. It never fails because Redis does: then each process keeps the same pace by itself.
A server that says 429 is asked half as often, and then gradually more often again, by everybody.
"""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

import redis

from providers.errors import ProviderRateLimited

SAFETY = 1.05  # measured: with 5 % more than 1/rps never more than rps requests fall into any one second
REDIS_PAUSE_S = 5.0  # after a failure, leave Redis alone that long instead of waiting for its time-out again
RECOVERY_S = 300.0  # in which a pace grows by the whole of what is configured: a halved one is whole in half
LEAST_SHARE = 1 / 16  # of the configured pace that is kept whatever a server says
MAX_WAIT_S = 60.0

_log = logging.getLogger(__name__)

# Of each name, in microseconds of Redis's own clock. KEYS[1]: the next free slot. KEYS[2], there only for a
# while after a 429: the share of the configured pace (in millionths) that began with which slot, to grow from
# there, and until when nobody is to ask. What holds anything else counts as absent.
_STATE = f"""
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local slot, share, since, again = now, 1, 0, 0
local held = redis.call('GET', KEYS[1]) or ''
if #held < 18 and string.match(held, '^%d+$') then slot = math.max(now, tonumber(held)) end
local cut = redis.call('GET', KEYS[2]) or ''
if #cut < 48 and string.match(cut, '^%d+ %d+ %d+$') then
  local a, b, c = string.match(cut, '(%d+) (%d+) (%d+)')
  share, since, again = a / 1e6, tonumber(b), tonumber(c)
end
local function share_at(moment)
  local grown = share + math.max(0, moment - since) / {RECOVERY_S * 1e6:.0f}
  return math.min(1, math.max({LEAST_SHARE}, grown))
end
local function text(number) return string.format('%.0f', number) end
local function keep(free)
  redis.call('SET', KEYS[1], text(free), 'PX', math.ceil((free - now) / 1000) + 1000)
end
"""

# Takes the slot, which leaves the next one ARGV[1] later (at the whole pace), unless it lies more than
# ARGV[2] from now. One further away than anybody waits was left behind by a clock that was put back.
_TAKE = f"""{_STATE}
local furthest = math.max(again, now + {2 * MAX_WAIT_S * 1e6:.0f}) + ARGV[1] / {LEAST_SHARE}
if slot > furthest then slot = now end
if slot - now <= tonumber(ARGV[2]) then keep(slot + ARGV[1] / share_at(slot)) end
return {{text(slot), text(now), text(share_at(slot) * 1e6)}}
"""

# Moves the next free slot at least ARGV[1] away from now, and halves the share, unless the request that was
# turned away left (ARGV[2]) before the last halving took effect: then it says nothing of the pace since.
_SLOW_DOWN = f"""{_STATE}
local pause, sent = tonumber(ARGV[1]), tonumber(ARGV[2])
local news = sent >= since
if not news and pause == 0 then return end
share = news and math.max({LEAST_SHARE}, share_at(now) / 2) or share_at(now)
if pause > 0 then again = math.max(again, now + pause) end
slot = math.max(slot, now + pause)
keep(slot)
local cut = text(share * 1e6) .. ' ' .. text(slot) .. ' ' .. text(again)
redis.call('SET', KEYS[2], cut, 'PX', math.ceil((slot - now) / 1000) + {RECOVERY_S * 1e3:.0f})
"""

# Ends a pause and what is left of a halving; slots that somebody waits for stay theirs.
_FORGET = f"""{_STATE}
redis.call('DEL', KEYS[2])
if slot - now > {MAX_WAIT_S * 1e6:.0f} then redis.call('DEL', KEYS[1]) end
"""

_READ = f"""{_STATE}
return {{text(share_at(now) * 1e6), text(again), text(now)}}
"""


class Pace(NamedTuple):
    """How often a name is asked now: `share` of what is configured, and not at all for `paused_s` seconds."""

    share: float
    paused_s: float


@dataclass(slots=True)
class _Own:
    """What this process knows of a name by its own clock, for when Redis is away. As in the scripts above."""

    free: float = -math.inf
    share: float = 1.0
    since: float = -math.inf
    again: float = -math.inf

    def share_at(self, moment: float) -> float:
        grown = self.share + max(0.0, moment - self.since) / RECOVERY_S if self.share < 1 else 1.0
        return min(1.0, max(LEAST_SHARE, grown))

    def take(self, now: float, interval: float, max_wait_s: float) -> float:
        slot = max(now, self.free)
        if slot - now <= max_wait_s:
            self.free = slot + interval / self.share_at(slot)
        return slot

    def slow_down(self, now: float, pause: float, sent: float) -> None:
        news = sent >= self.since
        if not news and pause == 0:
            return
        self.share = max(LEAST_SHARE, self.share_at(now) / 2) if news else self.share_at(now)
        if pause > 0:
            self.again = max(self.again, now + pause)
        self.free = self.since = max(self.free, now + pause)

    def forget(self, now: float) -> None:
        kept = self.free if self.free - now <= MAX_WAIT_S else now
        self.free, self.share, self.since, self.again = kept, 1.0, -math.inf, -math.inf


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
        self._slow_down = redis_client.register_script(_SLOW_DOWN)
        self._forget = redis_client.register_script(_FORGET)
        self._read = redis_client.register_script(_READ)
        self._lock = Lock()
        self._own: defaultdict[str, _Own] = defaultdict(_Own)
        self._redis_down = False
        self._redis_again_at = -math.inf

    def wait(self, name: str, rps: float, *, max_wait_s: float = MAX_WAIT_S) -> float:
        """Sleep until this name's next slot and return its time, by the clock that granted it: Redis's
        (seconds since the epoch), or while that is away this process's own.

        Raises ValueError for an `rps` that is no pace, and ProviderRateLimited, taking no slot, when the next
        one is more than `max_wait_s` away.
        """
        if not 0 < rps < math.inf:
            raise ValueError(f"requests per second must be a finite number above 0, not {rps!r}")
        left_s = max_wait_s
        while True:
            slot, delay = self._next(name, SAFETY / rps, left_s)
            if delay > left_s:
                raise ProviderRateLimited(
                    f"the next free slot is {delay:.0f} s away, more than {left_s:.0f} s",
                    provider=name,
                    retry_after_s=delay,
                )
            if delay <= 0:
                return slot
            self._sleep(delay)
            left_s -= delay
            if self._standing(name)[1] <= slot:  # else somebody was told meanwhile to stay away
                return slot

    def slow_down(self, name: str, pause_s: float, *, sent: float) -> None:
        """The server turned a request away that `sent` (what `wait` returned) let go: grant no slot of this
        name for `pause_s` seconds, and from then on half as many, more and more again over RECOVERY_S.

        Requests that left before the last halving say nothing of the pace since, and halve it no further.
        """
        pause_s = max(pause_s, 0.0)
        with self._lock:
            self._own[name].slow_down(self._clock(), pause_s, sent)
        self._from_redis(self._slow_down, name, round(pause_s * 1e6), round(sent * 1e6))

    def forget(self, name: str) -> None:
        """Whatever servers have said of this name's pace counts no more: it is whole, and begins now."""
        with self._lock:
            self._own[name].forget(self._clock())
        self._from_redis(self._forget, name)

    def pace(self, name: str) -> Pace:
        """How this name's pace stands against what is configured."""
        share, again, now = self._standing(name)
        return Pace(share, max(0.0, again - now))

    def _standing(self, name: str) -> tuple[float, float, float]:
        """The share, until when nobody is to ask, and the time of the clock that says so."""
        told = self._from_redis(self._read, name)
        if told is not None:
            share, again, now = (int(millionths) / 1e6 for millionths in told)
            return share, again, now
        with self._lock:
            own, now = self._own[name], self._clock()
            return own.share_at(now), own.again, now

    def _next(self, name: str, interval: float, max_wait_s: float) -> tuple[float, float]:
        """The next slot's time and the seconds until then. It is taken if that is within `max_wait_s`."""
        granted = self._from_redis(self._take, name, round(interval * 1e6), round(max_wait_s * 1e6))
        with self._lock:
            own, now = self._own[name], self._clock()
            if granted is None:
                slot = own.take(now, interval, max_wait_s)
                return slot, slot - now
            slot, redis_now, share = (int(millionths) / 1e6 for millionths in granted)
            delay = slot - redis_now
            own.share, own.since = share, now + delay
            if delay <= max_wait_s:
                own.free = max(own.free, now + delay + interval / share)
            return slot, delay

    def _from_redis(self, script: Any, name: str, *args: int) -> Any:
        """What the script answers, None while Redis is away."""
        if self._clock() < self._redis_again_at:
            return None
        key = self._prefix + name
        try:
            answer = script(keys=[key, f"{key}:cut"], args=args)
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
