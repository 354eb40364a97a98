"""What one turn of a movie would change, worked out from what was read and written by nobody here.

Each planner takes a `View` (and an editor's word) and returns a `Plan`, or None when nothing has to change.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import TextChoices

from core.options import Options
from streaming import events, policy
from streaming.errors import NothingToUndo, NotPlayable, PastGrace, UnknownVersion, Withdrawn
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.policy import Action, Candidate, Decision, Health, Rules
from streaming.quality import Quality

CANARY_AFTER = timedelta(minutes=1)
CANARY_SUPPRESSION = timedelta(hours=1)

Reason = StreamSwitch.Reason
_REASONS = {
    Action.FIRST: Reason.FIRST,
    Action.UPGRADE: Reason.UPGRADE,
    Action.FAILOVER: Reason.FAILOVER,
    Action.WITHDRAW: Reason.WITHDRAWN,
}
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
class View:
    """One movie as it stood when it was read, with no turn half done."""

    movie: Movie
    versions: dict[uuid.UUID, StreamVersion]
    announced: dict[str, Any] | None
    options: Options
    at: datetime

    @property
    def active(self) -> StreamVersion | None:
        key = self.movie.active_stream_id
        return self.versions[key] if key is not None else None

    def version(self, key: uuid.UUID) -> StreamVersion:
        """Raises UnknownVersion."""
        try:
            return self.versions[key]
        except KeyError:
            raise UnknownVersion(f"Movie {self.movie.pk} has no stream version {key}.") from None


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


def by_policy(view: View, *, enforce: bool = False) -> Plan | None:
    """What the policy says of the versions as they are."""
    if view.movie.removed_at is not None:
        return None
    decision = _decide(view, view.versions.values(), enforce=enforce)
    return None if decision.action is Action.KEEP else _following(view, decision, {})


def by_editor(view: View, key: uuid.UUID, *, pin: bool, suppress_current: bool) -> Plan | None:
    """An editor's choice. Raises UnknownVersion, Withdrawn, NotPlayable."""
    version, left = view.version(key), view.active
    refuse_unplayable(view, version)
    if left is not None and left.pk == key:
        return by_edit(view, {"pinned": pin})
    extra = _suppressed(view.at, None, "An editor chose another stream.") if suppress_current else {}
    return _move(view, Reason.MANUAL, version, left_extra=extra, pinned=pin)


def rollback_target(view: View, undone: StreamSwitch | None) -> RollbackTarget:
    """Where undoing `undone` leads. Raises NothingToUndo, PastGrace, NotPlayable, Withdrawn."""
    if undone is None or undone.from_version is None:
        raise NothingToUndo(f"{view.movie} has no switch that is left to roll back.")
    version = view.versions.get(undone.from_version)
    grace = timedelta(hours=view.options.grace_period_hours)
    if version is None or version.retired_at is None or version.retired_at + grace < view.at:
        raise PastGrace(
            f"The stream before switch {undone.pk} is past its grace period of"
            f" {view.options.grace_period_hours:g} hours (GRACE_PERIOD_HOURS)."
        )
    refuse_unplayable(view, version)
    return RollbackTarget(undone, version)


def by_rollback(
    view: View,
    undone: StreamSwitch | None,
    *,
    suppress: Suppression,
    until: datetime | None,
    pin: bool,
    why: str,
) -> Plan:
    """Undo one switch, and keep what it had brought from coming back. Raises like `rollback_target`."""
    target = rollback_target(view, undone)
    extra = {} if suppress == Suppression.NONE else _suppressed(view.at, until, why)
    plan = _move(view, Reason.ROLLBACK, target.version, left_extra=extra, pinned=pin)
    return replace(plan, undoes=target.undoes.seq)


def by_withdrawal(view: View) -> Plan | None:
    """Take the movie out of the catalogue."""
    if view.movie.removed_at is not None:
        return None
    return replace(
        _move(view, Reason.WITHDRAWN, None, pinned=False), movie={"removed_at": view.at, "pinned": False}
    )


def by_edit(view: View, columns: Mapping[str, Any]) -> Plan | None:
    """Change switching's own columns of the movie other than the pointer."""
    changed = {name: value for name, value in columns.items() if getattr(view.movie, name) != value}
    return Plan(reason=Reason.REVISED, to=view.active, movie=changed) if changed else None


def by_suppression(view: View, key: uuid.UUID, *, until: datetime | None, why: str) -> Plan:
    """Keep a version from being chosen; if it is the active one, what the policy says without it."""
    return _without(view, view.version(key), _suppressed(view.at, until, why))


def by_release(view: View, key: uuid.UUID) -> Plan | None:
    """Let a suppressed version be chosen again."""
    if view.version(key).suppressed_at is None:
        return None
    return Plan(reason=Reason.REVISED, to=view.active, versions={key: dict(_CLEARED)})


def by_canary(view: View, key: uuid.UUID) -> Plan | None:
    """The policy's word without a stream that failed right after it was switched to."""
    version = view.version(key)
    if view.active is not version:
        return None
    until = view.at + CANARY_SUPPRESSION * 2 ** min(version.canary_failures, 16)
    columns = _suppressed(view.at, until, "It failed the probe that follows a switch.")
    return _without(view, version, {**columns, "canary_failures": version.canary_failures + 1})


