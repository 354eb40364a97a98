"""Reading a movie's streams over HTTP. Nothing is changed here, unless a turn that a killed process took is
found: whoever reads it finishes it (`streaming.turns`)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import paging
from core.api.contract import Tag, many, operation
from core.caching import Caching
from core.paging import LINK, Paged
from core.permissions import IsViewer
from core.problems import Problem
from core.roles import Role, has_role
from core.routes import LARGEST_ID
from core.serializers import Strict
from streaming import events, public
from streaming.api import shapes
from streaming.api.movies import UNKNOWN_MOVIE
from streaming.api.versions import versions_of
from streaming.models import Movie, StreamSwitch

NOTHING_TO_PLAY = [
    UNKNOWN_MOVIE,
    Problem(404, "Movie 550 has no stream at the moment.", reason="no_stream"),
    Problem(404, "Movie 551 has no stream at the moment.", reason="withdrawn"),
]


class AtTurn(Strict):
    seq = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=LARGEST_ID,
        help_text="The turn that a client has just taken: no cache on the way has an answer for it.",
    )


class ActiveStream(APIView):
    permission_classes = [AllowAny]
    caching = Caching.FRESH

    @operation(
        "getActiveStream",
        Tag.STREAMS,
        shapes.ActiveStream,
        query=AtTurn,
        refuses=NOTHING_TO_PLAY,
    )
    def get(self, request: Request, movie_id: int) -> Response:
        """What to play.

        The stream that is active now; ask again with its `ETag`, and an unchanged one is an empty 304.
        `reason` says why there is nothing: `no_stream` so far, or `withdrawn`.
        """
        AtTurn.read(request.query_params)
        try:
            return Response(public.active_stream(movie_id, at=timezone.now()))
        except public.NoStream as missing:
            raise Problem(404, str(missing), reason=missing.reason) from None


class StreamVersions(APIView):
    permission_classes = [AllowAny]
    caching = Caching.SHARED

    @operation("listStreamVersions", Tag.STREAMS, many(shapes.Version), refuses=[UNKNOWN_MOVIE])
    def get(self, request: Request, movie_id: int) -> Response:
        """Every version of a movie.

        What each claims, what it measured, and why it may be chosen or not. Staff see what is not for the
        public.
        """
        staff = has_role(request.user, Role.VIEWER)
        _movie(movie_id, staff=staff)
        return Response(versions_of(movie_id, staff=staff, at=timezone.now()))


class LogQuery(Paged):
    example = {"limit": 20, "before": 40}

    before = serializers.IntegerField(
        default=LARGEST_ID, min_value=1, max_value=LARGEST_ID, help_text="Those before this `seq`."
    )


class Switches(APIView):
    permission_classes = [IsViewer]

    @operation(
        "listSwitches",
        Tag.STREAMS,
        many(shapes.Switch),
        query=LogQuery,
        refuses=[UNKNOWN_MOVIE],
        headers=LINK,
    )
    def get(self, request: Request, movie_id: int) -> Response:
        """A movie's switch log.

        The newest first, each with its decision; or those `before` a `seq`. `Link` leads to older ones.
        """
        place, asked = LogQuery.read_apart(request.query_params)
        movie = _movie(movie_id, staff=True)
        rows = StreamSwitch.objects.of(movie.pk).filter(seq__lt=asked["before"])
        page = paging.read(request, rows, ("-seq",), **place)
        return page.response([switch_body(row) for row in page.rows])


def switch_body(row: StreamSwitch) -> dict[str, Any]:
    """One turn of the log, for staff."""
    return {
        "id": row.pk,
        **events.payload(row),
        "actor": row.actor_name,
        "comment": row.comment,
        "undoes": row.undoes,
        "decision": row.decision,
    }


def _movie(movie_id: int, *, staff: bool) -> Movie:
    movie = Movie.objects.filter(pk=movie_id).first()
    if movie is None or not (staff or (movie.removed_at is None and not movie.hidden)):
        raise Problem(404, f"There is no movie {movie_id}.", reason="not_found")
    return movie
