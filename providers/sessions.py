"""The sessions that requests leave through: one per provider, pooled, guarded, and paced over all processes.

Nothing is sent here, and no row is read. A changed setting makes a new session with the next question.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from urllib.parse import urlsplit

import redis
from django.conf import settings

from core.options import Options
from providers import transport
from providers.base import Capability, LicensedProvider
from providers.errors import ProviderMisconfigured
from providers.http import GuardedSession
from providers.models import Provider
from providers.options import ConfigKind
from providers.throttle import MAX_WAIT_S, Pace, Throttle

TMDB = "tmdb"
"""The name under which TMDB's pace is kept: no provider may have it."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class _Terms:
    """All that a session depends on. Without a repr, because it holds secrets."""

    name: str
    hosts: tuple[str, ...] | None
    max_retries: int
    rps: float
    secrets: tuple[str, ...]
    trusted_origins: tuple[str, ...]
    redis_url: str


@dataclass(frozen=True, slots=True)
class _Paced:
    """The shared pace of one name; nobody waits for it longer than his deadline."""

    throttle: Throttle
    name: str
    rps: float

    def wait(self) -> float:
        allowed_s = min(MAX_WAIT_S, max(transport.left_s(), 0.0))
        return self.throttle.wait(self.name, self.rps, max_wait_s=allowed_s)

    def slow_down(self, pause_s: float, *, sent: float) -> None:
        self.throttle.slow_down(self.name, pause_s, sent=sent)


_sessions: dict[str, tuple[_Terms, GuardedSession]] = {}
_lock = Lock()


def for_provider(provider: Provider, adapter: LicensedProvider, options: Options) -> GuardedSession:
    """The session of one configured provider. Raises ProviderMisconfigured when its pace is none."""
    rps = rps_of(provider, options)
    secrets = tuple(str(adapter.config[field.name]) for field in adapter.config_fields if field.secret)
    return _session(provider.slug, _hosts(provider, adapter), rps, secrets, options)


def rps_of(provider: Provider, options: Options) -> float:
    """Requests per second that are configured. Raises ProviderMisconfigured when they are no pace."""
    rps = options.rate_limit_rps if provider.rate_limit_rps is None else provider.rate_limit_rps
    if not 0 < rps < math.inf:
        raise ProviderMisconfigured(
            f"requests per second must be a finite number above 0, not {rps:g}", provider=provider.slug
        )
    return rps


def pace_of(name: str) -> Pace:
    """How the pace of a provider, or of "tmdb", stands against what is configured, over all processes."""
    return _throttle(settings.REDIS_URL).pace(name)


def forget_pace(name: str) -> None:
    """End the pause that a server asked for, and the slower pace since: for all processes."""
    _throttle(settings.REDIS_URL).forget(name)


def for_tmdb(options: Options) -> GuardedSession:
    """TMDB's session."""
    return _session(TMDB, None, options.tmdb_rate_limit_rps, (settings.TMDB_API_KEY,), options)


def _hosts(provider: Provider, adapter: LicensedProvider) -> tuple[str, ...] | None:
    """The hosts of its streams, and of the addresses that the operator entered; None for any.

    Embed pages are on hosts that the operator has named, and on no others.
    """
    if not provider.allowed_hosts and Capability.EMBED not in adapter.capabilities:
        return None
    entered = (adapter.config[field.name] for field in adapter.config_fields if field.kind is ConfigKind.URL)
    own = (urlsplit(str(url)).hostname for url in entered)
    return (*provider.allowed_hosts, *(host for host in own if host))


def _session(
    name: str, hosts: tuple[str, ...] | None, rps: float, secrets: tuple[str, ...], options: Options
) -> GuardedSession:
    """The session of this name, a new one if its terms have changed.

    The old one is not closed here, as others may be reading from it: it closes when the last of them lets go.
    """
    terms = _Terms(
        name=name,
        hosts=hosts,
        max_retries=options.max_retry_attempts,
        rps=rps,
        secrets=secrets,
        trusted_origins=tuple(settings.HTTP_TRUSTED_ORIGINS),
        redis_url=settings.REDIS_URL,
    )
    with _lock:
        known = _sessions.get(name)
        if known is None or known[0] != terms:
            _sessions[name] = known = (terms, _opened(terms))
        return known[1]


def _opened(terms: _Terms) -> GuardedSession:
    return GuardedSession(
        provider=terms.name,
        trusted_origins=terms.trusted_origins,
        allowed_hosts=terms.hosts,
        max_retries=terms.max_retries,
        pace=_Paced(_throttle(terms.redis_url), terms.name, terms.rps),
        secrets=terms.secrets,
    )


@lru_cache(maxsize=1)
def _throttle(redis_url: str) -> Throttle:
    return Throttle(redis.Redis.from_url(redis_url, **settings.REDIS_LIMITS))