def by_observation(view: View, key: uuid.UUID, columns: Mapping[str, Any]) -> Plan | None:
    """A `revised` turn, if `columns` change what the public was told of the active stream."""
    version = view.version(key)
    if view.active is not version or body_of(with_columns(version, columns)) == view.announced:
        return None
    return Plan(reason=Reason.REVISED, to=version, versions={key: dict(columns)})


def candidate(version: StreamVersion) -> Candidate:
    """A row as the policy sees it."""
    provider = version.provider
    return Candidate(
        key=str(version.pk),
        claimed=_quality(version.claimed_quality),
        verified=_quality(version.verified_quality),
        measurable=version.measurable,
        health=Health(version.state),
        suppressed=version.suppressed_at is not None,
        suppressed_until=version.suppressed_until,
        rights_from=version.rights_from,
        rights_until=version.rights_until,
        territories=tuple(version.territories),
        url_expires_at=version.url_expires_at,
        expired=version.expired_at is not None,
        provider_enabled=provider.enabled,
        trust_claims=provider.trust_claims,
        reliability=provider.reliability,
        priority=provider.priority,
        first_seen=version.first_seen,
    )


def rules(movie: Movie, options: Options, *, enforce: bool = False) -> Rules:
    """The settings in force for one movie, its own target first."""
    return Rules(
        target=_quality(movie.target_quality) or Quality.from_label(options.target_quality),
        minimum=Quality.from_label(options.min_quality_to_publish),
        allow_lower=options.allow_lower_quality_until_upgrade,
        territory=options.territory,
        pinned=movie.pinned,
        enforce=enforce,
    )


def decide(view: View) -> Decision:
    """The policy's word on a movie as it stands; nothing is planned."""
    return _decide(view, view.versions.values())


def body_of(version: StreamVersion) -> dict[str, Any]:
    """The public body as it will read once it has been stored as JSON."""
    body: dict[str, Any] = json.loads(json.dumps(events.public_body(version), cls=DjangoJSONEncoder))
    return body


def with_columns(version: StreamVersion, columns: Mapping[str, Any]) -> StreamVersion:
    """A copy of `version` with `columns` changed."""
    changed = copy.copy(version)
    for name, value in columns.items():
        setattr(changed, name, value)
    return changed


def _decide(view: View, versions: Iterable[StreamVersion], *, enforce: bool = False) -> Decision:
    current = view.movie.active_stream_id
    return policy.decide(
        str(current) if current else None,
        [candidate(version) for version in versions],
        rules(view.movie, view.options, enforce=enforce),
        view.at,
    )


def _following(view: View, decision: Decision, left_extra: dict[str, Any]) -> Plan:
    to = view.versions[uuid.UUID(decision.chosen)] if decision.chosen else None
    pinned = view.movie.pinned and not decision.clears_pin
    plan = _move(view, _REASONS[decision.action], to, left_extra=left_extra, pinned=pinned)
    return replace(plan, decision=decision.as_json())


def _without(view: View, version: StreamVersion, columns: dict[str, Any]) -> Plan:
    if view.active is not version:
        return Plan(reason=Reason.REVISED, to=view.active, versions={version.pk: columns})
    others = [v for v in view.versions.values() if v is not version]
    return _following(view, _decide(view, [*others, with_columns(version, columns)]), columns)


def _move(
    view: View,
    reason: Reason,
    to: StreamVersion | None,
    *,
    left_extra: Mapping[str, Any] | None = None,
    pinned: bool,
) -> Plan:
    """The pointer goes from the active version to `to`: one is retired, the other put on trial."""
    versions: dict[uuid.UUID, dict[str, Any]] = {}
    if view.active is not None:
        retired = {"retired_at": view.at, "replaced_by": to.pk if to else None, "on_trial": False}
        versions[view.active.pk] = {**retired, **(left_extra or {})}
    if to is not None:
        taken = {
            "retired_at": None,
            "replaced_by": None,
            "on_trial": True,
            "next_check_at": view.at + CANARY_AFTER,
        }
        versions[to.pk] = {**taken, **_CLEARED}
    decision = {**_decide(view, view.versions.values()).as_json(), "action": reason.value}
    decision["chosen"] = str(to.pk) if to else None
    return Plan(reason=reason, to=to, movie={"pinned": pinned}, versions=versions, decision=decision)


def refuse_unplayable(view: View, version: StreamVersion) -> None:
    """Raises Withdrawn, or NotPlayable with what not even an editor's word overrides."""
    if view.movie.removed_at is not None:
        raise Withdrawn(f"{view.movie} was withdrawn. Restore it first.")
    reasons = [reason.value for reason in policy.unplayable(candidate(version), view.at)]
    if reasons:
        words = ", ".join(reason.replace("_", " ") for reason in reasons)
        raise NotPlayable(f"{version} cannot be made active: {words}.", reasons)


def _suppressed(at: datetime, until: datetime | None, why: str) -> dict[str, Any]:
    return {"suppressed_at": at, "suppressed_until": until, "suppressed_why": why[:300]}


def _quality(value: int | None) -> Quality | None:
    return None if value is None else Quality(value)
