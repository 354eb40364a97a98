"""Moving a movie's stream over HTTP: a request says what is wanted, the probe and the log what happens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.permissions import IsEditor, IsViewer
from core.problems import Problem
from core.roles import Role, has_role
from core.throttles import Scoped
from ingestion import editors, runs
from ingestion.api.jobs import run_body
from ingestion.api.refusals import as_problems
from ingestion.models import Job
from streaming import plans, switching
from streaming.api.views import switch_body
from streaming.models import Movie, StreamVersion
from streaming.switching import Suppression, actor_of


class Activation(serializers.Serializer[None]):
    version = serializers.UUIDField()
    reason = serializers.CharField(max_length=500)
    pin = serializers.BooleanField(default=False)
    suppress_current = serializers.BooleanField(default=False)
    if_seq = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


class Rollback(serializers.Serializer[None]):
    reason = serializers.CharField(max_length=500)
    suppress = serializers.ChoiceField(choices=Suppression.choices, default=Suppression.FOREVER)
    until = serializers.DateTimeField(required=False)
    pin = serializers.BooleanField(default=False)
    if_seq = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        until: datetime | None = attrs.get("until")
        if (attrs["suppress"] == Suppression.UNTIL) != (until is not None):
            raise serializers.ValidationError({"until": 'Give it with "suppress": "until", and only then.'})
        if until is not None and until <= timezone.now():
            raise serializers.ValidationError({"until": "It has to lie ahead of now."})
        return attrs


class ActivateStream(APIView):
    """POST: make another version active, after probing it."""

    permission_classes = [IsEditor]

    def post(self, request: Request, movie_id: int) -> Response:
        asked = Activation(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = dict(asked.validated_data)
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
    """POST: undo the newest switch, after probing where that leads."""

    permission_classes = [IsEditor]

    def post(self, request: Request, movie_id: int) -> Response:
        asked = Rollback(data=request.data)
        asked.is_valid(raise_exception=True)
        wanted = dict(asked.validated_data)
        with as_problems():
            row = editors.rollback(
                movie_id,
                actor=actor_of(request.user),
                comment=wanted.pop("reason"),
                at=timezone.now(),
                **wanted,
            )
        return Response({"changed": True, "switch": switch_body(row)})


class WhyThisOne(APIView):
    """GET the decision as it would be made now; nothing is written."""

    permission_classes = [IsViewer]

    def get(self, request: Request, movie_id: int) -> Response:
        with as_problems():
            seen = switching.view(movie_id, at=timezone.now())
        return Response({"movie": movie_id, "seq": seen.movie.switch_seq, **plans.decide(seen).as_json()})


class Recheck(APIView):
    """POST: search and probe this movie again, soon."""

    permission_classes = [IsAuthenticated]
    throttle_classes = [Scoped]
    throttle_scope = "recheck"

    def post(self, request: Request, movie_id: int) -> Response:
        staff = has_role(request.user, Role.EDITOR)
        movies = Movie.objects.present() if staff else Movie.objects.published()
        if not movies.filter(pk=movie_id).exists():
            raise Problem(404, f"There is no movie {movie_id}.", reason="not_found")
        run, created = runs.queue(
            Job.MATCH,
            movie_id=movie_id,
            trigger="api",
            requested_by=request.user.get_username(),
            at=timezone.now(),
        )
        return Response(run_body(run) | {"again": not created}, status=202)


class Report(serializers.Serializer[None]):
    version = serializers.UUIDField()
    code = serializers.CharField(max_length=100, required=False, allow_blank=True)


class PlaybackReports(APIView):
    """POST a player's error. It only makes the next probe of that stream due; it never changes a state."""

    permission_classes = [AllowAny]
    throttle_classes = [Scoped]
    throttle_scope = "report"

    def post(self, request: Request, movie_id: int) -> Response:
        report = Report(data=request.data)
        report.is_valid(raise_exception=True)
        movie = Movie.objects.published().filter(pk=movie_id).first()
        if movie is None:
            raise Problem(404, f"There is no movie {movie_id}.", reason="not_found")
        version = report.validated_data["version"]
        if movie.active_stream_id == version:
            hurry(version, at=timezone.now())
        return Response({"accepted": True}, status=202)


def hurry(version_id: Any, *, at: datetime) -> None:
    """Let the next tick probe a healthy stream. A suspect one is waiting for its second strike already."""
    healthy = StreamVersion.objects.filter(pk=version_id, state=StreamVersion.State.HEALTHY)
    healthy.filter(next_check_at__gt=at).update(next_check_at=at)
