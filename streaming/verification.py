"""What a probe's result makes of a stream: state, strikes, measured quality, when to look again.

`columns_after` is pure. `record` writes what it says; it decides nothing: the caller asks
`switching.reconsider` when a verdict struck.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Any, NamedTuple

from django.db.models import Q

from providers.types import STRIKES, ProbeOutcome, ProbeResult
from streaming import switching
from streaming.models import StreamVersion
from streaming.quality import Quality
from streaming.standing import with_columns

State = StreamVersion.State

SECOND_STRIKE_AFTER = timedelta(minutes=2)
ROUTINE = timedelta(hours=12)
JITTER = 0.1
"""Of ROUTINE, more or less: streams that were probed together come due over more than two hours. What comes
sooner needs none: a sweep takes few at a time, and waits for their provider's pace."""
AFTER_OUTAGE = timedelta(minutes=15)
JUST_PROBED = timedelta(minutes=2)
STRIKES_TO_BREAK = 2
HELD = "held against its provider"
"""What the evidence begins with of a strike that was not counted, because the provider was blamed."""


class Verdict(NamedTuple):
    """What a probe did to a version: `struck` if it spoke against it, `broke` if that was once too often."""

    version: StreamVersion
    struck: bool
    broke: bool


def columns_after(version: StreamVersion, result: ProbeResult, at: datetime) -> dict[str, Any]:
    """The columns that change. Only `ok` and strikes say anything about the stream itself."""
    seen: dict[str, Any] = {
        "last_outcome": result.outcome.value,
        "evidence": result.evidence[:500],
        "probed_at": at,
    }
    if result.outcome is ProbeOutcome.OK:
        settled = _settled(version, State.HEALTHY, 0, routine_check(version.pk, at))
        return seen | _measured(version, result) | settled
    if result.outcome in STRIKES:
        return seen | _struck(version, at)
    return seen | {"next_check_at": _after_outage(version, at)}


def routine_check(version_id: uuid.UUID, at: datetime) -> datetime:
    """When a stream that was probed at `at` is due again: the same moment for whoever works it out."""
    drawn = blake2s(f"{version_id} {at.timestamp():.3f}".encode(), digest_size=4).digest()
    share = int.from_bytes(drawn) / 2**32
    stretch = 1 + JITTER * (2 * share - 1)
    return at + timedelta(seconds=round(ROUTINE.total_seconds() * stretch))


def record(
    version_id: uuid.UUID, result: ProbeResult, *, at: datetime, moved_to: Mapping[str, Any] | None = None
) -> Verdict:
    """Write a probe's result. A stream on trial that passes when its trial is due is on trial no more; a
    result from before that (of a probe that began before the switch) says nothing about it.

    `moved_to` is the address that was probed, as columns, if it is to replace the one known so far. Raises
    UnknownVersion, Contended.
    """
    address = moved_to or {}
    known = StreamVersion.objects.filter(pk=version_id).first() or StreamVersion(pk=version_id)
    before = with_columns(known, address)
    columns, passed = {**address, **columns_after(before, result, at)}, result.outcome is ProbeOutcome.OK
    if passed and _trial_is_ahead(before, at):
        columns["next_check_at"], passed = before.next_check_at, False
    version = switching.observe(version_id, columns=columns, at=at)
    if passed:
        switching.pass_canary(version_id)
    struck = result.outcome in STRIKES
    return Verdict(version, struck, struck and version.state == State.BROKEN)


def _trial_is_ahead(version: StreamVersion, at: datetime) -> bool:
    return version.on_trial and version.next_check_at is not None and at < version.next_check_at


def look_soon(version_id: uuid.UUID, *, at: datetime) -> bool:
    """Let the next tick probe a healthy stream that is said not to play. True if that is sooner than planned.

    A suspect one waits for its second strike, and one on trial for the end of that, within minutes already.
    One probed a moment ago is left alone: however many complain, and whatever they are after, a provider is
    not asked more often for it.
    """
    settled = {"state": State.HEALTHY, "on_trial": False}
    healthy = StreamVersion.objects.filter(pk=version_id, next_check_at__gt=at, **settled)
    return healthy.exclude(probed_at__gt=at - JUST_PROBED).update(next_check_at=at) == 1


def look_at_failed(provider_id: str, *, at: datetime) -> int:
    """Let the next run probe a provider's streams that failed their last probe; how many there are.

    A second strike minutes after the first stays when it is.
    """
    failed = Q(state__in=[State.SUSPECT, State.BROKEN]) | Q(last_outcome=ProbeOutcome.PROVIDER_DOWN)
    streams = StreamVersion.objects.filter(failed, provider=provider_id, next_check_at__isnull=False)
    just_struck = Q(state=State.SUSPECT, probed_at__gt=at - SECOND_STRIKE_AFTER)
    return streams.exclude(just_struck).update(next_check_at=at)


def strike_held(provider_id: str, *, at: datetime) -> int:
    """Count after all what was held against a provider, as the first strike of each stream; how many there
    are. Each is probed once more, minutes later, before it is given up."""
    held = StreamVersion.objects.filter(
        provider=provider_id,
        state=State.HEALTHY,
        last_outcome=ProbeOutcome.PROVIDER_DOWN,
        evidence__startswith=HELD,
        next_check_at__isnull=False,
    )
    return held.update(state=State.SUSPECT, strikes=1, next_check_at=at + SECOND_STRIKE_AFTER)


def _measured(version: StreamVersion, result: ProbeResult) -> dict[str, Any]:
    quality = Quality.from_size(result.width, result.height) if version.measurable else None
    return {
        "verified_quality": quality,
        "width": result.width,
        "height": result.height,
        "bitrate_bps": result.bitrate_bps,
        "codecs": result.codecs[:120],
        "duration_s": result.duration_s,
        "latency_ms": result.latency_ms,
    }


def _struck(version: StreamVersion, at: datetime) -> dict[str, Any]:
    """The first strike makes it suspect; the second one, minutes later, breaks it. Sooner ones do not count:
    ten viewers who report the same hiccup are one strike."""
    if version.state == State.SUSPECT and version.next_check_at is not None and at < version.next_check_at:
        return {}
    strikes = version.strikes + 1
    if strikes >= STRIKES_TO_BREAK or version.state == State.BROKEN:
        return _settled(version, State.BROKEN, strikes, routine_check(version.pk, at))
    return _settled(version, State.SUSPECT, strikes, at + SECOND_STRIKE_AFTER)


def _settled(version: StreamVersion, state: State, strikes: int, again: datetime) -> dict[str, Any]:
    return {"state": state, "strikes": min(strikes, 1000), "next_check_at": again}


def _after_outage(version: StreamVersion, at: datetime) -> datetime:
    """An outage of theirs puts no check off for long, nor does it make us ask every minute."""
    due = version.next_check_at
    return due if due is not None and at < due < at + AFTER_OUTAGE else at + AFTER_OUTAGE
