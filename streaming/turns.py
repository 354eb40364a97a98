"""How a turn of a movie's log is read, taken and finished: inserting its row *is* taking it.

Five steps, any of which may be the last of a killed process: read, plan, insert (the commit point), update
the versions, update the movie. The next reader, or the sweep, finishes what was left half done.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, cast

from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, connections, models, router, transaction

from core import conf
from core.outages import OUTAGES
from streaming import events, plans, policy
from streaming.errors import Contended, StaleSeq, UnknownMovie
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.plans import Actor, Plan
from streaming.standing import Standing, candidate, with_columns

logger = logging.getLogger(__name__)

MAX_TURNS = 50
PAGE = 500
_POINTER = (
    "active_stream_id",
    "active_quality",
    "switched_at",
    "pinned",
    "hidden",
    "target_quality",
    "removed_at",
)
_DEAD_ENDS = {StreamSwitch.Reason.FAILOVER, StreamSwitch.Reason.WITHDRAWN}

Planner = Callable[[Standing], Plan | None]


def read(movie_id: int, *, at: datetime) -> Standing:
    """One movie, read afresh, after finishing whatever turn was left half done. Raises UnknownMovie."""
    while True:
        movie = Movie.objects.filter(pk=movie_id).first()
        if movie is None:
            raise UnknownMovie(f"There is no movie {movie_id}.")
        half_done = StreamSwitch.objects.filter(
            pk=StreamSwitch.key_for(movie_id, movie.switch_seq + 1)
        ).first()
        if half_done is None:
            break
        finish(half_done)
    newest = StreamSwitch.objects.filter(pk=StreamSwitch.key_for(movie_id, movie.switch_seq)).first()
    return _standing(movie, newest.after if newest else None, at)


def finish(row: StreamSwitch) -> None:
    """Carry out a turn from its row. Doing it twice, or late, changes nothing."""
    for key, columns in row.effects["versions"].items():
        waiting = StreamVersion.objects.filter(pk=key, switch_seq__lt=row.seq)
        waiting.update(**_python(StreamVersion, columns), switch_seq=row.seq)
    correction = _correct(row)
    movie = Movie.objects.filter(pk=row.movie_id, switch_seq=row.seq - 1)
    if movie.update(**_pointer_after(row)):
        events.nudge(row)
    if correction:
        finish(correction)


def finish_pending(*, since: datetime, limit: int = 500) -> int:
    """Finish the turns taken since a moment whose process died before it was done; how many there were.

    The newest come first, `limit` at most: the others wait for the next sweep. One that cannot be finished
    is logged, and keeps nobody else from it.
    """
    return sum(_finished(movie_id, since) for movie_id in list(islice(_half_done(since), limit)))


def _finished(movie_id: int, at: datetime) -> bool:
    try:
        read(movie_id, at=at)
    except OUTAGES:
        raise
    except Exception:
        logger.exception("the last turn of movie %s cannot be finished", movie_id)
        return False
    return True


def _half_done(since: datetime) -> Iterator[int]:
    """Movies whose newest turn is half done, and with it the one that corrects it, if there is one."""
    newest_first = StreamSwitch.objects.filter(at__gte=since).order_by("-at", "-id")
    taken = newest_first.values_list("movie_id", "seq").iterator(chunk_size=PAGE)
    while page := list(islice(taken, PAGE)):
        movies = Movie.objects.filter(pk__in={movie_id for movie_id, _ in page})
        reached = dict(movies.values_list("pk", "switch_seq"))
        yield from (movie for movie, seq in page if reached.get(movie) == seq - 1)


def take(
    movie_id: int, plan: Planner, actor: Actor, comment: str, at: datetime, if_seq: int | None = None
) -> StreamSwitch | None:
    """Plan on a fresh view and take the turn, again and again until it is won. None: nothing to change.

    Raises UnknownMovie, StaleSeq, Contended, and whatever `plan` raises.
    """
    _refuse_open_transaction()
    for _ in range(MAX_TURNS):
        seen = read(movie_id, at=at)
        if if_seq is not None and seen.movie.switch_seq != if_seq:
            raise StaleSeq(f"{seen.movie} is at turn {seen.movie.switch_seq}, not {if_seq}. Look again.")
        planned = plan(seen)
        if planned is None:
            return None
        if row := insert(seen, planned, actor, comment):
            return row
    raise Contended(f"Movie {movie_id} is being switched by others all the time. Try again later.")


def insert(seen: Standing, plan: Plan, actor: Actor, comment: str) -> StreamSwitch | None:
    """Take the turn that follows `seen` and finish it. None when somebody else has taken it."""
    row = _row(seen, plan, actor, comment)
    if not _insert(row):
        return None
    finish(row)
    return row


def _correct(row: StreamSwitch) -> StreamSwitch | None:
    """Take the turn after one that announced its version as it was read, if it was written to meanwhile.

    Before the turn is done: a process that dies until then leaves one that is half done, and so found.
    """
    movie = Movie.objects.filter(pk=row.movie_id, switch_seq=row.seq - 1).first()
    if movie is None or row.to_version is None:
        return None
    for name, value in _pointer_after(row).items():
        setattr(movie, name, value)
    seen = _standing(movie, row.after, row.at)
    plan = plans.by_observation(seen, row.to_version, {})
    correction = _row(seen, plan, plans.SYSTEM, "") if plan else None
    return correction if correction and _insert(correction) else None


def _standing(movie: Movie, announced: dict[str, Any] | None, at: datetime) -> Standing:
    versions = StreamVersion.objects.of(movie.pk).prefetch_related("provider")
    return Standing(
        movie=movie,
        versions={version.pk: version for version in versions},
        announced=announced,
        options=conf.current(),
        at=at,
    )


def _pointer_after(row: StreamSwitch) -> dict[str, Any]:
    return {**_python(Movie, row.effects["movie"]), "switch_seq": row.seq}


def _insert(row: StreamSwitch) -> bool:
    """Take the turn: the commit point. False when somebody else has it."""
    try:
        with transaction.atomic(using=router.db_for_write(StreamSwitch), durable=True):
            row.save()
    except IntegrityError:
        # A retried insert can meet itself: the row is ours when it carries our own attempt.
        return StreamSwitch.objects.filter(pk=row.pk, attempt=row.attempt).exists()
    return True


def _row(seen: Standing, plan: Plan, actor: Actor, comment: str) -> StreamSwitch:
    """The log row that says everything that finishing it will write."""
    movie, left = seen.movie, seen.active
    moved = (left.pk if left else None) != (plan.to.pk if plan.to else None)
    to = with_columns(plan.to, plan.versions.get(plan.to.pk, {})) if plan.to else None
    pointer = {name: getattr(movie, name) for name in _POINTER} | {
        "active_stream_id": to.pk if to else None,
        "active_quality": to.quality if to else None,
        **({"switched_at": seen.at} if moved else {}),
        **plan.movie,
    }
    return StreamSwitch(
        id=StreamSwitch.key_for(movie.pk, movie.switch_seq + 1),
        movie_id=movie.pk,
        seq=movie.switch_seq + 1,
        reason=plan.reason,
        from_version=left.pk if left else None,
        to_version=to.pk if to else None,
        from_quality=movie.active_quality,
        to_quality=pointer["active_quality"],
        at=seen.at,
        actor_id=actor.id,
        actor_name=actor.name,
        comment=comment,
        undoes=plan.undoes,
        decision=plan.decision,
        effects=_json({"movie": pointer, "versions": {str(k): v for k, v in plan.versions.items()}}),
        before=seen.announced,
        after=plan.after(),
        same_edition=_same_edition(left, to),
        from_valid_until=_playable_until(seen, left) if moved and plan.reason not in _DEAD_ENDS else None,
        attempt=uuid.uuid4(),
    )


def _playable_until(seen: Standing, left: StreamVersion | None) -> datetime | None:
    """How long the version that is left may still be played: its grace period, or what ends before that."""
    if left is None or any(policy.unplayable(candidate(left), seen.at)):
        return None
    grace = seen.at + timedelta(hours=seen.options.grace_period_hours)
    return min(end for end in (grace, left.rights_until, left.url_expires_at) if end is not None)


def _same_edition(left: StreamVersion | None, to: StreamVersion | None) -> bool:
    """Same cut and a language in common, as far as either is known."""
    if left is None or to is None:
        return True
    cut = not left.edition or not to.edition or left.edition.casefold() == to.edition.casefold()
    spoken = not left.languages or not to.languages or bool(set(left.languages) & set(to.languages))
    return cut and spoken


def _refuse_open_transaction() -> None:
    """A turn inside a transaction would not be one until it commits, and could still be rolled back."""
    blocks = connections[router.db_for_write(StreamSwitch)].atomic_blocks
    if blocks and not getattr(blocks[-1], "_from_testcase", False):
        raise RuntimeError("A switch cannot be made inside an open transaction.")


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def _python(model: type[models.Model], columns: Mapping[str, Any]) -> dict[str, Any]:
    """Stored JSON as the values of the model's columns."""
    fields = {name: cast("models.Field[Any, Any]", model._meta.get_field(name)) for name in columns}
    return {name: fields[name].to_python(value) for name, value in columns.items()}
