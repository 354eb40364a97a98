"""What the public may know of a movie's stream right now.

It is read from the log, so that the body and its seq always belong together.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from streaming.models import Movie, StreamSwitch


class NoStream(Exception):
    """There is nothing to play. `reason` is not_found, no_stream or withdrawn."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def active_stream(movie_id: int, *, at: datetime) -> dict[str, Any]:
    """The body of `active-stream`. Raises NoStream."""
    movie = (
        Movie.objects.present().filter(pk=movie_id, hidden=False).only("switch_seq", "switched_at").first()
    )
    if movie is None:
        raise NoStream("not_found", f"There is no movie {movie_id}.")
    row = StreamSwitch.objects.filter(pk=StreamSwitch.key_for(movie_id, movie.switch_seq)).first()
    if row is None or row.after is None or not _licensed(row.after, at):
        # The pointer moved once and leads nowhere now; the newest turn may be a later word of an editor.
        withdrawn = movie.switched_at is not None and (row is None or row.after is None)
        reason = "withdrawn" if withdrawn else "no_stream"
        raise NoStream(reason, f"Movie {movie_id} has no stream at the moment.")
    return {
        "movie": movie_id,
        "seq": movie.switch_seq,
        "switched_at": movie.switched_at.isoformat() if movie.switched_at else None,
        **row.after,
    }


def _licensed(body: dict[str, Any], at: datetime) -> bool:
    """Rights begin and end on the minute, whether or not the next sweep has come round yet."""
    since, until = (parse_datetime(body["rights"][end] or "") for end in ("valid_from", "valid_until"))
    return (since is None or since <= at) and (until is None or at < until)
