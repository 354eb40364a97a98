"""Requests per address and per account, counted in the shared cache, so over all processes.

Counted by atomic increments: a hundred guesses sent at once are a hundred. Without Redis each process counts
for itself: an outage of the cache takes neither the API down nor the guard off the login.

Views of DRF's count by their `throttle_classes`, once they know the account; `Throttle` counts all the rest.
"""

from __future__ import annotations

import hashlib
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from django.core.cache import BaseCache, caches
from django.http import HttpRequest, HttpResponseBase
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from core import answers
from core.addresses import address_of
from core.names import fold

logger = logging.getLogger(__name__)

REDIS_PAUSE_S = 5.0
"""After a failure Redis is left alone that long, instead of every request waiting for its time-out."""
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


Answer = TypeVar("Answer")


class Counter:
    """Counts in the shared cache, or in the process while that is away."""

    def __init__(self) -> None:
        self.away_until = 0.0

    def add(self, key: str, *, for_s: int) -> int:
        """One more of `key`; how many there were within the last `for_s` seconds, this one included."""
        return self._asked(lambda cache: _increment(cache, key, for_s))

    def note(self, key: str, value: float, *, for_s: int, once: bool = False) -> bool:
        """Keep a value for so long. With `once`, only if there is none; whether it was kept."""
        if once:
            return self._asked(lambda cache: bool(cache.add(key, value, timeout=for_s)))
        self._asked(lambda cache: cache.set(key, value, timeout=for_s))
        return True

    def read(self, key: str) -> float | None:
        """What was noted, or None."""
        value: float | None = self._asked(lambda cache: cache.get(key))
        return value

    def forget(self, *keys: str) -> None:
        self._asked(lambda cache: cache.delete_many(keys))

    def _asked(self, ask: Callable[[BaseCache], Answer]) -> Answer:
        if time.monotonic() >= self.away_until:
            try:
                return ask(caches["default"])
            except RedisError as error:
                self.away_until = time.monotonic() + REDIS_PAUSE_S
                logger.warning("each process throttles for itself, Redis does not answer: %s", error)
        return ask(caches["process"])


counter = Counter()


def count(scope: str, identities: Iterable[str]) -> float | None:
    """One request more of each of them; the seconds that are left to wait if that is too many for one."""
    number, _, period = str((api_settings.DEFAULT_THROTTLE_RATES or {})[scope]).partition("/")
    length = _SECONDS[period[0]]
    window, passed = divmod(time.time(), length)
    counts = [counter.add(f"throttle:{scope}:{who}:{window:.0f}", for_s=length) for who in identities]
    return length - passed if max(counts, default=0) > int(number) else None


class _Window(ABC, BaseThrottle):
    """So many requests of one `scope` per identity and window of time (DEFAULT_THROTTLE_RATES)."""

    scope = ""

    @abstractmethod
    def identities(self, request: Request) -> list[str]:
        """Whom to count the request for. All of them have to be within the limit."""

    def allow_request(self, request: Request, view: Any) -> bool:
        _mark_counted(request._request)
        self.left_s = count(self.scope, self.identities(request))
        return self.left_s is None

    def wait(self) -> float | None:
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
        account = hashlib.sha256(fold(str(name)).encode()).hexdigest()[:32]
        return [address_of(request), f"account-{account}"]


class Throttle:
    """Middleware: whatever no view of DRF's has counted, counts here: by account, else by address.

    That is pages and the admin, before they do anything; and, once it is known, what came to no view or was
    turned away before its view could count: unknown paths, bad tokens, forms without their CSRF token. A view
    whose class says `throttle_classes = []` is not counted at all.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        return response if _is_counted(request) else _refusal(request) or response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        of_drf = getattr(view, "cls", None)
        kind = of_drf or getattr(view, "view_class", None)
        if getattr(kind, "throttle_classes", None) == []:
            _mark_counted(request)
        return None if of_drf or _is_counted(request) else _refusal(request)


def _refusal(request: HttpRequest) -> HttpResponseBase | None:
    """Counts the request; 429 if it is one too many."""
    _mark_counted(request)
    who = request.user
    left_s = count("user", [str(who.pk)]) if who.is_authenticated else count("anon", [address_of(request)])
    if left_s is None:
        return None
    seconds = math.ceil(left_s)
    response = answers.response(request, 429, f"Too many requests. Please try again in {seconds} s.")
    response["Retry-After"] = str(seconds)
    return response


def _mark_counted(request: HttpRequest) -> None:
    request.META["marquee.counted"] = True


def _is_counted(request: HttpRequest) -> bool:
    return "marquee.counted" in request.META


def _increment(cache: BaseCache, key: str, for_s: int) -> int:
    cache.add(key, 0, timeout=for_s + 60)
    try:
        return int(cache.incr(key))
    except ValueError:  # evicted in between
        return 1
