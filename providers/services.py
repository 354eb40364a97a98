"""Asking the outside: search all providers, probe streams, reach TMDB.

Rows are read and written on the caller's thread; those of `calls` talk to the network and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache as django_cache

from core import conf
from providers import health, noting, sessions
from providers.adapters.library import Library
from providers.calls import ProviderAnswer, Search, Target, probing, sessions_by
from providers.models import Provider
from providers.readiness import adapter_of
from providers.registry import ADAPTERS
from providers.tmdb import TmdbClient
from providers.types import MovieRef, ProbeResult

__all__ = ["ProviderAnswer", "Target"]


def search_all(movie: MovieRef, *, at: datetime) -> list[ProviderAnswer]:
    """Ask every enabled provider for `movie`, all at once. A failure is an answer too, never emptiness.

    Each has a deadline of its own, all requests, retries and waiting included; nobody waits for it longer.
    """
    providers, options = list(Provider.objects.filter(enabled=True)), conf.current()
    asked = [p for p in providers if health.admit(p, at)]
    searches = [Search(provider, movie, options) for provider in asked]
    answers = [search.answer() for search in searches]
    for answer in answers:
        _note_search(answer, asked_at=at)
    return answers + [_not_asked(p, at) for p in providers if p not in asked]


def probe_many(targets: Iterable[Target], *, at: datetime) -> list[ProbeResult]:
    """Probe streams side by side, each within its provider's pace; results in the order of `targets`."""
    options, wanted = conf.current(), list(targets)
    session_of = sessions_by(options)
    probes = [probing(target, options, session_of) for target in wanted]
    results = [probe.result() for probe in probes]
    noting.probed(((t.provider, result) for t, result in zip(wanted, results, strict=True)), at=at)
    return results


def probe(provider: Provider, url: str, delivery: str, *, at: datetime) -> ProbeResult:
    """Probe one stream."""
    return probe_many([Target(provider, url, delivery)], at=at)[0]


def identity_of(provider: Provider) -> Callable[[str], str]:
    """What makes an identity of a URL of this provider (see LicensedProvider.canonical_url).

    Raises ProviderMisconfigured.
    """
    return adapter_of(provider).canonical_url


def reset(provider: Provider) -> None:
    """An operator's word: ask it again at once, whatever it has said or done, and blame it for nothing."""
    health.forgive(provider)
    sessions.forget_pace(provider.pk)


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


def ensure_licensed() -> list[Provider]:
    """One provider, off, of each adapter that wants a licence: an operator sees there what is still owed.

    What he has made of it stays. Named as its adapter is, so that doing this again finds it.
    """
    return [
        Provider.objects.get_or_create(
            slug=adapter.slug,
            defaults={
                "label": adapter.label,
                "adapter": adapter.slug,
                "priority": adapter.default_priority,
            },
        )[0]
        for adapter in ADAPTERS.values()
        if adapter.needs_licence_note
    ]


def _not_asked(provider: Provider, at: datetime) -> ProviderAnswer:
    if provider.backoff_until is not None and provider.backoff_until > at:
        return ProviderAnswer(
            provider, skipped=f"it backs off until {provider.backoff_until:%d %b %H:%M:%S %Z}"
        )
    return ProviderAnswer(provider, skipped="another search is finding out whether it is back")


def _note_search(answer: ProviderAnswer, *, asked_at: datetime) -> None:
    at = asked_at + timedelta(milliseconds=answer.duration_ms)
    if answer.error is not None:
        noting.failed(answer.provider, answer.error, asked_at=asked_at, at=at)
    elif answer.latency_ms is not None:
        noting.answered(answer.provider, latency_ms=answer.latency_ms, asked_at=asked_at, at=at)
    else:
        noting.not_sent(answer.provider, asked_at=asked_at)
