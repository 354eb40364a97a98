"""Reading the catalogue over HTTP: published movies alone. Nothing is written here."""

from __future__ import annotations

import math
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.problems import Problem
from core.serializers import Strict
from streaming.api.versions import versions_of
from streaming.models import Movie
from streaming.pages import image_url
from streaming.quality import Quality

PAGE_SIZE = 24


class ListQuery(Strict):
    q = serializers.CharField(required=False, max_length=100, allow_blank=True)
    cursor = serializers.CharField(required=False, max_length=200)


class DetailQuery(Strict):
    include = serializers.ChoiceField(choices=["versions"], required=False)


class Pages(CursorPagination):
    """The popular ones first, and forward only: among equals the library's way back skips some."""

    ordering = ("-popularity", "id")
    page_size = PAGE_SIZE

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The library hands the position to the database as it comes; here it has to be a number."""
        try:
            cursor = super().decode_cursor(request)
            if cursor is not None and not math.isfinite(float(cursor.position or 0)):
                raise ValueError
        except (NotFound, ValueError):
            raise serializers.ValidationError({"cursor": ["Take it from the `next` of a page."]}) from None
        return cursor

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.get_next_link(), "results": data})


class MovieList(APIView):
    """GET published movies; `q` searches their titles, `cursor` is given by the page before."""

    permission_classes = [AllowAny]

    def get(self, request: Request) -> Response:
        asked = ListQuery.read(request.query_params)
        movies = Movie.objects.published().search(asked.get("q", ""))
        pages = Pages()
        page = pages.paginate_queryset(movies, request, view=self) or []
        return pages.get_paginated_response([movie_body(movie) for movie in page])


class MovieDetail(APIView):
    """GET one published movie; `include=versions` adds what `stream-versions` says to the public."""

    permission_classes = [AllowAny]

    def get(self, request: Request, movie_id: int) -> Response:
        asked = DetailQuery.read(request.query_params)
        movie = Movie.objects.published().filter(pk=movie_id).first()
        if movie is None:
            raise Problem(404, f"There is no movie {movie_id}.", reason="not_found")
        body = movie_body(movie)
        if "include" in asked:
            body["versions"] = versions_of(movie_id, staff=False, at=timezone.now())
        return Response(body)


def movie_body(movie: Movie) -> dict[str, Any]:
    """One movie, as the public may know it."""
    quality = movie.active_quality
    return {
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
        "quality": Quality(quality).label if quality is not None else None,
        "seq": movie.switch_seq,
        "switched_at": movie.switched_at,
    }
