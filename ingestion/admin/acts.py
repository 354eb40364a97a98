"""What an editor can do to a movie, as data: a page that compares and asks, and the verb that it calls.

The verbs probe and switch (`ingestion.editors`, `streaming.switching`); nothing here writes a stream.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from ingestion import discovery, editors
from ingestion.admin.forms import ActForm, ActivateForm, RollbackForm, SuppressForm, WordForm
from streaming import switching
from streaming.models import StreamVersion
from streaming.quality import Quality
from streaming.standing import Standing
from streaming.switching import Actor

Verb = Callable[[Actor, datetime, dict[str, Any]], object]


@dataclass(frozen=True, kw_only=True)
class Act:
    """One thing to do. `then` is the version that would be active; None where the page compares nothing."""

    title: str
    button: str
    form: type[forms.Form]
    verb: Verb
    done: str
    then: StreamVersion | None = None
    compares: bool = False
    dangerous: bool = False
    initial: dict[str, Any] | None = None


def activate(seen: Standing, key: uuid.UUID) -> Act:
    """Raises UnknownVersion."""
    version = seen.version(key)

    def verb(actor: Actor, at: datetime, data: dict[str, Any]) -> object:
        return editors.activate(
            seen.movie.pk,
            key,
            actor=actor,
            comment=data["reason"],
            at=at,
            pin=data["pin"],
            suppress_current=data["suppress_current"],
            if_seq=data["if_seq"],
        )

    return Act(
        title=f"Activate another stream of {seen.movie}",
        button="Probe it, then activate",
        form=ActivateForm,
        verb=verb,
        done=f"{version} is active.",
        then=version,
        compares=True,
    )


def roll_back(seen: Standing) -> Act:
    """Raises what `switching.rollback_target` raises."""
    target = switching.rollback_target(seen.movie.pk, at=seen.at)

    def verb(actor: Actor, at: datetime, data: dict[str, Any]) -> object:
        return editors.rollback(
            seen.movie.pk,
            actor=actor,
            comment=data["reason"],
            at=at,
            suppress=data["suppress"],
            until=data["until"],
            pin=data["pin"],
            if_seq=data["if_seq"],
        )

    return Act(
        title=f"Roll back {seen.movie}",
        button="Probe it, then roll back",
        form=RollbackForm,
        verb=verb,
        done=f"Rolled back to {target.version}.",
        then=target.version,
        compares=True,
    )


def edit(seen: Standing) -> Act:
    movie = seen.movie

    def verb(actor: Actor, at: datetime, data: dict[str, Any]) -> object:
        target = data["target_quality"]
        return switching.edit(
            movie.pk,
            actor=actor,
            comment=data["reason"],
            at=at,
            hidden=data["hidden"],
            pinned=data["pinned"],
            target_quality=None if target is None else Quality(target),
            if_seq=data["if_seq"],
        )

    initial = {"hidden": movie.hidden, "pinned": movie.pinned, "target_quality": movie.target_quality}
    return Act(
        title=f"Hide, pin or set a target for {movie}",
        button="Save",
        form=WordForm,
        verb=verb,
        done="Saved.",
        initial=initial,
    )


def withdraw(seen: Standing) -> Act:
    return Act(
        title=f"Withdraw {seen.movie}",
        button="Withdraw it",
        form=ActForm,
        verb=lambda actor, at, data: switching.withdraw(
            seen.movie.pk, actor=actor, comment=data["reason"], at=at
        ),
        done="Withdrawn: viewers no longer find it. Its history stays, and it can be restored.",
        dangerous=True,
    )


def restore(seen: Standing) -> Act:
    return Act(
        title=f"Restore {seen.movie}",
        button="Restore it",
        form=ActForm,
        verb=lambda actor, at, data: discovery.restore(
            seen.movie.pk, actor=actor, comment=data["reason"], at=at
        ),
        done="Restored.",
    )


def suppress(seen: Standing, key: uuid.UUID) -> Act:
    """Raises UnknownVersion."""
    version = seen.version(key)
    return Act(
        title=f"Keep a stream of {seen.movie} out",
        button="Keep it out",
        form=SuppressForm,
        verb=lambda actor, at, data: switching.suppress(
            key, actor=actor, comment=data["reason"], at=at, until=data["until"]
        ),
        done=f"{version} is kept out.",
        then=version,
        dangerous=seen.movie.active_stream_id == key,
    )


def release(seen: Standing, key: uuid.UUID) -> Act:
    """Raises UnknownVersion."""
    version = seen.version(key)

    def verb(actor: Actor, at: datetime, data: dict[str, Any]) -> object:
        switching.unsuppress(key, actor=actor, comment=data["reason"], at=at)
        return switching.reconsider(seen.movie.pk, at=at, actor=actor, comment=data["reason"])

    return Act(
        title=f"Let a stream of {seen.movie} be chosen again",
        button="Let it be chosen again",
        form=ActForm,
        verb=verb,
        done=f"{version} may be chosen again.",
        then=version,
    )
