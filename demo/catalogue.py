"""Reads `films.json`, the demo's only list of films. Every mistake in it is a CatalogueError.

Nothing here knows the time or speaks HTTP.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FILMS = HERE / "films.json"
MEDIA = HERE / "media"

CLIP_SECONDS = 60
DELIVERIES = ("hls", "dash", "progressive")
HEIGHTS = (480, 720, 1080, 1440, 2160)
LISTS = ("now_playing", "popular", "top_rated", "upcoming")
BREAKS = ("missing", "page", "withdrawn")
# TMDB's own numbers: https://developer.themoviedb.org/reference/genre-movie-list
GENRES = {
    "Action": 28, "Adventure": 12, "Animation": 16, "Comedy": 35, "Crime": 80, "Documentary": 99, "Drama": 18,
    "Family": 10751, "Fantasy": 14, "History": 36, "Horror": 27, "Music": 10402, "Mystery": 9648,
    "Romance": 10749, "Science Fiction": 878, "Thriller": 53, "War": 10752, "Western": 37,
}  # fmt: skip


class CatalogueError(ValueError):
    """`films.json` says what the demo can't serve; the message names film, field and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One stream of a film, with its life in seconds since the demo's clock began.

    It is listed from `starts` until `ends` (None: for good). From `breaks_at` until `mends_at` it is broken:
    `missing` answers 404, `page` answers 200 with a web page, `withdrawn` answers 404 and is not listed.
    With `every`, the seconds start over at that number. `claims` is what the library says of the quality,
    else it says the truth, `height`.
    """

    id: str
    delivery: str
    height: int
    claims: str = ""
    starts: float = 0
    ends: float | None = None
    breaks_at: float | None = None
    mends_at: float | None = None
    breaks_as: str = "missing"
    every: float | None = None

    @property
    def width(self) -> int:
        """Pixels, 16:9, even as H.264 wants it."""
        return 2 * round(self.height * 8 / 9)

    @property
    def entry(self) -> str:
        """File name of what a player opens first."""
        return self.id + {"hls": ".m3u8", "dash": ".mpd", "progressive": ".mp4"}[self.delivery]

    @property
    def files(self) -> tuple[str, ...]:
        """Every file name of this rendition."""
        playlist = (f"{self.id}.video.m3u8",) if self.delivery == "hls" else ()
        return tuple(dict.fromkeys((f"{self.id}.mp4", self.entry, *playlist)))

    @property
    def has_clip(self) -> bool:
        """Whether there is a clip to make: what only ever answers with a web page has none."""
        return not (self.breaks_as == "page" and self.breaks_at == 0 and self.mends_at is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """One film: facts as TMDB has them, a summary in our own words, the licence, the look, the renditions."""

    tmdb_id: int
    imdb_id: str
    title: str
    original_title: str
    original_language: str
    released: date
    runtime_min: int
    director: str
    country: str
    genres: tuple[str, ...]
    summary: str
    lists: tuple[str, ...]
    licence: str
    licence_url: str
    attribution: str
    territories: tuple[str, ...]
    scene: str
    sky: tuple[str, str]
    accent: str
    renditions: tuple[Rendition, ...]


def load(path: Path = FILMS) -> tuple[Film, ...]:
    """The films in the order of the file. Raises CatalogueError."""
    try:
        rows = json.loads(path.read_text("utf-8"))["films"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CatalogueError(f'{path.name} must be JSON of the form {{"films": [...]}}: {error}') from error
    films = tuple(_film(row) for row in rows)
    _distinct((film.tmdb_id for film in films), "tmdb_id")
    _distinct((film.imdb_id for film in films), "imdb_id")
    return films


def _film(row: Mapping[str, Any]) -> Film:
    name = f"Film {row.get('title') or row.get('tmdb_id')!r}"
    values = dict(row)
    try:
        rights = values.pop("rights")
        renditions = tuple(_rendition(name, each) for each in values.pop("renditions"))
        film = Film(
            **{
                **values,
                **_tuples(values, "genres", "lists", "sky"),
                "released": date.fromisoformat(values["released"]),
            },
            licence=rights["licence"],
            licence_url=rights["licence_url"],
            attribution=rights["attribution"],
            territories=tuple(rights.get("territories", ())),
            renditions=renditions,
        )
    except CatalogueError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CatalogueError(f"{name}: {type(error).__name__}: {error}") from error
    _check_film(name, film)
    return film


def _check_film(name: str, film: Film) -> None:
    _must(film.tmdb_id in range(1, 2**31), f"{name}: tmdb_id is a number from 1 to 2147483647")
    _must(re.fullmatch(r"tt\d{7,9}", film.imdb_id), f'{name}: imdb_id is like "tt1254207"')
    for field in ("title", "director", "summary", "licence", "licence_url", "attribution"):
        _must(getattr(film, field), f"{name}: {field} may not be empty")
    _must(film.runtime_min > 0, f"{name}: runtime_min is a number of minutes")
    _must(set(film.genres) <= set(GENRES), f"{name}: genres are of {', '.join(GENRES)}")
    _must(film.lists and set(film.lists) <= set(LISTS), f"{name}: lists are of {', '.join(LISTS)}")
    _must(
        re.fullmatch(r"[a-z0-9-]+", film.scene),
        f'{name}: scene is the name of a file in scenes/, like "moon"',
    )
    _must(
        len(film.sky) == 2 and all(re.fullmatch(r"#[0-9a-f]{6}", each) for each in (*film.sky, film.accent)),
        f'{name}: sky is two colours and accent is one, like "#0b1026"',
    )
    _distinct((rendition.id for rendition in film.renditions), f"{name}: rendition id")


def _rendition(film: str, row: Mapping[str, Any]) -> Rendition:
    name = f"{film}, rendition {row.get('id')!r}"
    try:
        renamed = {{"from": "starts", "until": "ends"}.get(key, key): value for key, value in row.items()}
        rendition = Rendition(**renamed)
    except TypeError as error:
        raise CatalogueError(f"{name}: {error}") from error
    _must(re.fullmatch(r"[a-z0-9-]{1,40}", str(rendition.id)), f"{name}: id is of a-z, 0-9 and -")
    _must(rendition.delivery in DELIVERIES, f"{name}: delivery is one of {', '.join(DELIVERIES)}")
    _must(rendition.height in HEIGHTS, f"{name}: height is one of {', '.join(map(str, HEIGHTS))}")
    _must(rendition.breaks_as in BREAKS, f"{name}: breaks_as is one of {', '.join(BREAKS)}")
    _check_times(name, rendition)
    return rendition


def _check_times(name: str, rendition: Rendition) -> None:
    times = (rendition.starts, rendition.ends, rendition.breaks_at, rendition.mends_at)
    for seconds in times:
        _must(
            seconds is None
            or (isinstance(seconds, int | float) and 0 <= seconds <= (rendition.every or seconds)),
            f"{name}: times are seconds from 0, and not after `every`",
        )
    _must(rendition.every is None or rendition.every > 0, f"{name}: every is a number of seconds above 0")
    for first, second in ((rendition.starts, rendition.ends), (rendition.breaks_at, rendition.mends_at)):
        _must(
            second is None or (first is not None and first < second),
            f"{name}: {second} must come after {first}",
        )


def _tuples(values: Mapping[str, Any], *names: str) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(values[name]) for name in names}


def _must(truth: object, message: str) -> None:
    if not truth:
        raise CatalogueError(message)


def _distinct(values: Any, what: str) -> None:
    seen: set[object] = set()
    for value in values:
        _must(value not in seen, f"{what} {value!r} stands there twice")
        seen.add(value)
