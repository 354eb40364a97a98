"""Reading the catalogue over HTTP: published movies for anyone, all for staff. Nothing is written here."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import paging
from core.api.contract import Tag, operation
from core.caching import Caching
from core.paging import HOW_MANY, LINK, Paged
from core.problems import Problem
from core.roles import Role, has_role
from core.serializers import Choice, Strict
from streaming.api import shapes
from streaming.api.versions import versions_of
from streaming.models import Movie
from streaming.pages import image_url
from streaming.quality import Quality
from streaming.querysets import MovieQuerySet, Publicity

PAGE_SIZE = 24
FOR_STAFF = "Only staff ask for movies by their standing."
UNKNOWN_MOVIE = Problem(404, "There is no movie 550.", reason="not_found")
EVERY = "any"
ORDERS = {
    f"{turn}{column}": order if turn == sign else paging.turned(order)
    for column, sign in {"popularity": "-", "title": "", "release_date": "-", "switched_at": "-"}.items()
    for order in [(f"{sign}{column}", "id")]
    for turn in ("-", "")
}
"""What a list may be ordered by. Each has an index, which is read from either end."""

STAFF_FIELDS = (
    "pinned",
    "hidden",
    "locked_fields",
    "removed_at",
    "discovered_at",
    "metadata_at",
    "tmdb_gone_at",
    "matched_at",
    "refresh_at",
    "next_check_at",
    "fruitless_searches",
)


class Rung(Choice):
    """A quality by its label."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[quality.label for quality in Quality], **options)

    def to_internal_value(self, data: Any) -> Any:
        return Quality.from_label(super().to_internal_value(data))


def _year(words: str) -> serializers.IntegerField:
    return serializers.IntegerField(required=False, min_value=1870, max_value=2200, help_text=words)


class Filters(Strict):
    """What narrows the list down. A `source` is the question that it comes to."""

    genre = serializers.CharField(
        source="genres__holds",
        required=False,
        max_length=60,
        help_text="One of a movie's `genres`, as written there.",
    )
    language = serializers.RegexField(
        "^[a-z]{2,3}$",
        source="original_language",
        required=False,
        help_text="The language that it was made in (ISO 639-1).",
    )
    year = _year("Released in this year.")
    year_from = _year("Released in this year or later.")
    year_to = _year("Released in this year or before.")
    quality = Rung(source="active_quality", required=False, help_text="This one exactly.")
    min_quality = Rung(source="active_quality__gte", required=False, help_text="This one or better.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Years become days, which an index knows."""
        if year := attrs.pop("year", None):
            attrs["release_date__range"] = date(year, 1, 1), date(year, 12, 31)
        if first := attrs.pop("year_from", None):
            attrs["release_date__gte"] = date(first, 1, 1)
        if last := attrs.pop("year_to", None):
            attrs["release_date__lte"] = date(last, 12, 31)
        return attrs


class ListQuery(Filters, Paged):
    example = {"q": "sintel", "genre": "Animation", "min_quality": "1080p", "ordering": "-release_date"}

    q = serializers.CharField(
        required=False, max_length=100, allow_blank=True, help_text="Words of either title, in any case."
    )
    ordering = Choice(choices=list(ORDERS), default="-popularity", help_text="`-`: the largest first.")
    standing = Choice(choices=[*Publicity.values, EVERY], required=False, help_text="For staff.")
    limit = serializers.IntegerField(default=PAGE_SIZE, min_value=1, max_value=100, help_text=HOW_MANY)


class DetailQuery(Strict):
    example = {"include": "versions"}

    include = Choice(choices=["versions"], required=False, help_text="What else the answer is to hold.")


class MovieList(APIView):
    permission_classes = [AllowAny]
    caching = Caching.SHARED

    @operation(
        "listMovies",
        Tag.CATALOGUE,
        shapes.MoviePage,
        query=ListQuery,
        refuses=[Problem(403, FOR_STAFF)],
        headers=LINK,
    )
    def get(self, request: Request) -> Response:
        """Movies, page by page.

        Published ones; staff may ask for those of another `standing`, and then see more of each. Go on by
        `next`: what comes, goes or moves meanwhile neither hides nor repeats a movie that stays.
        """
        place, asked = ListQuery.read_apart(request.query_params)
        standing = asked.pop("standing", None)
        if standing and not is_staff(request):
            self.permission_denied(request, FOR_STAFF)
        order = ORDERS[asked.pop("ordering")]
        movies = _standing(standing).search(asked.pop("q", "")).filter(**asked)
        page = paging.read(request, movies, order, **place)
        return page.response(
            {"next": page.next, "results": [movie_body(movie, staff=bool(standing)) for movie in page.rows]}
        )


class MovieDetail(APIView):
    permission_classes = [AllowAny]
    caching = Caching.SHARED

    @operation("getMovie", Tag.CATALOGUE, shapes.MovieDetail, query=DetailQuery, refuses=[UNKNOWN_MOVIE])
    def get(self, request: Request, movie_id: int) -> Response:
        """One movie.

        A published one, or for staff any, with what only they know. `include=versions` adds what
        `stream-versions` says.
        """
        asked, staff = DetailQuery.read(request.query_params), is_staff(request)
        movies = Movie.objects.all() if staff else Movie.objects.published()
        movie = movies.filter(pk=movie_id).first()
        if movie is None:
            raise Problem(404, f"There is no movie {movie_id}.", reason="not_found")
        body = movie_body(movie, staff=staff)
        if "include" in asked:
            body["versions"] = versions_of(movie_id, staff=staff, at=timezone.now())
        return Response(body)


def is_staff(request: Request) -> bool:
    return has_role(request.user, Role.VIEWER)


def movie_body(movie: Movie, *, staff: bool = False) -> dict[str, Any]:
    """One movie: as the public may know it, or with what only staff do."""
    shown = {
        "id": movie.pk,
        "imdb_id": movie.imdb_id,
        "title": movie.title,
        "original_title": movie.original_title,
        "original_language": movie.original_language,
        "year": movie.year,
        "release_date": movie.release_date,
        "runtime_min": movie.runtime_min,
        "genres": movie.genres,
        "tagline": movie.tagline,
        "overview": movie.overview,
        "poster": image_url(movie.poster_path, "w500"),
        "backdrop": image_url(movie.backdrop_path, "w1280"),
        "popularity": movie.popularity,
        "vote_average": movie.vote_average,
        "vote_count": movie.vote_count,
        "quality": _label(movie.active_quality),
        "seq": movie.switch_seq,
        "switched_at": movie.switched_at,
    }
    return {**shown, **_staff_fields(movie)} if staff else shown


def _staff_fields(movie: Movie) -> dict[str, Any]:
    own = {name: getattr(movie, name) for name in STAFF_FIELDS}
    return {"target_quality": _label(movie.target_quality), **own}


def _standing(asked: str | None) -> MovieQuerySet:
    if asked == EVERY:
        return Movie.objects.all()
    return Movie.objects.standing(Publicity(asked or Publicity.PUBLISHED))


def _label(quality: int | None) -> str | None:
    return None if quality is None else Quality(quality).label
