"""What TMDB says, as values: rows and pages of lists, one movie's details, where pictures are. No parsing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple


class ListKind(StrEnum):
    """The lists that movies are discovered from; each value is the end of its path."""

    NOW_PLAYING = "now_playing"
    POPULAR = "popular"
    TOP_RATED = "top_rated"
    UPCOMING = "upcoming"


class Genre(NamedTuple):
    id: int
    name: str


class Certification(NamedTuple):
    """`country` is ISO 3166-1 alpha-2; `rating` is in that country's own terms ("PG-13", "12A")."""

    country: str
    rating: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieFacts:
    """What list rows and details have in common. Absent text is "", an absent number 0.

    `poster_path` and `backdrop_path` begin with a slash; `TmdbClient.image_url` makes URLs of them.
    `vote_average` is from 0 to 10; `original_language` is ISO 639-1 but for TMDB's own "xx" and "cn".
    """

    tmdb_id: int
    title: str
    adult: bool = False
    original_title: str = ""
    original_language: str = ""
    overview: str = ""
    release_date: date | None = None
    poster_path: str = ""
    backdrop_path: str = ""
    popularity: float = 0.0
    vote_average: float = 0.0
    vote_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieRow(MovieFacts):
    """One row of a list."""

    genre_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieDetails(MovieFacts):
    """One movie. `runtime_min` in minutes, None when unknown; one certification per country."""

    imdb_id: str = ""
    tagline: str = ""
    status: str = ""
    runtime_min: int | None = None
    genres: tuple[Genre, ...] = ()
    spoken_languages: tuple[str, ...] = ()
    certifications: tuple[Certification, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list. `skipped` counts rows that were no movies; one named twice is kept once.

    A page past the end has no rows and, if TMDB did not say better, `total_pages` one less than its number.
    """

    rows: tuple[MovieRow, ...]
    page: int
    total_pages: int
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """One page of the change feed: ids of movies that were edited, each once; the rest is as of `Page`."""

    ids: tuple[int, ...]
    page: int
    total_pages: int
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Where pictures are: base URL with a slash at its end, then a size, then a path."""

    image_base_url: str
    poster_sizes: tuple[str, ...]
    backdrop_sizes: tuple[str, ...]
