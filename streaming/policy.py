"""Which stream should be active, and why: a pure function of what is known at one moment.

Nothing here reads a clock, a setting or a row. Every candidate gets every reason that speaks for or
against it, so that "why this one, why not that one" has an answer for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from streaming.policy_types import Action, Candidate, Decision, Health, Reason, Rules, Verdict

URL_MARGIN = timedelta(hours=24)
ENFORCED = frozenset({Reason.BELOW_MINIMUM, Reason.TERRITORY_EXCLUDED})
"""What settings say against a current stream; alone they do not take it down."""


def decide(current: str | None, candidates: Iterable[Candidate], rules: Rules, at: datetime) -> Decision:
    """Decide which of `candidates` should be active at `at`, given that `current` (a key) is.

    Raises ValueError when `current` is not among the candidates.
    """
    ranked = sorted(candidates, key=_rank)
    now = next((c for c in ranked if c.key == current), None)
    if current is not None and now is None:
        raise ValueError(f"The current stream {current} is not among the candidates.")
    leave = now is not None and must_leave(now, rules, at)
    blocked = {c.key: tuple(blockers(c, rules, at, failing_over=leave)) for c in ranked}
    taken = _choose(now, [c for c in ranked if not blocked[c.key]], rules, leave=leave)
    return Decision(
        action=_action(now, taken, leave=leave),
        chosen=taken.key if taken else (current if not leave else None),
        verdicts=tuple(_verdict(c, now, taken, blocked[c.key], rules, leave=leave) for c in ranked),
        clears_pin=leave and rules.pinned,
    )


def blockers(c: Candidate, rules: Rules, at: datetime, *, failing_over: bool = False) -> Iterator[Reason]:
    """Every reason for which `c` may not be chosen at `at`. A failover does not wait for the target."""
    yield from unplayable(c, at)
    if c.health is Health.SUSPECT:
        yield Reason.SUSPECT
    if c.health is Health.UNVERIFIED and c.measurable:
        yield Reason.UNVERIFIED
    if is_suppressed(c, at):
        yield Reason.SUPPRESSED
    if c.provider_down:
        yield Reason.PROVIDER_DOWN
    if rules.territory and c.territories and rules.territory not in c.territories:
        yield Reason.TERRITORY_EXCLUDED
    if c.url_expires_at is not None and c.url_expires_at < at + URL_MARGIN:
        yield Reason.URL_EXPIRES
    if c.quality is None:
        yield Reason.QUALITY_UNKNOWN
    elif c.quality < rules.minimum:
        yield Reason.BELOW_MINIMUM
    elif c.quality < rules.target and not rules.allow_lower and not failing_over:
        yield Reason.BELOW_TARGET


def unplayable(c: Candidate, at: datetime) -> Iterator[Reason]:
    """The reasons that not even an editor's word overrides."""
    if c.health is Health.BROKEN:
        yield Reason.BROKEN
    if c.rights_until is not None and c.rights_until <= at:
        yield Reason.RIGHTS_LAPSED
    if c.rights_from is not None and c.rights_from > at:
        yield Reason.RIGHTS_NOT_BEGUN
    if not c.provider_enabled:
        yield Reason.PROVIDER_DISABLED
    if c.expired:
        yield Reason.EXPIRED


def is_suppressed(c: Candidate, at: datetime) -> bool:
    """Whether an editor (or a failed canary) keeps it from being chosen at `at`."""
    return c.suppressed and (c.suppressed_until is None or c.suppressed_until > at)


def must_leave(current: Candidate, rules: Rules, at: datetime) -> bool:
    """Whether the current stream has to go. Settings alone never do that, unless they are enforced."""
    gone = {Reason.BROKEN, Reason.RIGHTS_LAPSED, Reason.RIGHTS_NOT_BEGUN, Reason.PROVIDER_DISABLED}
    if gone.intersection(unplayable(current, at)) or is_suppressed(current, at):
        return True
    return rules.enforce and bool(ENFORCED.intersection(blockers(current, rules, at, failing_over=True)))


def _rank(c: Candidate) -> tuple[Any, ...]:
    """Quality, verified before claimed, reliability, provider priority, age, key: a total order."""
    return (_height(c), not c.is_verified, -c.reliability, c.priority, c.first_seen, c.key)


def _height(c: Candidate) -> int:
    return -int(c.quality) if c.quality is not None else 1


def _choose(
    now: Candidate | None, eligible: list[Candidate], rules: Rules, *, leave: bool
) -> Candidate | None:
    if now is None or leave:
        return eligible[0] if eligible else None
    if rules.pinned or _at_target(now, rules):
        return None
    return next((c for c in eligible if _improves(c, now)), None)


def _improves(c: Candidate, now: Candidate) -> bool:
    """What plays is left for nothing that its last probe could not see playing: the next one may."""
    return _better(c, now) and not _untrusted(c, now) and not c.unproven


def _better(c: Candidate, now: Candidate) -> bool:
    return c.quality is not None and (now.quality is None or c.quality > now.quality)


def _untrusted(c: Candidate, now: Candidate) -> bool:
    """A mere claim does not replace what is known. Trusted claims count as known: else two decisions in a
    row could go from a verified stream over a trusted claim to an untrusted one."""
    return now.is_assured and not c.is_assured


def _at_target(c: Candidate, rules: Rules) -> bool:
    return c.quality is not None and c.quality >= rules.target


def _action(now: Candidate | None, taken: Candidate | None, *, leave: bool) -> Action:
    if leave:
        return Action.FAILOVER if taken else Action.WITHDRAW
    if taken is None:
        return Action.KEEP
    return Action.FIRST if now is None else Action.UPGRADE


def _verdict(
    c: Candidate,
    now: Candidate | None,
    taken: Candidate | None,
    blocked: tuple[Reason, ...],
    rules: Rules,
    *,
    leave: bool,
) -> Verdict:
    reasons = [*_for(c, now, taken, rules), *blocked]
    if not blocked and c is not taken and c is not now:
        reasons += _passed_over(c, now, rules, leave=leave)
    return Verdict(key=c.key, eligible=not blocked, quality=c.quality, reasons=tuple(reasons))


def _for(c: Candidate, now: Candidate | None, taken: Candidate | None, rules: Rules) -> Iterator[Reason]:
    if c is taken:
        yield Reason.CHOSEN
    if c is now:
        yield Reason.CURRENT
    if c.is_verified:
        yield Reason.VERIFIED
    if _at_target(c, rules):
        yield Reason.AT_TARGET
    if now is not None and _better(c, now):
        yield Reason.BETTER


def _passed_over(c: Candidate, now: Candidate | None, rules: Rules, *, leave: bool) -> list[Reason]:
    """Why an eligible candidate was not taken: all reasons, or simply that another one ranks higher."""
    if now is None or leave:
        return [Reason.OUTRANKED]
    checks = {
        Reason.PINNED: rules.pinned,
        Reason.TARGET_REACHED: _at_target(now, rules),
        Reason.NOT_BETTER: not _better(c, now),
        Reason.CLAIM_NOT_TRUSTED: _untrusted(c, now),
        Reason.UNPROVEN: c.unproven,
    }
    return [reason for reason, holds in checks.items() if holds] or [Reason.OUTRANKED]
