"""Asking the outside: search all providers, probe streams, reach TMDB.

Rows are read and written on the caller's thread; the pool's threads talk to the network and nothing else.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple, TypeVar

from django.conf import settings
from django.core.cache import cache as django_cache

from core import conf
from core.options import Options
from providers import health, sessions
from providers.adapters.library import Library
from providers.base import LicensedProvider
from providers.errors import ProviderError, ProviderPermanent
from providers.messages import Response
from providers.models import Provider
from providers.probe import probe as probe_url
from providers.redact import redact
from providers.registry import make_provider
from providers.tmdb import TmdbClient
from providers.types import Delivery, MovieRef, ProbeOutcome, ProbeResult, SearchAnswer

POOL = 8
_T = TypeVar("_T")
_R = TypeVar("_R")
_log = logging.getLogger(__name__)


class ProviderAnswer(NamedTuple):
    """What came of asking one provider: an answer, an error, or the reason why it was not asked.

    `duration_ms` is all the time it took us; `latency_ms` that on the wire, None when nothing was answered.
    """

    provider: Provider
    answer: SearchAnswer | None = None
    error: ProviderError | None = None
    skipped: str = ""
    duration_ms: int = 0
    latency_ms: int | None = None


class Target(NamedTuple):
    """A stream to be probed."""

    provider: Provider
    url: str
    delivery: str


def search_all(movie: MovieRef, *, at: datetime) -> list[ProviderAnswer]:
    """Ask every enabled provider for `movie`, all at once. A failure is an answer too, never emptiness."""
    providers, options = list(Provider.objects.filter(enabled=True)), conf.current()
    asked = [p for p in providers if health.may_be_asked(p, at)]
    answers = _in_parallel(lambda provider: _search(provider, movie, options), asked)
    for answer in answers:
        _note_search(answer, asked_at=at)
    return answers + [_not_asked(p) for p in providers if p not in asked]


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
        health.note(provider, partial(health.after_measurement, claimed=claimed, measured=measured))


def canonical_url(provider: Provider, url: str) -> str:
    """`url` as an identity (see LicensedProvider.canonical_url)."""
    return adapter_of(provider).canonical_url(url)


def adapter_of(provider: Provider) -> LicensedProvider:
    """The adapter, configured. Raises ProviderMisconfigured."""
    return make_provider(provider.adapter, provider.config, name=provider.slug)


def tmdb() -> TmdbClient:
    """The TMDB client, at the pace and with the retries that the settings say."""
    return TmdbClient(
        sessions.for_tmdb(conf.current()),
        base_url=settings.TMDB_BASE_URL,
        api_key=settings.TMDB_API_KEY,
        cache=django_cache,
    )


def ensure_library() -> Provider | None:
    """The provider `library` at LIBRARY_URL; made on first sight, moved when the address changes.

    A new address does not inherit the back-off of the old one. What an operator has set otherwise stays:
    above all, whether it is enabled.
    """
    if not settings.LIBRARY_URL:
        return None
    address = {"base_url": settings.LIBRARY_URL}
    made = {
        "label": Library.label,
        "adapter": Library.slug,
        "enabled": True,
        "priority": Library.default_priority,
        "config": address,
    }
    provider, _ = Provider.objects.get_or_create(slug=Library.slug, defaults=made)
    if provider.config.get("base_url") != settings.LIBRARY_URL:
        moved = {"config": {**provider.config, **address}, **health.NOT_BACKING_OFF}
        Provider.objects.filter(pk=provider.pk).update(**moved)
        provider.refresh_from_db()
    return provider


def _not_asked(provider: Provider) -> ProviderAnswer:
    return ProviderAnswer(provider, skipped=f"it backs off until {provider.backoff_until:%d %b %H:%M:%S %Z}")


def _search(provider: Provider, movie: MovieRef, options: Options) -> ProviderAnswer:
    started = time.monotonic()
    answer, failure = None, None
    responses: list[Response] = []
    try:
        adapter = adapter_of(provider)
        session = sessions.for_provider(provider, adapter, options)
        responses += adapter.ask(movie, session.send)
        answer = adapter.parse_search(movie, responses)
    except ProviderError as error:
        failure = error
    except Exception as bug:  # ours: the other providers' answers must not be lost with it
        failure = ProviderPermanent(_reported(bug, provider, "search"), provider=provider.slug)
    return ProviderAnswer(
        provider,
        answer,
        failure,
        duration_ms=int((time.monotonic() - started) * 1000),
        latency_ms=max((response.elapsed_ms for response in responses), default=None),
    )


def _probe(target: Target, options: Options) -> ProbeResult:
    provider = target.provider
    try:
        session = sessions.for_provider(provider, adapter_of(provider), options)
        return probe_url(target.url, Delivery(target.delivery), session)
    except ProviderError as error:
        evidence = str(error)
    except Exception as bug:  # ours: it says nothing of this stream, let alone of the others
        evidence = _reported(bug, provider, "probe")
    return ProbeResult(outcome=ProbeOutcome.INCONCLUSIVE, evidence=evidence[:500])


def _reported(bug: Exception, provider: Provider, work: str) -> str:
    """Log a mistake of ours with its traceback, the provider's settings masked; what to say of it."""
    secrets = map(str, provider.config.values()) if isinstance(provider.config, dict) else ()
    trace = redact("".join(traceback.format_exception(bug)), secrets)
    _log.error("%s: our own %s of it failed:\n%s", provider.slug, work, trace)
    return f"our own {work} of it failed ({type(bug).__name__}); the log says where"


def _note_search(answer: ProviderAnswer, *, asked_at: datetime) -> None:
    """A provider that was sent nothing, because the movie lacks what that takes, has proved nothing."""
    at = asked_at + timedelta(milliseconds=answer.duration_ms)
    error, latency_ms = answer.error, answer.latency_ms
    if error is not None:
        health.note(answer.provider, lambda row: health.after_failure(row, error, asked_at=asked_at, at=at))
    elif latency_ms is not None:
        health.note(
            answer.provider,
            lambda row: health.after_success(row, latency_ms=latency_ms, asked_at=asked_at, at=at),
        )


def _note_probe(target: Target, result: ProbeResult, at: datetime) -> None:
    """A probe tells of the provider only when it was the provider that failed."""
    if result.outcome in {ProbeOutcome.PROVIDER_DOWN, ProbeOutcome.THROTTLED}:
        trouble = health.after_trouble(result.evidence, at=at)
        health.note(target.provider, lambda row: trouble)


def _in_parallel(work: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    if not items:
        return []
    with ThreadPoolExecutor(max_workers=min(POOL, len(items)), thread_name_prefix="providers") as pool:
        return list(pool.map(work, items))
