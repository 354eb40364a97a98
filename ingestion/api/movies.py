"""Movies over HTTP, as editors change them: added, edited, withdrawn. Reading is `streaming.api.movies`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.contract import Tag, operation
from core.api.refusals import AWAY
from core.outages import RETRY_AFTER_S
from core.permissions import EditorWrites
from core.problems import Problem
from core.routes import LARGEST_ID
from core.serializers import Choice, Strict, Text
from ingestion import discovery, editors
from ingestion.api import shapes
from ingestion.api.refusals import REFUSED, as_problems
from ingestion.api.streams import IfSeq
from providers import transport
from providers.errors import ProviderError, ProviderRateLimited
from providers.tmdb import TmdbNotFound
from streaming import switching
from streaming.api.movies import UNKNOWN_MOVIE, MovieDetail, MovieList, Rung, movie_body
from streaming.api.shapes import Movie as MovieShape
from streaming.api.views import switch_body
from streaming.errors import Contended, StaleSeq
from streaming.models import Movie
from streaming.switching import actor_of

TMDB_WITHIN_S = 10.0
"""What a request may wait for TMDB, its pace and retries included."""
GUARD = ("if_seq", "reason")
UNKNOWN_TO_TMDB = Problem(404, "TMDB has no movie 550.", reason="not_found")
TMDB_AWAY = Problem(503, "TMDB could not be read: it does not answer.", reason="transient")
STALE, CONTENDED = REFUSED[StaleSeq.code], REFUSED[Contended.code]


class Addition(Strict):
    example = {"tmdb_id": 45745, "reason": "Our viewers ask for it"}

    tmdb_id = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    reason = Text(required=False, allow_blank=True, max_length=500)


class Facts(Strict):
    """What TMDB says of a movie, and editors may say better."""

    imdb_id = serializers.RegexField(r"^(tt\d{7,10})?$", required=False, allow_blank=True)
    title = Text(required=False, max_length=300)
    original_title = Text(required=False, allow_blank=True, max_length=300)
    original_language = serializers.RegexField("^[a-z]{2,3}$", required=False, help_text="ISO 639-1.")
    overview = Text(required=False, allow_blank=True, max_length=10_000)
    tagline = Text(required=False, allow_blank=True, max_length=500)
    release_date = serializers.DateField(required=False, allow_null=True)
    runtime_min = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=10_000)
    genres = serializers.ListField(child=Text(max_length=60), required=False, max_length=20)


class Edit(Facts):
    example = {"title": "Sintel", "target_quality": "2160p", "pinned": False, "reason": "As it is known here"}

    target_quality = Rung(
        required=False, allow_null=True, help_text="In place of TARGET_QUALITY; null: what that says."
    )
    pinned = serializers.BooleanField(required=False, help_text="Whether upgrades leave it alone.")
    hidden = serializers.BooleanField(required=False, help_text="Whether it is kept from the public.")
    locked_fields = serializers.ListField(
        child=Choice(choices=Movie.FACTS),
        required=False,
        help_text="All that discovery must not overwrite. Without it, what is edited here is locked as well.",
    )
    if_seq = IfSeq()
    reason = Text(required=False, allow_blank=True, max_length=500)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not set(attrs) - set(GUARD):
            raise serializers.ValidationError(f"Say what is to change. Known: {', '.join(self.fields)}.")
        return attrs


class Withdrawal(Strict):
    example = {"reason": "The licence has ended"}

    reason = Text(max_length=500, help_text="Why, for the history.")
    if_seq = IfSeq()


class WithdrawalQuery(Withdrawal):
    """What may as well be in the query."""

    reason = Text(required=False, max_length=500, help_text="Why, for the history.")


class Movies(MovieList):
    permission_classes = [EditorWrites]

    @operation(
        "addMovie",
        Tag.CATALOGUE,
        MovieShape,
        status=201,
        also=[200],
        body=Addition,
        refuses=[UNKNOWN_TO_TMDB, CONTENDED, TMDB_AWAY, AWAY],
        headers={"Location": "Where the movie is."},
    )
    def post(self, request: Request) -> Response:
        """Add a movie by its TMDB id.

        Or bring back one that was withdrawn: then, and for one that is there, the answer is 200. It is
        searched for at once. TMDB is asked only about a movie that is not known yet.
        """
        wanted = Addition.read(request.data)
        with as_problems(), _tmdb(wanted["tmdb_id"]):
            movie, created = discovery.add_movie(
                wanted["tmdb_id"],
                at=timezone.now(),
                actor=actor_of(request.user),
                comment=wanted.get("reason", ""),
            )
        movie.refresh_from_db()  # not every database keeps a moment as exactly as it was said
        place = {"Location": reverse("movie", args=[movie.pk])}
        return Response(movie_body(movie, staff=True), status=201 if created else 200, headers=place)


class OneMovie(MovieDetail):
    permission_classes = [EditorWrites]

    @operation(
        "editMovie",
        Tag.CATALOGUE,
        MovieShape,
        body=Edit,
        refuses=[UNKNOWN_MOVIE, STALE, CONTENDED],
    )
    def patch(self, request: Request, movie_id: int) -> Response:
        """Change what is said of a movie.

        What is given, and all of it at once or nothing. What is edited is locked: discovery leaves it alone
        from then on. With `if_seq` nothing happens if the movie has moved on since you looked.
        """
        wanted = Edit.read(request.data)
        with as_problems():
            editors.edit(
                movie_id,
                facts={name: wanted.pop(name) for name in Movie.FACTS if name in wanted},
                locks=wanted.pop("locked_fields", None),
                actor=actor_of(request.user),
                comment=wanted.pop("reason", ""),
                at=timezone.now(),
                **wanted,
            )
        return Response(movie_body(Movie.objects.get(pk=movie_id), staff=True))

    @operation(
        "withdrawMovie",
        Tag.CATALOGUE,
        shapes.Moved,
        query=WithdrawalQuery,
        body=Withdrawal,
        refuses=[UNKNOWN_MOVIE, STALE, CONTENDED],
    )
    def delete(self, request: Request, movie_id: int) -> Response:
        """Withdraw a movie.

        Nobody but staff finds it any more; its history stays, and adding it brings it back. Once withdrawn,
        it stays so: `changed` is false. `reason` and `if_seq` may be in the query instead, as some clients
        send no body with DELETE.
        """
        body = request.data
        wanted = Withdrawal.read({**request.query_params.dict(), **body} if isinstance(body, dict) else body)
        with as_problems():
            row = switching.withdraw(
                movie_id,
                actor=actor_of(request.user),
                comment=wanted["reason"],
                at=timezone.now(),
                if_seq=wanted.get("if_seq"),
            )
        return Response({"changed": row is not None, "switch": switch_body(row) if row else None})


@contextmanager
def _tmdb(tmdb_id: int) -> Iterator[None]:
    """TMDB within a deadline: 404 for what it does not know, 503 with Retry-After when it is of no use."""
    try:
        with transport.deadline(TMDB_WITHIN_S):
            yield
    except TmdbNotFound:
        raise Problem(404, f"TMDB has no movie {tmdb_id}.", reason=TmdbNotFound.code) from None
    except ProviderError as error:
        away = Problem(503, f"TMDB could not be read: {error.message}.", reason=error.code)
        asked_for = error.retry_after_s if isinstance(error, ProviderRateLimited) else None
        away.wait = max(asked_for or 0, RETRY_AFTER_S)
        raise away from None
