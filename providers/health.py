"""How a provider has been doing: the back-off ladder and its reliability, as numbers. Pure but for `note`.

A provider that backs off is not asked; its streams stay where they are.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from providers.errors import ProviderError, ProviderMisconfigured, ProviderRateLimited, ProviderTransient
from providers.models import Provider

LADDER = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
)
WEIGHT = 0.1
"""Of the newest observation in an exponentially weighted mean."""


def after_success(provider: Provider, *, latency_ms: int, at: datetime) -> dict[str, Any]:
    """The columns that change when it answered: one rung down."""
    return {
        "backoff_rung": max(provider.backoff_rung - 1, 0),
        "backoff_until": None,
        "success_rate": _towards(provider.success_rate, 1.0),
        "latency_ms": _towards(provider.latency_ms, latency_ms) if provider.last_ok_at else float(latency_ms),
        "last_ok_at": at,
    }


def after_failure(provider: Provider, error: ProviderError, *, at: datetime) -> dict[str, Any]:
    """The columns that change when it failed: one rung up, but a host that cannot be reached (which may be
    our own line) never climbs past the first, and a 429 goes to the rung that covers what it asked for."""
    rung = min(provider.backoff_rung + 1, len(LADDER) - 1)
    if isinstance(error, ProviderTransient) and error.unreachable:
        rung = max(1, min(provider.backoff_rung, 1))
    if isinstance(error, ProviderRateLimited) and error.retry_after_s:
        rung = max(rung, _rung_covering(timedelta(seconds=error.retry_after_s)))
    return {
        "backoff_rung": rung,
        "backoff_until": at + LADDER[rung],
        "success_rate": _towards(provider.success_rate, 0.0),
        "last_error": str(error)[:500],
        "last_error_at": at,
    }


def after_measurement(provider: Provider, *, claimed: int, measured: int) -> dict[str, Any]:
    """The columns that change when a claim could be checked: did it keep its word?"""
    return {"honesty": _towards(provider.honesty, 1.0 if measured >= claimed else 0.0)}


def may_be_asked(provider: Provider, at: datetime) -> bool:
    """Whether it is enabled and not backing off."""
    return provider.enabled and (provider.backoff_until is None or provider.backoff_until <= at)


def note(provider: Provider, columns: dict[str, Any]) -> None:
    """Write what happened, and keep `provider` in step, for whoever goes on using it."""
    Provider.objects.filter(pk=provider.pk).update(**columns)
    for name, value in columns.items():
        setattr(provider, name, value)


def blames_us(error: ProviderError) -> bool:
    """Whether no waiting mends it: then it is the operator's turn, and the ladder is not climbed."""
    return isinstance(error, ProviderMisconfigured)


def _rung_covering(pause: timedelta) -> int:
    return next((rung for rung, step in enumerate(LADDER) if step >= pause), len(LADDER) - 1)


def _towards(mean: float, observed: float) -> float:
    return round(mean + WEIGHT * (observed - mean), 4)
