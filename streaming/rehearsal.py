"""What a change of the policy's settings would do: decided movie by movie on stored facts, written nowhere.

A batch of movies costs a few queries whatever is in it, so that a catalogue of any size fits into memory.
"""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.options import NAMES, Options
from streaming.models import Movie, StreamVersion
from streaming.policy import ENFORCED
from streaming.policy_types import Action, Decision, Reason
from streaming.standing import Standing

BATCH = 500
LISTED = 200
SETTINGS = frozenset(
    {"TARGET_QUALITY", "ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", "MIN_QUALITY_TO_PUBLISH", "TERRITORY"}
)
"""The runtime settings that `Standing.rules` is made of: no other moves a stream."""

_SETTLED = frozenset(
    {Reason.BELOW_MINIMUM, Reason.BELOW_TARGET, Reason.TERRITORY_EXCLUDED, Reason.TARGET_REACHED}
)
_AGAINST = {
    Reason.BELOW_MINIMUM: "a stream is below MIN_QUALITY_TO_PUBLISH",
    Reason.BELOW_TARGET: "a stream is below the target, and lower is not allowed",
    Reason.TERRITORY_EXCLUDED: "a stream's licence excludes our territory",
    Reason.TARGET_REACHED: "what plays has reached the target",
}
_LIFTED = {
    Reason.BELOW_MINIMUM: "a stream is no longer below MIN_QUALITY_TO_PUBLISH",
    Reason.BELOW_TARGET: "a stream may be published below the target",
    Reason.TERRITORY_EXCLUDED: "a stream's licence no longer excludes our territory",
    Reason.TARGET_REACHED: "what plays is below the target now",
}
_MOVIE = ("title", "active_stream", "pinned", "target_quality")
_VERSION = (
    "movie",
    "provider",
    "delivery",
    "claimed_quality",
    "verified_quality",
    "state",
    "suppressed_at",
    "suppressed_until",
    "rights_from",
    "rights_until",
    "territories",
    "url_expires_at",
    "expired_at",
    "last_outcome",
    "first_seen",
)


