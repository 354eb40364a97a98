"""The verbs that change which stream is active, and the only writer of it.

Each plans one turn (`streaming.plans`) and takes it (`streaming.turns`); whoever loses the race for a turn
decides again. Nothing here runs inside an open transaction or trusts one to be rolled back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from core.audit import Action
from streaming import audited, plans, turns
from streaming.errors import Contended, UnknownVersion
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.plans import SYSTEM, Actor, Plan, RollbackTarget, Suppression
from streaming.standing import Standing
from streaming.turns import finish_pending

__all__ = ["SYSTEM", "UNCHANGED", "Actor", "RollbackTarget", "Suppression", "finish_pending"]

UNCHANGED = object()
Facts = Callable[[Movie], Mapping[str, Any]]


def actor_of(user: Any) -> Actor:
    """The signed-in user as the log names them."""
    return Actor(str(user.pk), user.get_username())


def reconsider(
    movie_id: int, *, at: datetime, actor: Actor = SYSTEM, comment: str = "", enforce: bool = False
) -> StreamSwitch | None:
    """Let the policy decide, and switch if it says so. None means that nothing has to change.

    `enforce` lets the settings in force remove a healthy stream. Raises UnknownMovie, Contended.
    """
    return turns.take(movie_id, lambda view: plans.by_policy(view, enforce=enforce), actor, comment, at)


def activate(
    movie_id: int,
    version_id: uuid.UUID,
    *,
    actor: Actor,
    comment: str,
    at: datetime,
    pin: bool = False,
    suppress_current: bool = False,
    if_seq: int | None = None,
) -> StreamSwitch | None:
    """Make `version_id` active on an editor's word. None when it is active, and pinned or not, as asked.

    Raises UnknownMovie, UnknownVersion, Withdrawn, NotPlayable, Contended, and StaleSeq when `if_seq` is no
    longer the movie's newest turn.
    """

    def plan(view: Standing) -> Plan | None:
        return plans.by_editor(view, version_id, pin=pin, suppress_current=suppress_current)

    return turns.take(movie_id, plan, actor, comment, at, if_seq)


def rollback(
    movie_id: int,
    *,
    actor: Actor,
    comment: str,
    at: datetime,
    suppress: str = Suppression.FOREVER,
    until: datetime | None = None,
    pin: bool = False,
    if_seq: int | None = None,
) -> StreamSwitch:
    """Undo the newest pointer change not yet undone, and keep the stream that is left from coming back.

    A rollback is not itself undone by the next one, which goes one change further back. Raises
    UnknownMovie, Withdrawn, NothingToUndo, PastGrace, NotPlayable, StaleSeq, Contended, and ValueError
    unless `until` is given exactly when `suppress` is "until", and lies ahead.
    """
    kind = Suppression(suppress)
    if (kind is Suppression.UNTIL) != (until is not None) or (until is not None and until <= at):
        raise ValueError('`until` is a time ahead of now, given exactly when `suppress` is "until".')

    def plan(view: Standing) -> Plan | None:
        return plans.by_rollback(view, _undoable(movie_id), suppress=kind, until=until, pin=pin, why=comment)

    return cast(StreamSwitch, turns.take(movie_id, plan, actor, comment, at, if_seq))


def rollback_target(movie_id: int, *, at: datetime) -> RollbackTarget:
    """What a rollback would undo and lead to, without doing it. Raises what `rollback` raises."""
    return plans.rollback_target(turns.read(movie_id, at=at), _undoable(movie_id))


def withdraw(
    movie_id: int, *, actor: Actor, comment: str, at: datetime, if_seq: int | None = None
) -> StreamSwitch | None:
    """Take a movie out of the catalogue; its row and its history stay. None when it is out already. Raises
    UnknownMovie, StaleSeq, Contended."""
    return _by_hand(Action.MOVIE_WITHDRAW, movie_id, plans.by_withdrawal, actor, comment, at, if_seq)


def restore(movie_id: int, *, actor: Actor, comment: str, at: datetime) -> StreamSwitch | None:
    """Bring a withdrawn movie back; the next `reconsider` chooses its stream. None when it is not out."""
    return _by_hand(Action.MOVIE_RESTORE, movie_id, plans.by_restoration, actor, comment, at)


def edit(
    movie_id: int,
    *,
    actor: Actor,
    comment: str,
    at: datetime,
    hidden: bool | None = None,
    pinned: bool | None = None,
    target_quality: object = UNCHANGED,
    facts: Facts | None = None,
    if_seq: int | None = None,
) -> StreamSwitch | None:
    """Change an editor's word on a movie. `hidden` and `pinned` of None stay as they are; `target_quality` is
    a Quality, or None for what TARGET_QUALITY says.

    `facts` says which other columns of the movie, as it is read, to write in the same turn: all or none.
    Returns None when nothing changes. Raises UnknownMovie, StaleSeq, Contended.
    """
    wanted = {"hidden": hidden, "pinned": pinned}
    columns: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if target_quality is not UNCHANGED:
        columns["target_quality"] = target_quality

    def plan(seen: Standing) -> Plan | None:
        told = facts(seen.movie) if facts else {}
        if owned := Movie.SWITCHING_OWNS & set(told):
            raise ValueError(f"{', '.join(sorted(owned))}: an editor's word, not a fact.")
        return plans.by_edit(seen, {**told, **columns})

    return _by_hand(Action.MOVIE_EDIT, movie_id, plan, actor, comment, at, if_seq)


def suppress(
    version_id: uuid.UUID, *, actor: Actor, comment: str, at: datetime, until: datetime | None = None
) -> StreamSwitch | None:
    """Keep a version from being chosen until a moment, or for ever; if it is active, leave it at once.

    Raises UnknownVersion, Contended, and ValueError unless `until` lies ahead.
    """
    if until is not None and until <= at:
        raise ValueError("`until` is a time ahead of now.")

    def plan(view: Standing) -> Plan | None:
        return plans.by_suppression(view, version_id, until=until, why=comment)

    return _by_hand(Action.MOVIE_SUPPRESS, _movie_of(version_id), plan, actor, comment, at)


def unsuppress(version_id: uuid.UUID, *, actor: Actor, comment: str, at: datetime) -> StreamSwitch | None:
    """Let a suppressed version be chosen again. None when it was not suppressed."""

    def plan(seen: Standing) -> Plan | None:
        return plans.by_release(seen, version_id)

    return _by_hand(Action.MOVIE_RELEASE, _movie_of(version_id), plan, actor, comment, at)


def fail_canary(version_id: uuid.UUID, *, at: datetime) -> StreamSwitch | None:
    """The stream switched to failed its next probe: decide without it, for an hour, doubling each time."""
    comment = "The stream failed the probe that follows a switch."
    return turns.take(
        _movie_of(version_id), lambda seen: plans.by_canary(seen, version_id), SYSTEM, comment, at
    )


def pass_canary(version_id: uuid.UUID) -> None:
    """The stream switched to is still good: its trial is over."""
    StreamVersion.objects.filter(pk=version_id, on_trial=True).update(on_trial=False, canary_failures=0)


def observe(
    version_id: uuid.UUID, *, columns: Mapping[str, Any], at: datetime, actor: Actor = SYSTEM
) -> StreamVersion:
    """Write facts about a version: what a probe measured, what its provider now says of it.

    What the public can see of an *active* stream is written by a `revised` turn, all else by a plain update.
    Whoever writes a version does so only while no turn has touched it since it was read, and whoever finishes
    a turn looks at the version afterwards (`turns.finish`): the log never goes on announcing what is not so.
    Raises UnknownVersion, Contended.
    """
    if owned := StreamVersion.SWITCHING_OWNS & set(columns):
        raise ValueError(f"{', '.join(sorted(owned))}: written by a switch, not observed.")
    movie_id = _movie_of(version_id)
    for _ in range(turns.MAX_TURNS):
        seen = turns.read(movie_id, at=at)
        plan = plans.by_observation(seen, version_id, columns)
        if plan is not None:
            if turns.insert(seen, plan, actor, ""):
                return _version(version_id)
            continue
        untouched = StreamVersion.objects.filter(
            pk=version_id, switch_seq=seen.version(version_id).switch_seq
        )
        if not columns or untouched.update(**columns):
            return _version(version_id)
    raise Contended(f"Version {version_id} changes faster than it can be written. Try again later.")


def _by_hand(
    action: Action,
    movie_id: int,
    plan: turns.Planner,
    actor: Actor,
    comment: str,
    at: datetime,
    if_seq: int | None = None,
) -> StreamSwitch | None:
    """Take a turn on somebody's word, which is audited. What Marquee does by itself is in the log alone."""
    if actor == SYSTEM:
        return turns.take(movie_id, plan, actor, comment, at, if_seq)
    with audited.turn(action, movie_id, comment) as told:

        def noted(seen: Standing) -> Plan | None:
            told.movie = seen.movie
            return plan(seen)

        told.row = turns.take(movie_id, noted, actor, comment, at, if_seq)
    return told.row


def _undoable(movie_id: int) -> StreamSwitch | None:
    """The newest pointer change that no rollback has undone."""
    undone: set[int | None] = set()
    light = StreamSwitch.objects.of(movie_id).defer("decision", "effects", "before", "after")
    for row in light.iterator(chunk_size=50):
        if row.reason == StreamSwitch.Reason.ROLLBACK:
            undone.add(row.undoes)
        elif row.moves_pointer and row.seq not in undone:
            return row
    return None


def _movie_of(version_id: uuid.UUID) -> int:
    return _version(version_id).movie_id


def _version(version_id: uuid.UUID) -> StreamVersion:
    version = StreamVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise UnknownVersion(f"There is no stream version {version_id}.")
    return version
