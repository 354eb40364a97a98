"""Reading streams over HTTP. Nothing is written here."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.permissions import IsViewer
from core.problems import Problem
from core.roles import Role, has_role
from streaming import events, public
from streaming.models import Movie, StreamSwitch, StreamVersion

STAFF_FIELDS = (
    "url",
    "claim",
    "evidence",
    "strikes",
    "last_outcome",
    "probed_at",
    "next_check_at",
    "first_seen",
    "last_seen",
    "expired_at",
    "retired_at",
    "replaced_by",
    "suppressed_at",
    "suppressed_until",
    "suppressed_why",
    "on_trial",
    "switch_seq",
)


class ActiveStream(APIView):
    """GET the stream that is active now. With `If-None-Match`, 304 while it is the same."""

    permission_classes = [AllowAny]

    def get(self, request: Request, movie_id: int) -> Any:
        try:
            body = public.active_stream(movie_id, at=timezone.now())
        except public.NoStream as missing:
            raise Problem(404, str(missing), reason=missing.reason) from None
        return _with_entity_tag(request._request, body)


class StreamVersions(APIView):
    """GET every version of a movie; staff see what is not for the public."""

    permission_classes = [AllowAny]

    def get(self, request: Request, movie_id: int) -> Response:
        staff = has_role(request.user, Role.VIEWER)
        movie = _movie(movie_id, staff=staff)
        versions = StreamVersion.objects.of(movie_id).order_by("first_seen", "id")
        verdicts = _verdicts(movie)
        return Response([_version(v, movie, verdicts, staff=staff) for v in versions])


class Switches(APIView):
    """GET a movie's switch log, newest first, each turn with its decision."""

    permission_classes = [IsViewer]

    def get(self, request: Request, movie_id: int) -> Response:
        _movie(movie_id, staff=True)
        rows = StreamSwitch.objects.of(movie_id)[:200]
        return Response([switch_body(row) for row in rows])


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


def _verdicts(movie: Movie) -> dict[str, dict[str, Any]]:
    """What the newest decision said of each version."""
    decided = StreamSwitch.objects.of(movie.pk).exclude(decision={}).first()
    return {v["version"]: v for v in decided.decision.get("verdicts", [])} if decided else {}


def _version(
    version: StreamVersion, movie: Movie, verdicts: dict[str, dict[str, Any]], *, staff: bool
) -> dict[str, Any]:
    verdict = verdicts.get(str(version.pk), {})
    shown: dict[str, Any] = {
        "id": str(version.pk),
        "provider": version.provider_id,
        "active": movie.active_stream_id == version.pk,
        "state": version.state,
        "delivery": version.delivery,
        "quality": version.quality_label,
        "claimed_quality": version.get_claimed_quality_display(),
        "verified_quality": version.get_verified_quality_display(),
        "width": version.width,
        "height": version.height,
        "edition": version.edition,
        "languages": version.languages,
        "eligible": verdict.get("eligible"),
        "reasons": verdict.get("reasons", []),
    }
    return {**shown, **_staff_fields(version)} if staff else shown


def _staff_fields(version: StreamVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in STAFF_FIELDS}


def _with_entity_tag(request: HttpRequest, body: dict[str, Any]) -> HttpResponse:
    encoded = json.dumps(body).encode()
    tag = f'"{hashlib.sha256(encoded).hexdigest()[:32]}"'
    response = HttpResponse(encoded, content_type="application/json")
    response["Cache-Control"] = "no-cache"
    response["ETag"] = tag
    patch_vary_headers(response, ["Accept-Encoding"])
    return get_conditional_response(request, etag=tag, response=response) or response
