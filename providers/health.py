"""How a provider has been doing: the back-off ladder, its reliability, and blame. Nothing here asks anybody.

A provider that backs off is not searched; its streams stay where they are, and are probed as ever: they are
what viewers look at. Once the pause is over one search goes ahead of all others (`admit`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from providers.errors import (
    ProviderError,
    ProviderMisconfigured,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderTransient,
)
from providers.models import Provider

Columns = dict[str, Any]

LADDER = tuple(
    timedelta(seconds=seconds)
    for seconds in (0, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
)
FIRST_RUNG, TOP_RUNG = 1, len(LADDER) - 1
NOT_BACKING_OFF: Columns = {"backoff_rung": 0, "backoff_until": None, "trial_until": None}
NOT_BLAMED: Columns = {"blamed_at": None, "blame": ""}
TRIAL = timedelta(minutes=3)
"""How long the one search after a back-off is waited for: longer than one takes. Its asker may have died."""
WEIGHT = 0.04
"""Of the newest observation in an exponentially weighted mean: half of the weight lies on the last 17."""
TRIES = 50

_log = logging.getLogger(__name__)


def after_success(provider: Provider, *, latency_ms: int, asked_at: datetime, at: datetime) -> Columns:
    """The columns that change when it answered: one rung down, unless a back-off began since it was asked."""
    first = provider.last_ok_at is None
    columns: Columns = {
        "success_rate": _towards(provider.success_rate, 1.0),
        "latency_ms": float(latency_ms) if first else _towards(provider.latency_ms, latency_ms),
        "last_ok_at": at,
    }
    if not _overtaken(provider, asked_at):
        columns |= NOT_BACKING_OFF | {"backoff_rung": max(provider.backoff_rung - 1, 0)}
    return columns


def after_failure(provider: Provider, error: ProviderError, *, asked_at: datetime, at: datetime) -> Columns:
    """The columns that change when it failed: one rung up, and at least to the one that covers what a 429
    asked for. `at` is when it failed: the pause begins then."""
    trouble = after_trouble(str(error), at=at) | after_no_question(provider, asked_at=asked_at)
    if not is_outage(error):
        return trouble
    rung, success_rate = provider.backoff_rung, provider.success_rate
    if _is_news(provider, error, asked_at):
        rung, success_rate = min(rung + 1, TOP_RUNG), _towards(success_rate, 0.0)
    if isinstance(error, ProviderRateLimited) and error.retry_after_s:
        rung = max(rung, _rung_covering(timedelta(seconds=error.retry_after_s)))
    until = max(at + LADDER[rung], provider.backoff_until or at)
    return {"backoff_rung": rung, "backoff_until": until, "success_rate": success_rate, **trouble}


def after_no_question(provider: Provider, *, asked_at: datetime) -> Columns:
    """The columns that change when nothing was learnt: the next may find out whether it is back."""
    return {"trial_until": provider.trial_until if _overtaken(provider, asked_at) else None}


def after_trouble(what: str, *, at: datetime) -> Columns:
    """The columns that tell an operator what went wrong, and say nothing of how reliable it is."""
    return {"last_error": what[:500], "last_error_at": at}


def after_measurement(provider: Provider, *, claimed: int, measured: int) -> Columns:
    """The columns that change when a claim could be checked: did it keep its word?"""
    return {"honesty": _towards(provider.honesty, 1.0 if measured >= claimed else 0.0)}


def after_blame(provider: Provider, *, why: str, at: datetime) -> Columns:
    """The columns that change when its streams failed together. It stays blamed since it first was."""
    return {"blamed_at": provider.blamed_at or at, "blame": why[:500]}


def may_be_asked(provider: Provider, at: datetime) -> bool:
    """Whether it is enabled, not backing off, and nobody else is finding out whether it is back."""
    return provider.enabled and asked_again_at(provider, at) <= at


def asked_again_at(provider: Provider, at: datetime) -> datetime:
    """From when on it may be asked, for all that is known at `at`."""
    return max(provider.backoff_until or at, provider.trial_until or at, at)


def admit(provider: Provider, at: datetime) -> bool:
    """Whether this caller may ask now. After a back-off that is one of all processes, which changes the row;
    the others wait until it has noted what came of it, or TRIAL has passed."""
    if not may_be_asked(provider, at) or provider.backoff_until is None:
        return may_be_asked(provider, at)
    as_read = {"backoff_until": provider.backoff_until, "trial_until": provider.trial_until}
    trial_until = at + TRIAL
    won = Provider.objects.filter(pk=provider.pk, **as_read).update(trial_until=trial_until) == 1
    provider.trial_until = trial_until
    return won


def is_blamed(slug: str) -> bool:
    """Whether its streams' failures are held against it at this moment, and not against them."""
    return Provider.objects.filter(pk=slug, blamed_at__isnull=False).exists()


