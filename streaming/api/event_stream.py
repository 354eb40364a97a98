"""What the document says of `stream-events`, which `streaming.live` answers before Django: nothing runs."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from core.api.contract import Outside, Tag, operation
from core.problems import Problem
from streaming import events
from streaming.api import shapes

PATH = "/api/movies/{movie_id}/stream-events"
ROUTE = "/api/movies/<movie:movie_id>/stream-events"


class StreamEvents(Outside):
    events = {
        "snapshot": (shapes.ActiveStream, shapes.NoStream),
        **dict.fromkeys(sorted(set(events.EVENT_TYPES.values())), shapes.StreamEvent),
        "gone": shapes.Gone,
    }

    @operation(
        "watchMovie",
        Tag.STREAMS,
        None,
        media_type="text/event-stream",
        headers={"Cache-Control": "`no-store, no-transform`."},
        request_headers={"Last-Event-ID": "The event that was heard last: what came since is told."},
        refuses=[
            Problem(400, "This host name is not served here."),
            Problem(404, "There is no such movie."),
            Problem(429, "100 event streams are open from your address."),
            Problem(503, "The server is restarting."),
        ],
    )
    def get(self, request: Request, movie_id: int) -> HttpResponse:
        """Follow a movie's stream while it is watched.

        Server-sent events: first a `snapshot`, which is the body of `active-stream`; then what happens to it,
        event by event, each a switch of the log; `gone` at last, if the movie is. `x-events` names the shape
        of each. The id of an event is its switch's, `<movie>:<seq>`.
        """
        raise NotImplementedError(PATH)


def declare(endpoints: list[Any]) -> list[Any]:
    """A hook of drf-spectacular's: the document tells this path as well."""
    return [*endpoints, StreamEvents.at(PATH, ROUTE)]
