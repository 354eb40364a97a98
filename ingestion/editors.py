"""What an editor does to a stream: the stream is probed first, then the switch is made. And what one says of
a movie.

The caller gives the reason; who, when and why go into the switch log.
"""

from __future__ import annotations

import contextlib
import copy
import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from core import conf
from core.audit import Action
from ingestion import availability, checking, discovery
from providers import services
from providers.types import STRIKES, ProbeOutcome
from streaming import audited, plans, switching, turns, verification
from streaming.errors import Contended, NotPlayable, StaleSeq
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.plans import Actor, Suppression
from streaming.standing import Standing, with_columns

MAX_PROBES = 5
_REFUSED = STRIKES | {ProbeOutcome.PROVIDER_DOWN}
"""A probe that was throttled or saw nothing clear is no reason to overrule an editor."""
_IF_IT_PLAYS = {"state": StreamVersion.State.HEALTHY}
"""A probe can mend a broken stream, but not its rights: those are looked at before it."""


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
    """Probe a version and make it active. Raises SwitchError: NotPlayable when the probe fails, and as
    `switching.activate` does."""
    with audited.turn(Action.MOVIE_ACTIVATE, movie_id, comment) as told:
        seen = _standing(movie_id, if_seq, at)
        told.movie = seen.movie
        version = seen.version(version_id)
        plans.refuse_unplayable(seen, with_columns(version, _IF_IT_PLAYS))
        _probe(version, at)
        told.row = switching.activate(
            movie_id,
            version_id,
            actor=actor,
            comment=comment,
            at=at,
            pin=pin,
            suppress_current=suppress_current,
            if_seq=if_seq,
        )
    return told.row


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
    """Probe the stream that a rollback leads to, and roll back. If a turn is taken meanwhile it may lead
    elsewhere, so that is probed anew. Raises like `switching.rollback`."""
    with audited.turn(Action.MOVIE_ROLLBACK, movie_id, comment) as told:
        for _ in range(MAX_PROBES):
            seen = _standing(movie_id, if_seq, at)
            told.movie = seen.movie
            _probe(switching.rollback_target(movie_id, at=at).version, at)
            with contextlib.suppress(StaleSeq):
                told.row = switching.rollback(
                    movie_id,
                    actor=actor,
                    comment=comment,
                    at=at,
                    suppress=suppress,
                    until=until,
                    pin=pin,
                    if_seq=seen.movie.switch_seq,
                )
                return told.row
        raise Contended(f"{seen.movie} is being switched by others all the time. Try again later.")


def edit(
    movie_id: int,
    *,
    facts: Mapping[str, Any],
    locks: Collection[str] | None,
    actor: Actor,
    comment: str,
    at: datetime,
    if_seq: int | None = None,
    **words: Any,
) -> StreamSwitch | None:
    """Change what is said of a movie, all of it in one turn. `words` are those of `switching.edit`.

    `facts` are columns of TMDB's; each is locked against discovery, unless `locks` says which columns are.
    Whoever reads like another movie by now is searched for. Raises like `switching.edit`.
    """
    options = conf.current()

    def columns(movie: Movie) -> dict[str, Any]:
        locked = set(movie.locked_fields) | set(facts) if locks is None else set(locks)
        told = {**facts, **({"locked_fields": sorted(locked)} if locked != set(movie.locked_fields) else {})}
        if discovery.IDENTITY & {name for name, value in facts.items() if getattr(movie, name) != value}:
            renamed = copy.copy(movie)
            renamed.release_date = facts.get("release_date", movie.release_date)
            told["next_check_at"] = availability.out_at(renamed, options, at=at)
        return told

    return switching.edit(
        movie_id, actor=actor, comment=comment, at=at, facts=columns, if_seq=if_seq, **words
    )


def _standing(movie_id: int, if_seq: int | None, at: datetime) -> Standing:
    """The movie as it stands. A stale request is refused before anybody is asked for a byte."""
    seen = turns.read(movie_id, at=at)
    if if_seq is not None and seen.movie.switch_seq != if_seq:
        raise StaleSeq(f"{seen.movie} is at turn {seen.movie.switch_seq}, not {if_seq}. Look again.")
    return seen


def _probe(version: StreamVersion, at: datetime) -> None:
    found = services.probe(version.provider, version.url, version.delivery, at=at)
    result = checking.as_it_counts(version, found)
    verdict = verification.record(version.pk, result, at=at)
    if verdict.broke:
        switching.reconsider(version.movie_id, at=at)  # it may be the one that plays now
    if result.outcome in _REFUSED:
        outcome = result.outcome.value
        raise NotPlayable(f"{version} does not play now ({outcome}): {result.evidence}", [outcome])
