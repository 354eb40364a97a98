"""Moving a movie's stream over HTTP: a request says what is wanted, the probe and the log what happens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from core.api.contract import Tag, operation
from core.permissions import IsEditor, IsViewer
from core.problems import Problem
from core.roles import Role, has_role
from core.routes import LARGEST_ID
from core.serializers import Nothing, Strict
from core.throttles import PerAccount, Scoped
from ingestion import editors, runs
from ingestion.api import shapes
from ingestion.api.jobs import run_body
from ingestion.api.refusals import REFUSED, UNKNOWN, as_problems
from ingestion.models import Job
from streaming import turns, verification
from streaming.api.movies import UNKNOWN_MOVIE
from streaming.api.shapes import OTHER_VERSION, VERSION, Decision
from streaming.api.views import switch_body
from streaming.models import Movie
from streaming.querysets import MovieQuerySet
from streaming.switching import Suppression, actor_of

PUBLIC_RUN = ("id", "job", "movie", "status", "queued_at")
NOTHING_TO_UNDO = Problem(409, "No switch of Sintel (2010) is left to undo.", reason="nothing_to_undo")
PAST_GRACE = Problem(409, "That stream was retired too long ago.", reason="past_grace")


class IfSeq(serializers.IntegerField):
    """The turn that whoever asks believes to be the newest."""

    def __init__(self) -> None:
        said = "Only if this is still its newest switch."
        super().__init__(required=False, min_value=0, max_value=LARGEST_ID, help_text=said)


class Activation(Strict):
    example = {"version": OTHER_VERSION, "reason": "The better cut", "pin": False, "if_seq": 2}

    version = serializers.UUIDField()
    reason = serializers.CharField(max_length=500)
    pin = serializers.BooleanField(default=False)
    suppress_current = serializers.BooleanField(default=False)
    if_seq = IfSeq()


class Rollback(Strict):
    example = {"reason": "Wrong cut", "suppress": "forever", "if_seq": 2}

    reason = serializers.CharField(max_length=500)
    suppress = serializers.ChoiceField(choices=Suppression.choices, default=Suppression.FOREVER)
    until = serializers.DateTimeField(required=False)
    pin = serializers.BooleanField(default=False)
    if_seq = IfSeq()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        until: datetime | None = attrs.get("until")
        if (attrs["suppress"] == Suppression.UNTIL) != (until is not None):
            raise serializers.ValidationError({"until": 'Give it with "suppress": "until", and only then.'})
        if until is not None and until <= self.context["at"]:
            raise serializers.ValidationError({"until": "It has to lie ahead of now."})
        return attrs


class ActivateStream(APIView):
    permission_classes = [IsEditor]

    @operation(
        "activateStream", Tag.STREAMS, shapes.Moved, body=Activation, refuses=[*UNKNOWN, *REFUSED.values()]
    )
    def post(self, request: Request, movie_id: int) -> Response:
        """Make a version the active one.

        It is probed first. With `if_seq` nothing happens if the movie has moved on since you looked.
        """
        wanted = Activation.read(request.data)
        with as_problems():
            row = editors.activate(
                movie_id,
                wanted.pop("version"),
                actor=actor_of(request.user),
                comment=wanted.pop("reason"),
                at=timezone.now(),
                **wanted,
            )
        return Response({"changed": row is not None, "switch": switch_body(row) if row else None})


class RollBack(APIView):
    permission_classes = [IsEditor]

    @operation(
        "rollBack",
        Tag.STREAMS,
        shapes.Moved,
        body=Rollback,
        refuses=[UNKNOWN_MOVIE, *REFUSED.values(), NOTHING_TO_UNDO, PAST_GRACE],
    )
    def post(self, request: Request, movie_id: int) -> Response:
        """Undo the newest switch.

        Where it leads is probed first. `suppress` says for how long the stream that is left must not come
        back.
        """
        at = timezone.now()
        wanted = Rollback.read(request.data, at=at)
        with as_problems():
            row = editors.rollback(
                movie_id,
                actor=actor_of(request.user),
                comment=wanted.pop("reason"),
                at=at,
                **wanted,
            )
        return Response({"changed": True, "switch": switch_body(row)})


class WhyThisOne(APIView):
    permission_classes = [IsViewer]

    @operation("getDecision", Tag.STREAMS, Decision, refuses=[UNKNOWN_MOVIE])
    def get(self, request: Request, movie_id: int) -> Response:
        """Why this stream, and why not that one.

        The decision as it would be made now, with every reason for and against each version.
        """
        with as_problems():
            seen = turns.read(movie_id, at=timezone.now())
        return Response({"movie": movie_id, "seq": seen.movie.switch_seq, **seen.decide().as_json()})


class Recheck(APIView):
    permission_classes = [IsAuthenticated]
    throttle_scope = "recheck"

    def get_throttles(self) -> list[BaseThrottle]:
        return [PerAccount() if has_role(self.request.user, Role.EDITOR) else Scoped()]

    @operation("recheckMovie", Tag.STREAMS, shapes.Recheck, status=202, body=Nothing, refuses=[UNKNOWN_MOVIE])
    def post(self, request: Request, movie_id: int) -> Response:
        """Search and probe a movie again.

        Soon, and once, however many ask. Editors may as often as they may do anything.
        """
        Nothing.read(request.data)
        editor = has_role(request.user, Role.EDITOR)
        _require(Movie.objects.present() if editor else Movie.objects.published(), movie_id)
        who = request.user.get_username()
        run, created = runs.ask(Job.MATCH, movie_id=movie_id, trigger="api", by=who, at=timezone.now())
        shown = run_body(run)
        if not has_role(request.user, Role.VIEWER):  # who else asked, and what went wrong, is for staff
            shown = {name: shown[name] for name in PUBLIC_RUN}
        return Response(shown | {"again": not created}, status=202)


class PlaybackReport(Strict):
    example = {"version": VERSION, "code": "player_3016"}

    version = serializers.UUIDField()
    code = serializers.CharField(max_length=100, required=False, allow_blank=True)


class PlaybackReports(APIView):
    permission_classes = [AllowAny]
    throttle_classes = [Scoped]
    throttle_scope = "report"

    @operation(
        "reportPlayback",
        Tag.STREAMS,
        shapes.Accepted,
        status=202,
        body=PlaybackReport,
        refuses=[UNKNOWN_MOVIE],
    )
    def post(self, request: Request, movie_id: int) -> Response:
        """Report that a stream does not play.

        It only makes the next probe of that stream due; it never changes anything by itself.
        """
        version = PlaybackReport.read(request.data)["version"]
        movie = _require(Movie.objects.published(), movie_id)
        if movie.active_stream_id == version:
            verification.look_soon(version, at=timezone.now())
        return Response({"accepted": True}, status=202)


def _require(movies: MovieQuerySet, movie_id: int) -> Movie:
    movie = movies.filter(pk=movie_id).first()
    if movie is None:
        raise Problem(404, f"There is no movie {movie_id}.", reason="not_found")
    return movie
