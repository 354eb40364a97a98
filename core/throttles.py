"""Requests per address and per account, counted in the shared cache, so over all processes.

Without Redis nothing is counted: an outage of the cache must not take the API down with it.
"""

from __future__ import annotations

import logging
from typing import Any

from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import AnonRateThrottle, ScopedRateThrottle, UserRateThrottle

logger = logging.getLogger(__name__)


class _FailsOpen:
    def allow_request(self, request: Request, view: Any) -> bool:
        try:
            allowed: bool = super().allow_request(request, view)  # type: ignore[misc]
        except RedisError as error:
            logger.warning("throttling is off, Redis does not answer: %s", error)
            return True
        return allowed


class PerAddress(_FailsOpen, AnonRateThrottle):
    """Anyone, by address."""


class PerAccount(_FailsOpen, UserRateThrottle):
    """Whoever is signed in, by account."""

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return super().get_cache_key(request, view) if request.user.is_authenticated else None


class Scoped(_FailsOpen, ScopedRateThrottle):
    """A view with a `throttle_scope` of its own, by address or account."""