def forgive(provider: Provider) -> None:
    """At the foot of the ladder, and blamed for nothing."""
    note(provider, lambda row: NOT_BACKING_OFF | NOT_BLAMED)


class State(StrEnum):
    """How a provider stands, in a word. On trial: its pause is over, and one search is to go ahead.

    Failing: it is asked as ever, and the newest that was heard of it is an error, such as a refused key.
    """

    OFF = "off"
    BLAMED = "blamed"
    BACKING_OFF = "backing_off"
    ON_TRIAL = "on_trial"
    FAILING = "failing"
    ON = "on"


def state(provider: Provider, at: datetime) -> State:
    """The worst that is to be said of it at `at`."""
    if not provider.enabled:
        return State.OFF
    if provider.blamed_at is not None:
        return State.BLAMED
    if provider.backoff_until is None:
        return State.FAILING if _heard_an_error(provider) else State.ON
    return State.BACKING_OFF if provider.backoff_until > at else State.ON_TRIAL


def _heard_an_error(provider: Provider) -> bool:
    failed, answered = provider.last_error_at, provider.last_ok_at
    return failed is not None and (answered is None or failed > answered)


def is_outage(error: ProviderError) -> bool:
    """Whether it is the provider's failing, and time may mend it: only then is the ladder climbed.

    Settings and refused requests are the operator's turn; a limit without a status is our own throttle's.
    """
    if isinstance(error, ProviderRateLimited):
        return error.status is not None
    return not isinstance(error, ProviderMisconfigured | ProviderPermanent)


def note(provider: Provider, change: Callable[[Provider], Columns]) -> None:
    """Write what `change` makes of the row as it is now, and keep `provider` in step for its holder.

    Other workers note the same provider: a row that has changed in between is read and judged again.
    """
    for _ in range(TRIES):
        row = Provider.objects.filter(pk=provider.pk).first()
        if row is None:
            return  # deleted while it was asked: nobody is left to be described
        columns = change(row)
        seen = {name: getattr(row, name) for name in columns}
        if Provider.objects.filter(pk=row.pk, **seen).update(**columns):
            for name, value in columns.items():
                setattr(provider, name, value)
            return
    _log.warning("%s: its health was changed %d times while it was noted; this is lost", provider.pk, TRIES)


def _is_news(provider: Provider, error: ProviderError, asked_at: datetime) -> bool:
    """Whether a failure says more than is known: questions under way together meet one and the same outage,
    and a host that cannot be reached, which may be our own line, never leads past the first rung."""
    unreachable = isinstance(error, ProviderTransient) and error.unreachable
    return not _overtaken(provider, asked_at) and not (unreachable and provider.backoff_rung >= FIRST_RUNG)


def _overtaken(provider: Provider, asked_at: datetime) -> bool:
    """Whether a back-off began after the question was asked: nobody is asked during one."""
    return provider.backoff_until is not None and provider.backoff_until > asked_at


def _rung_covering(pause: timedelta) -> int:
    return next((rung for rung, step in enumerate(LADDER) if step >= pause), TOP_RUNG)


def _towards(mean: float, observed: float) -> float:
    return mean + WEIGHT * (observed - mean)
