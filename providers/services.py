"""Asking the outside: search all providers, probe streams, reach TMDB.

Rows are read and written on the caller's thread; the pool's threads talk to the network and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache, lru_cache
from typing import NamedTuple, TypeVar

import redis
from django.conf import settings
from django.core.cache import cache as django_cache

from core import conf
from core.options import Options
from providers import health
from providers.base import LicensedProvider
from providers.errors import ProviderError, ProviderPermanent
from providers.http import GuardedSession
from providers.models import Provider
from providers.probe import probe as probe_url
from providers.registry import make_provider
from providers.throttle import Throttle
from providers.tmdb import TmdbClient
from providers.types import Delivery, MovieRef, ProbeOutcome, ProbeResult, SearchAnswer

POOL = 8
_T = TypeVar("_T")
_R = TypeVar("_R")


class ProviderAnswer(NamedTuple):
    """What came of asking one provider: an answer, an error, or the reason why it was not asked."""

    provider: Provider
    answer: SearchAnswer | None = None
    error: ProviderError | None = None
    skipped: str = ""
    duration_ms: int = 0


class Target(NamedTuple):
    """A stream to be probed."""

    provider: Provider
    url: str
    delivery: str


def search_all(movie: MovieRef, *, at: datetime) -> list[ProviderAnswer]:
    """Ask every enabled provider for `movie`, all at once. A failure is an answer too, never emptiness."""
    options = conf.current()
    providers = list(Provider.objects.filter(enabled=True))
    waiting = [p for p in providers if not health.may_be_asked(p, at)]
    asked = [p for p in providers if health.may_be_asked(p, at)]
    answers = _in_parallel(lambda provider: _search(provider, movie, options), asked)
    for answer in answers:
        _note_search(answer, at)
    return answers + [ProviderAnswer(p, skipped=f"backing off until {p.backoff_until}") for p in waiting]


def probe_many(targets: Iterable[Target], *, at: datetime) -> list[ProbeResult]:
    """Probe streams side by side, each within its provider's pace; results in the order of `targets`."""
    options, wanted = conf.current(), list(targets)
    results = _in_parallel(lambda target: _probe(target, options), wanted)
    for target, result in zip(wanted, results, strict=True):
        _note_probe(target, result, at)
    return results


def probe(provider: Provider, url: str, delivery: str, *, at: datetime) -> ProbeResult:
    """Probe one stream."""
    return probe_many([Target(provider, url, delivery)], at=at)[0]


def note_honesty(provider: Provider, *, claimed: int | None, measured: int | None) -> None:
    """Remember whether a provider's claim proved true; where nothing can be compared, nothing is said."""
    if claimed is not None and measured is not None:
        health.note(provider, health.after_measurement(provider, claimed=claimed, measured=measured))


def canonical_url(provider: Provider, url: str) -> str:
    """`url` as an identity (see LicensedProvider.canonical_url)."""
    return adapter_of(provider).canonical_url(url)


def adapter_of(provider: Provider) -> LicensedProvider:
    """The adapter, configured. Raises ProviderMisconfigured."""
    return make_provider(provider.adapter, provider.config, name=provider.slug)


def tmdb() -> TmdbClient:
    """The TMDB client, at the pace and with the retries that the settings say."""
    options = conf.current()
    session = _session("tmdb", None, options.max_retry_attempts, options.tmdb_rate_limit_rps, ())
    return TmdbClient(
        session, base_url=settings.TMDB_BASE_URL, api_key=settings.TMDB_API_KEY, cache=django_cache
    )


def ensure_library() -> Provider | None:
    """The provider `library` at LIBRARY_URL; made on first sight, moved when the address changes.

    What an operator has set on it otherwise stays: above all, whether it is enabled.
    """
    if not settings.LIBRARY_URL:
        return None
    provider, created = Provider.objects.get_or_create(
        slug="library",
        defaults={
            "label": "Library",
            "adapter": "library",
            "enabled": True,
            "priority": 10,
            "config": {"base_url": settings.LIBRARY_URL},
        },
    )
    if not created and provider.config.get("base_url") != settings.LIBRARY_URL:
        provider.config = {**provider.config, "base_url": settings.LIBRARY_URL}
        provider.save(update_fields=["config"])
    return provider


def session_for(provider: Provider, options: Options) -> GuardedSession:
    """The pooled, guarded, paced session of one provider."""
    hosts = tuple(provider.allowed_hosts) or None
    rps = provider.rate_limit_rps or options.rate_limit_rps
    secrets = _secrets(adapter_of(provider))
    return _session(provider.slug, hosts, options.max_retry_attempts, rps, secrets)


def _secrets(adapter: LicensedProvider) -> tuple[str, ...]:
    return tuple(str(adapter.config[f.name]) for f in adapter.config_fields if f.secret)


def _search(provider: Provider, movie: MovieRef, options: Options) -> ProviderAnswer:
    started = time.monotonic()
    answer, failure = None, None
    try:
        adapter, session = adapter_of(provider), session_for(provider, options)
        responses = [session.send(request) for request in adapter.build_search(movie)]
        answer = adapter.parse_search(movie, responses)
    except ProviderError as error:
        failure = error
    elapsed = int((time.monotonic() - started) * 1000)
    return ProviderAnswer(provider, answer, failure, duration_ms=elapsed)


def _probe(target: Target, options: Options) -> ProbeResult:
    try:
        session = session_for(target.provider, options)
    except ProviderError as error:
        return ProbeResult(outcome=ProbeOutcome.INCONCLUSIVE, evidence=str(error)[:500])
    return probe_url(target.url, Delivery(target.delivery), session)


def _note_search(answer: ProviderAnswer, at: datetime) -> None:
    if answer.error is None:
        columns = health.after_success(answer.provider, latency_ms=answer.duration_ms, at=at)
    elif isinstance(answer.error, ProviderPermanent) or health.blames_us(answer.error):
        columns = {"last_error": str(answer.error)[:500], "last_error_at": at}
    else:
        columns = health.after_failure(answer.provider, answer.error, at=at)
    health.note(answer.provider, columns)


def _note_probe(target: Target, result: ProbeResult, at: datetime) -> None:
    """A probe tells of the provider only when it was the provider that failed."""
    if result.outcome in {ProbeOutcome.PROVIDER_DOWN, ProbeOutcome.THROTTLED}:
        health.note(target.provider, {"last_error": result.evidence[:500], "last_error_at": at})


@lru_cache(maxsize=64)
def _session(
    name: str, hosts: tuple[str, ...] | None, max_retries: int, rps: float, secrets: tuple[str, ...]
) -> GuardedSession:
    """One session per provider and setting; a changed setting makes a new one, the old one falls away."""
    throttle = _throttle()

    def wait() -> None:
        throttle.wait(name, rps)

    return GuardedSession(
        provider=name,
        trusted_origins=settings.HTTP_TRUSTED_ORIGINS,
        allowed_hosts=hosts,
        max_retries=max_retries,
        before_send=wait,
        on_rate_limited=lambda seconds: throttle.widen(name, seconds),
        secrets=secrets,
    )


@cache
def _throttle() -> Throttle:
    return Throttle(redis.Redis.from_url(settings.REDIS_URL, **settings.REDIS_LIMITS))


def _in_parallel(work: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    if not items:
        return []
    with ThreadPoolExecutor(max_workers=min(POOL, len(items)), thread_name_prefix="providers") as pool:
        return list(pool.map(work, items))
