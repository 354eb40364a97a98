"""Requests per address and per account, counted in the shared cache, so over all processes.

Counted by atomic increments: a hundred guesses sent at once are a hundred. Without Redis each process counts
for itself: an outage of the cache takes neither the API down nor the guard off the login.
"""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from django.core.cache import caches
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

logger = logging.getLogger(__name__)

REDIS_PAUSE_S = 5.0
"""After a failure Redis is left alone that long, instead of every request waiting for its time-out."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Counter:
    """Counts in the shared cache, or in the process while that is away."""

    def __init__(self) -> None:
        self.away_until = 0.0

    def add(self, key: str, *, for_s: int) -> int:
        """One more of `key`; how many there were within the last `for_s` seconds, this one included."""
        if time.monotonic() >= self.away_until:
            try:
                return _increment("default", key, for_s)
            except RedisError as error:
                self.away_until = time.monotonic() + REDIS_PAUSE_S
                logger.warning("each process throttles for itself, Redis does not answer: %s", error)
        return _increment("process", key, for_s)


counter = Counter()


class _Window(ABC, BaseThrottle):
    """So many requests of one `scope` per identity and window of time (DEFAULT_THROTTLE_RATES)."""

    scope = ""

    @abstractmethod
    def identities(self, request: Request) -> list[str]:
        """Whom to count the request for. All of them have to be within the limit."""

    def allow_request(self, request: Request, view: Any) -> bool:
        number, _, period = str((api_settings.DEFAULT_THROTTLE_RATES or {})[self.scope]).partition("/")
        length = _SECONDS[period[0]]
        window, passed = divmod(time.time(), length)
        self.left_s = length - passed
        keys = [f"throttle:{self.scope}:{who}:{window:.0f}" for who in self.identities(request)]
        counts = [counter.add(key, for_s=length) for key in keys]
        return max(counts, default=0) <= int(number)

    def wait(self) -> float:
        return self.left_s


class PerAddress(_Window):
    """Anyone, by address."""

    scope = "anon"

    def identities(self, request: Request) -> list[str]:
        return [] if request.user.is_authenticated else [address_of(request)]


class PerAccount(_Window):
    """Whoever is signed in, by account."""

    scope = "user"

    def identities(self, request: Request) -> list[str]:
        return [str(request.user.pk)] if request.user.is_authenticated else []


class Scoped(_Window):
    """A view with a `throttle_scope` of its own, by account, else by address."""

    def allow_request(self, request: Request, view: Any) -> bool:
        self.scope = view.throttle_scope
        return super().allow_request(request, view)

    def identities(self, request: Request) -> list[str]:
        return [str(request.user.pk) if request.user.is_authenticated else address_of(request)]


class PerLogin(_Window):
    """Attempts to sign in: by address, and by the account that is tried, from wherever."""

    scope = "login"

    def identities(self, request: Request) -> list[str]:
        data = request.data
        name = data.get("username") if isinstance(data, Mapping) else None
        account = hashlib.sha256(str(name).strip().casefold().encode()).hexdigest()[:32]
        return [address_of(request), f"account-{account}"]


def address_of(request: Request) -> str:
    """The peer, or whom a trusted proxy says it speaks for: the web server sees to that, no header here.

    Of IPv6 the network: whoever has one address there has 2^64.
    """
    text = str(request.META.get("REMOTE_ADDR") or "")
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


def _increment(alias: str, key: str, for_s: int) -> int:
    cache = caches[alias]
    cache.add(key, 0, timeout=for_s + 60)
    try:
        return int(cache.incr(key))
    except ValueError:  # evicted in between
        return 1
