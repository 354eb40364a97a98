"""What an answer, a failure or a probe says of its provider, written down: health, and the hour's counters.

Every word on a provider's health that asking it gives rise to passes here. Nothing here asks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from providers import health, hours
from providers.errors import ProviderError
from providers.health import Columns
from providers.models import Provider
from providers.types import UNPROVEN, ProbeOutcome, ProbeResult

OUTAGES = frozenset({ProbeOutcome.PROVIDER_DOWN, ProbeOutcome.THROTTLED})


def answered(provider: Provider, *, latency_ms: int, asked_at: datetime, at: datetime) -> None:
    """A search was answered, after so many milliseconds on the wire."""
    health.note(
        provider, lambda row: health.after_success(row, latency_ms=latency_ms, asked_at=asked_at, at=at)
    )
    hours.count(provider.slug, at, answered=1, latency_ms=latency_ms)


def failed(provider: Provider, error: ProviderError, *, asked_at: datetime, at: datetime) -> None:
    """A search was not answered, or not with what was asked for. A refused key is no outage, and counts."""
    health.note(provider, lambda row: health.after_failure(row, error, asked_at=asked_at, at=at))
    hours.count(provider.slug, at, failed=int(error.status is not None or health.is_outage(error)))


def not_sent(provider: Provider, *, asked_at: datetime) -> None:
    """There was nothing to send, because the movie lacks what that takes: it has proved nothing, but if it
    went ahead of others these need wait no longer."""
    if provider.trial_until is not None:
        health.note(provider, lambda row: health.after_no_question(row, asked_at=asked_at))


def measured(provider: Provider, *, claimed: int | None, measured: int | None, at: datetime) -> None:
    """Whether a claim proved true; where nothing can be compared, nothing is said."""
    if claimed is not None and measured is not None:
        health.note(provider, partial(health.after_measurement, claimed=claimed, measured=measured))
        hours.count(provider.slug, at, claims=1, claims_kept=int(measured >= claimed))


def probed(results: Iterable[tuple[Provider, ProbeResult]], *, at: datetime) -> None:
    """A probe speaks of the provider only when it was the provider that failed. The ladder and the success
    rate are of searches: a host that streams are on may be away while the provider answers."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for provider, result in results:
        if result.outcome in OUTAGES:
            health.note(provider, partial(_troubled, what=result.evidence, at=at))
        if result.outcome not in UNPROVEN:
            told[provider.slug].update(probes=1, probes_failed=int(result.outcome is not ProbeOutcome.OK))
    for slug, counted in told.items():
        hours.count(slug, at, **counted)


def _troubled(row: Provider, *, what: str, at: datetime) -> Columns:
    return health.after_trouble(what, at=at)
