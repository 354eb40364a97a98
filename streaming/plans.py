"""What one turn of a movie would change, worked out from what was read and written by nobody here.

Each planner takes a movie's `Standing` (and an editor's word) and returns a `Plan`, or None when nothing
has to change.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import TextChoices

from streaming import policy
from streaming.errors import NothingToUndo, NotPlayable, PastGrace, Withdrawn
from streaming.models import StreamSwitch, StreamVersion
from streaming.policy_types import Action, Decision
from streaming.standing import Standing, body_of, candidate, with_columns

CANARY_AFTER = timedelta(minutes=1)
CANARY_SUPPRESSION = timedelta(hours=1)

Reason = StreamSwitch.Reason
_REASONS = {
    Action.FIRST: Reason.FIRST,
    Action.UPGRADE: Reason.UPGRADE,
    Action.FAILOVER: Reason.FAILOVER,
    Action.WITHDRAW: Reason.WITHDRAWN,
}
_LOSSES = {Reason.FAILOVER, Reason.WITHDRAWN}
_CLEARED = {"suppressed_at": None, "suppressed_until": None, "suppressed_why": ""}


class Actor(NamedTuple):
    """Who takes a turn. The id is a user's primary key, as text; empty for Marquee itself."""

    id: str
    name: str


SYSTEM = Actor("", "Marquee")


class Suppression(TextChoices):
    """For how long a rollback keeps the stream that it leaves from being chosen again."""

    NONE = "none"
    UNTIL = "until"
    FOREVER = "forever"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One turn: the pointer's new target, and the columns to write on the movie and on each version."""

    reason: Reason
    to: StreamVersion | None
    movie: dict[str, Any] = field(default_factory=dict)
    versions: dict[uuid.UUID, dict[str, Any]] = field(default_factory=dict)
    decision: dict[str, Any] = field(default_factory=dict)
    undoes: int | None = None

    def after(self) -> dict[str, Any] | None:
        """The public body of the active stream once this turn is done."""
        if self.to is None:
            return None
        return body_of(with_columns(self.to, self.versions.get(self.to.pk, {})))


class RollbackTarget(NamedTuple):
    """The switch that a rollback would undo, and the version that would be active again."""

    undoes: StreamSwitch
    version: StreamVersion


def by_policy(seen: Standing, *, enforce: bool = False) -> Plan | None:
    """What the policy says of the versions as they are."""
    if seen.movie.removed_at is not None:
        return None
    decision = seen.decide(enforce=enforce)
    return None if decision.action is Action.KEEP else _following(seen, decision, {})


def by_editor(seen: Standing, key: uuid.UUID, *, pin: bool, suppress_current: bool) -> Plan | None:
    """An editor's choice. Raises UnknownVersion, Withdrawn, NotPlayable."""
    version, left = seen.version(key), seen.active
    refuse_unplayable(seen, version)
    if left is not None and left.pk == key:
        return by_edit(seen, {"pinned": pin})
    extra = _suppressed(seen.at, None, "An editor chose another stream.") if suppress_current else {}
    return _move(seen, Reason.MANUAL, version, left_extra=extra, pinned=pin)


def rollback_target(seen: Standing, undone: StreamSwitch | None) -> RollbackTarget:
    """Where undoing `undone` leads. Raises NothingToUndo, PastGrace, NotPlayable, Withdrawn."""
    if undone is None or undone.from_version is None:
        raise NothingToUndo(f"{seen.movie} has no switch that is left to roll back.")
    version = seen.versions.get(undone.from_version)
    grace = timedelta(hours=seen.options.grace_period_hours)
    if version is None or version.retired_at is None or version.retired_at + grace < seen.at:
        raise PastGrace(
            f"The stream before switch {undone.pk} is past its grace period of"
            f" {seen.options.grace_period_hours:g} hours (GRACE_PERIOD_HOURS)."
        )
    refuse_unplayable(seen, version)
    return RollbackTarget(undone, version)


def by_rollback(
    seen: Standing,
    undone: StreamSwitch | None,
    *,
    suppress: Suppression,
    until: datetime | None,
    pin: bool,
    why: str,
) -> Plan:
    """Undo one switch, and keep what it had brought from coming back. Raises like `rollback_target`."""
    target = rollback_target(seen, undone)
    extra = {} if suppress == Suppression.NONE else _suppressed(seen.at, until, why)
    plan = _move(seen, Reason.ROLLBACK, target.version, left_extra=extra, pinned=pin)
    return replace(plan, undoes=target.undoes.seq)


def by_withdrawal(seen: Standing) -> Plan | None:
    """Take the movie out of the catalogue, and out of what is due."""
    if seen.movie.removed_at is not None:
        return None
    out = {"removed_at": seen.at, "pinned": False, "next_check_at": None, "refresh_at": None}
    return replace(_move(seen, Reason.WITHDRAWN, None, pinned=False), movie=out)


def by_restoration(seen: Standing) -> Plan | None:
    """Bring a withdrawn movie back, to be searched for and its streams probed anew: nobody has asked for
    either since (`ingestion.reverify` puts the checks of a removed movie's streams aside)."""
    if seen.movie.removed_at is None:
        return None
    now = {"next_check_at": seen.at}
    columns, versions = {"removed_at": None, **now}, {key: dict(now) for key in seen.versions}
    return Plan(reason=Reason.REVISED, to=seen.active, movie=columns, versions=versions)


