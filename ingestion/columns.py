"""Values from outside made to fit our columns."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, Model

from providers.tmdb import MovieDetails
from streaming.models import Movie


def fitted(model: type[Model], columns: dict[str, Any]) -> dict[str, Any]:
    """Texts cut to what their columns hold: a long attribution is no reason to lose a stream."""
    room = {f.name: f.max_length for f in model._meta.get_fields() if isinstance(f, CharField)}
    return {name: value[: room[name]] if name in room else value for name, value in columns.items()}


def movie_columns(details: MovieDetails) -> dict[str, Any]:
    """What TMDB says of a movie."""
    return fitted(
        Movie,
        {
            "imdb_id": details.imdb_id,
            "title": details.title,
            "original_title": details.original_title,
            "original_language": details.original_language,
            "overview": details.overview,
            "tagline": details.tagline,
            "release_date": details.release_date,
            "runtime_min": details.runtime_min,
            "genres": [genre.name for genre in details.genres],
            "poster_path": details.poster_path,
            "backdrop_path": details.backdrop_path,
            "popularity": details.popularity,
            "vote_average": details.vote_average,
            "vote_count": details.vote_count,
        },
    )
