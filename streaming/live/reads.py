"""What the hub asks the database: in batches, by key, in the hub's own few threads. Nothing is written.

Everything comes back as encoded frames, so that an event is encoded once however many listen.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from django.db import close_old_connections
from django_eventstream.utils import get_channelmanager, sse_encode_event

from streaming import events
from streaming.live.news import Frame, Gone, News, turns_to_tell
from streaming.models import Movie, StreamSwitch

logger = logging.getLogger(__name__)

BATCH = 500
Item = TypeVar("Item")


class _Where(NamedTuple):
    """A movie's place in its log. The two were read from one row, so they belong together."""

    id: int
    switch_seq: int
    switched_at: datetime | None


def read_news(known: Mapping[int, int | None]) -> list[News | Gone]:
    """What is new of these movies; `known` holds the turn that each is known up to, None if it is not at all.

    Only finished turns are told: those that the movie's own row has reached (`switch_seq`).
    """
    with _connections():
        return [news for batch in _batches(list(known)) for news in _read_batch({i: known[i] for i in batch})]


def read_turns(movie_id: int, turns: Collection[int]) -> list[Frame] | None:
    """The events of these turns, in order. None if the log does not have them all."""
    with _connections():
        rows = _rows([(movie_id, seq) for seq in turns])
    return _events(movie_id, turns, rows)


def gone_frame(movie_id: int) -> bytes:
    """The last event of a movie that the public may no longer see."""
    return _encode("gone", {"movie": movie_id})


@contextmanager
def _connections() -> Iterator[None]:
    """Django's own care at the start and end of a request, for a thread that serves none."""
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


def _read_batch(known: Mapping[int, int | None]) -> list[News | Gone]:
    public = _public(known)
    moved = [where for where in public.values() if where.switch_seq != known[where.id]]
    turns = {where.id: turns_to_tell(known[where.id], where.switch_seq) for where in moved}
    wanted = [(where.id, seq) for where in moved for seq in turns[where.id] or [where.switch_seq]]
    rows = _rows(wanted)
    gone = [Gone(movie_id) for movie_id in known if movie_id not in public]
    return gone + [news for where in moved if (news := _news(where, turns[where.id], rows))]


def _public(known: Mapping[int, int | None]) -> dict[int, _Where]:
    """The movies that anyone may see. Whoever is new is put to the channel manager too."""
    found = Movie.objects.present().filter(pk__in=known, hidden=False)
    places = [_Where(*row) for row in found.values_list("pk", "switch_seq", "switched_at")]
    return {where.id: where for where in places if known[where.id] is not None or _anyone_may_read(where.id)}


def _anyone_may_read(movie_id: int) -> bool:
    allowed: bool = get_channelmanager().can_read_channel(None, events.channel(movie_id))
    return allowed


def _rows(turns: list[tuple[int, int]]) -> dict[str, StreamSwitch]:
    keys = [StreamSwitch.key_for(movie_id, seq) for movie_id, seq in turns if seq]
    light = StreamSwitch.objects.defer("decision", "effects")
    return {row.pk: row for batch in _batches(keys) for row in light.filter(pk__in=batch)}


def _news(where: _Where, turns: Collection[int], rows: Mapping[str, StreamSwitch]) -> News | None:
    row = rows.get(StreamSwitch.key_for(where.id, where.switch_seq))
    if row is None and where.switch_seq:
        logger.error("movie %d is at turn %d, which its log does not have", where.id, where.switch_seq)
        return None
    snapshot = Frame(where.switch_seq, _snapshot(where, row))
    return News(where.id, snapshot, tuple(_events(where.id, turns, rows) or ()))


def _events(movie_id: int, turns: Collection[int], rows: Mapping[str, StreamSwitch]) -> list[Frame] | None:
    found = [rows.get(StreamSwitch.key_for(movie_id, seq)) for seq in turns]
    frames = [_event(row) for row in found if row is not None]
    return frames if len(frames) == len(found) else None


def _event(row: StreamSwitch) -> Frame:
    return Frame(row.seq, _encode(events.event_type(row), events.payload(row), row.pk))


def _snapshot(where: _Where, row: StreamSwitch | None) -> bytes:
    """The body of `active-stream`; with nothing active it holds `"stream": null` in place of the stream."""
    stream = row.after if row is not None and row.after else {"stream": None}
    at = where.switched_at.isoformat() if where.switched_at else None
    body = {"movie": where.id, "seq": where.switch_seq, "switched_at": at, **stream}
    return _encode("snapshot", body, StreamSwitch.key_for(where.id, where.switch_seq))


def _encode(event_type: str, data: dict[str, Any], event_id: str | None = None) -> bytes:
    encoded: str = sse_encode_event(event_type, data, event_id=event_id, json_encode=True)
    return encoded.encode()


def _batches(items: list[Item]) -> Iterator[list[Item]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
