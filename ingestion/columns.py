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
    columns = {name: getattr(details, name) for name in Movie.FACTS}
    return fitted(Movie, columns | {"genres": [genre.name for genre in details.genres]})