def by_edit(seen: Standing, columns: Mapping[str, Any]) -> Plan | None:
    """Change columns of the movie other than the pointer."""
    changed = {name: value for name, value in columns.items() if getattr(seen.movie, name) != value}
    if "target_quality" in changed:
        changed |= _searched_anew(seen.at)
    return Plan(reason=Reason.REVISED, to=seen.active, movie=changed) if changed else None


def by_suppression(seen: Standing, key: uuid.UUID, *, until: datetime | None, why: str) -> Plan:
    """Keep a version from being chosen; if it is the active one, what the policy says without it."""
    return _without(seen, seen.version(key), _suppressed(seen.at, until, why))


def by_release(seen: Standing, key: uuid.UUID) -> Plan | None:
    """Let a suppressed version be chosen again."""
    if seen.version(key).suppressed_at is None:
        return None
    return Plan(reason=Reason.REVISED, to=seen.active, versions={key: dict(_CLEARED)})


def by_canary(seen: Standing, key: uuid.UUID) -> Plan | None:
    """The policy's word without a stream that failed right after it was switched to."""
    version = seen.version(key)
    if seen.active is not version:
        return None
    until = seen.at + CANARY_SUPPRESSION * 2 ** min(version.canary_failures, 16)
    columns = _suppressed(seen.at, until, "It failed the probe that follows a switch.")
    return _without(seen, version, {**columns, "canary_failures": version.canary_failures + 1})


def by_observation(seen: Standing, key: uuid.UUID, columns: Mapping[str, Any]) -> Plan | None:
    """A `revised` turn, if `columns` change what the public was told of the active stream; or what the policy
    says without it, if they take its licence for our territory away.

    A setting alone never removes a healthy stream, but this is the word of whoever owns the rights.
    """
    version = seen.version(key)
    changed = with_columns(version, columns)
    if seen.active is not version or body_of(changed) == seen.announced:
        return None
    if seen.excludes(changed) and not seen.excludes(version):
        return _following(seen, seen.decide(instead=[changed], enforce=True), dict(columns))
    return Plan(reason=Reason.REVISED, to=version, versions={key: dict(columns)})


def _following(seen: Standing, decision: Decision, left_extra: dict[str, Any]) -> Plan:
    to = seen.versions[uuid.UUID(decision.chosen)] if decision.chosen else None
    pinned = seen.movie.pinned and not decision.clears_pin
    plan = _move(seen, _REASONS[decision.action], to, left_extra=left_extra, pinned=pinned)
    columns = plan.movie | (_searched_anew(seen.at) if plan.reason in _LOSSES else {})
    return replace(plan, decision=decision.as_json(), movie=columns)


def _searched_anew(at: datetime) -> dict[str, Any]:
    """A movie that lost its stream, or has another target, is searched for at once, and from then on like a
    new one: how long nothing better was found does not matter any more. In the same turn, so that nobody can
    die between the two."""
    return {"next_check_at": at, "refresh_at": None, "fruitless_searches": 0}


def _without(seen: Standing, version: StreamVersion, columns: dict[str, Any]) -> Plan:
    if seen.active is not version:
        return Plan(reason=Reason.REVISED, to=seen.active, versions={version.pk: columns})
    return _following(seen, seen.decide(instead=[with_columns(version, columns)]), columns)


def _move(
    seen: Standing,
    reason: Reason,
    to: StreamVersion | None,
    *,
    left_extra: Mapping[str, Any] | None = None,
    pinned: bool,
) -> Plan:
    """The pointer goes from the active version to `to`: one is retired, the other put on trial."""
    versions: dict[uuid.UUID, dict[str, Any]] = {}
    if seen.active is not None:
        retired = {"retired_at": seen.at, "replaced_by": to.pk if to else None, "on_trial": False}
        versions[seen.active.pk] = {**retired, **(left_extra or {})}
    if to is not None:
        taken = {
            "retired_at": None,
            "replaced_by": None,
            "on_trial": True,
            "next_check_at": seen.at + CANARY_AFTER,
        }
        versions[to.pk] = {**taken, **_CLEARED}
    decision = {**seen.decide().as_json(), "action": reason.value}
    decision["chosen"] = str(to.pk) if to else None
    return Plan(reason=reason, to=to, movie={"pinned": pinned}, versions=versions, decision=decision)


def refuse_unplayable(seen: Standing, version: StreamVersion) -> None:
    """Raises Withdrawn, or NotPlayable with what not even an editor's word overrides."""
    if seen.movie.removed_at is not None:
        raise Withdrawn(f"{seen.movie} was withdrawn. Restore it first.")
    reasons = [reason.value for reason in policy.unplayable(candidate(version), seen.at)]
    if reasons:
        words = ", ".join(reason.replace("_", " ") for reason in reasons)
        raise NotPlayable(f"{version} cannot be made active: {words}.", reasons)


def _suppressed(at: datetime, until: datetime | None, why: str) -> dict[str, Any]:
    return {"suppressed_at": at, "suppressed_until": until, "suppressed_why": why[:300]}
