"""Routes that answer with and without a trailing slash, so that nobody is redirected away from a POST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path, register_converter

LARGEST_ID = 2**31 - 1


class MovieId:
    """`<movie:movie_id>`: a TMDB id as it is written, within what every database can look up."""

    regex = "[1-9][0-9]{0,9}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > LARGEST_ID:
            raise ValueError
        return number

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(MovieId, "movie")


def both(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """`route` (written without the slash) and its twin; `reverse` gives the one without."""
    return [path(f"{route}/", view, name=name), path(route, view, name=name)]