class Effect(StrEnum):
    """What the change would do to a movie. KEPT: it would switch without the change, and does not with it."""

    PUBLISHED = "published"
    UPGRADED = "upgraded"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One movie that would come out differently: what it plays now, and what it would play.

    `enforced`: its stream is well, and only goes if the settings are enforced on what plays already.
    `reasons` are those that the change brings about or, where `lifted`, takes away.
    """

    movie: Movie
    effect: Effect
    now: StreamVersion | None
    then: StreamVersion | None
    enforced: bool
    reasons: frozenset[Reason]
    lifted: frozenset[Reason]

    @property
    def why(self) -> str:
        """One sentence, without its full stop."""
        said = [words for reason, words in _AGAINST.items() if reason in self.reasons]
        said += [words for reason, words in _LIFTED.items() if reason in self.lifted]
        return "; ".join(said)


@dataclass(slots=True)
class Rehearsal:
    """What was found. All are counted, LISTED of them are named; `checked` of `total` movies in the time."""

    total: int = 0
    checked: int = 0
    differences: list[Difference] = field(default_factory=list)
    effects: Counter[tuple[Effect, bool]] = field(default_factory=Counter)
    reasons: Counter[tuple[Reason, bool]] = field(default_factory=Counter)

    @property
    def partial(self) -> bool:
        return self.checked < self.total

    @property
    def enforceable(self) -> bool:
        """Whether anything goes only if the settings are enforced."""
        return any(enforced for _, enforced in self.effects)

    @property
    def unnamed(self) -> int:
        return self.effects.total() - len(self.differences)

    def add(self, difference: Difference) -> None:
        """Count one, and name it while there is room."""
        self.effects[difference.effect, difference.enforced] += 1
        self.reasons.update((reason, False) for reason in difference.reasons)
        self.reasons.update((reason, True) for reason in difference.lifted)
        if len(self.differences) < LISTED:
            self.differences.append(difference)


def policy_of(options: Options) -> str:
    """The values of SETTINGS: what was rehearsed is in force for as long as this is the same."""
    return json.dumps({name: getattr(options, NAMES[name]) for name in sorted(SETTINGS)})


def rehearse(before: Options, after: Options, *, at: datetime, within_s: float) -> Rehearsal:
    """Decide on every movie with either, in the order of their keys, for `within_s` seconds at most."""
    give_up = time.monotonic() + within_s
    found = Rehearsal(total=Movie.objects.present().count())
    for batch in standings(before, at=at):
        for seen in batch:
            if difference := compare(seen, after):
                found.add(difference)
        found.checked += len(batch)
        if time.monotonic() > give_up:
            return found
    found.total = found.checked
    return found


def standings(options: Options, *, at: datetime) -> Iterator[list[Standing]]:
    """All movies that are present, as the policy sees them; nothing of theirs but what it asks for is read.

    Turns that are half done are left so: each is another process's, or the next tick's.
    """
    present, last = Movie.objects.present().only(*_MOVIE).order_by("pk"), 0
    while movies := list(present.filter(pk__gt=last)[:BATCH]):
        last = movies[-1].pk
        versions = _versions([movie.pk for movie in movies])
        yield [
            Standing(movie=movie, versions=versions[movie.pk], announced=None, options=options, at=at)
            for movie in movies
        ]


def compare(seen: Standing, after: Options) -> Difference | None:
    """How a movie comes out with `after` instead of the options that it was read with. None: the same."""
    if not _decidable(seen):
        return None
    was, becomes = seen.decide(), seen.decide(under=after)
    if was.chosen != becomes.chosen:
        return _by_itself(seen, was, becomes)
    current = seen.movie.active_stream_id
    falls_short = _said_of(str(current), becomes) & ENFORCED
    if current is None or not falls_short:
        return None
    return _by_force(seen, seen.decide(under=after, enforce=True), falls_short)


def would_switch(seen: Standing, *, enforce: bool = False) -> bool:
    """Whether the policy wants something else to play than what does, as things stand."""
    return _decidable(seen) and seen.decide(enforce=enforce).action is not Action.KEEP


def _decidable(seen: Standing) -> bool:
    """Without a version there is nothing to choose; one that went while we read is for the next look."""
    active = seen.movie.active_stream_id
    return bool(seen.versions) and (active is None or active in seen.versions)


def _by_itself(seen: Standing, was: Decision, becomes: Decision) -> Difference:
    then = _version(seen, becomes.chosen)
    against = _said_of(was.chosen, becomes) - _said_of(was.chosen, was)
    lifted = _said_of(becomes.chosen, was) - _said_of(becomes.chosen, becomes)
    return _difference(seen, then, enforced=False, reasons=against, lifted=lifted)


def _by_force(seen: Standing, forced: Decision, falls_short: frozenset[Reason]) -> Difference:
    then = _version(seen, forced.chosen)
    return _difference(seen, then, enforced=True, reasons=falls_short, lifted=frozenset())


def _difference(
    seen: Standing,
    then: StreamVersion | None,
    *,
    enforced: bool,
    reasons: frozenset[Reason],
    lifted: frozenset[Reason],
) -> Difference:
    return Difference(
        movie=seen.movie,
        effect=_effect(seen.active, then),
        now=seen.active,
        then=then,
        enforced=enforced,
        reasons=reasons,
        lifted=lifted,
    )


def _effect(now: StreamVersion | None, then: StreamVersion | None) -> Effect:
    if now is then:
        return Effect.KEPT
    if now is None:
        return Effect.PUBLISHED
    if then is None:
        return Effect.WITHDRAWN
    better = now.quality is None or (then.quality is not None and then.quality > now.quality)
    return Effect.UPGRADED if better else Effect.REPLACED


def _said_of(key: str | None, decision: Decision) -> frozenset[Reason]:
    verdict = next((verdict for verdict in decision.verdicts if verdict.key == key), None)
    return _SETTLED.intersection(verdict.reasons) if verdict else frozenset()


def _version(seen: Standing, key: str | None) -> StreamVersion | None:
    return seen.versions[uuid.UUID(key)] if key else None


def _versions(movie_ids: list[int]) -> dict[int, dict[uuid.UUID, StreamVersion]]:
    rows = StreamVersion.objects.filter(movie_id__in=movie_ids).only(*_VERSION)
    found: dict[int, dict[uuid.UUID, StreamVersion]] = defaultdict(dict)
    for version in rows.order_by("movie_id", "pk").prefetch_related("provider"):
        found[version.movie_id][version.pk] = version
    return found
