"""Reads TMDB's JSON. What identifies a movie must be right, or ValueError says what is not; what only
describes it falls back to "unknown", because a list without a film is worse than a film without its votes.

Pure: no requests, no log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from providers.tmdb_types import Certification, Configuration, Genre, MovieDetails, MovieRow

Row = Mapping[str, Any]

MAX_ID = 2**31 - 1
TITLE_LIMIT = 300
TAGLINE_LIMIT = 500
OVERVIEW_LIMIT = 10_000

_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # databases refuse NUL and surrogates
_IMAGE_PATH = re.compile(r"/[\w-]{1,150}\.(?:jpg|jpeg|png|svg|webp)", re.ASCII)
_IMDB_ID = re.compile(r"tt\d{7,12}", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SIZE = re.compile(r"original|[wh]\d{1,5}", re.ASCII)
_BASE_URL = re.compile(r"https?://[^\s?#]+/", re.ASCII)


def movie_row(row: object) -> MovieRow:
    """One row of a list. Raises ValueError if it is no movie that can be told apart."""
    facts = _object(row, "a row")
    genre_ids = tuple(filter(None, (_whole(number) for number in _items(facts, "genre_ids"))))
    return MovieRow(**_facts(facts), genre_ids=genre_ids)


def changed_id(row: object) -> int:
    """The movie that one row of the change feed names. Raises ValueError if it names none."""
    return _id(_object(row, "a row"))


def movie_details(body: object) -> MovieDetails:
    """The answer of /movie/<id> with external_ids and release_dates. Raises ValueError as `movie_row`."""
    facts = _object(body, "a movie")
    external = facts.get("external_ids")
    appended = _match(external, "imdb_id", _IMDB_ID) if isinstance(external, dict) else ""
    return MovieDetails(
        **_facts(facts),
        imdb_id=appended or _match(facts, "imdb_id", _IMDB_ID),
        tagline=_line(facts, "tagline", TAGLINE_LIMIT),
        status=_line(facts, "status", 40),
        runtime_min=_whole(facts.get("runtime"), most=100_000) or None,
        genres=tuple(_genres(facts)),
        spoken_languages=tuple(dict.fromkeys(_languages(facts))),
        certifications=tuple(_certifications(facts)),
    )


def configuration(body: object) -> Configuration:
    """The answer of /configuration. Raises ValueError if it does not say where pictures are."""
    images = _object(_object(body, "a configuration").get("images"), "images")
    base_url = images.get("secure_base_url") or images.get("base_url")
    if not isinstance(base_url, str) or not _BASE_URL.fullmatch(base_url):
        raise ValueError("images.secure_base_url must be a URL that ends in a slash")
    return Configuration(
        image_base_url=base_url,
        poster_sizes=tuple(_sizes(images, "poster_sizes")),
        backdrop_sizes=tuple(_sizes(images, "backdrop_sizes")),
    )


def rows_of(body: object) -> tuple[Any, ...]:
    """The rows of a list's answer, not yet read."""
    results = _object(body, "a list").get("results")
    if not isinstance(results, list):
        raise ValueError("results must be an array")
    return tuple(results)


def total_pages(body: Row, otherwise: int) -> int:
    return _whole(body.get("total_pages")) or otherwise


def is_image_path(path: str) -> bool:
    return _IMAGE_PATH.fullmatch(path) is not None


def is_movie_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_ID


def _facts(row: Row) -> dict[str, Any]:
    tmdb_id = _id(row)
    original_title = _line(row, "original_title", TITLE_LIMIT)
    title = _line(row, "title", TITLE_LIMIT) or original_title
    if not title:
        raise ValueError(f"movie {tmdb_id} has no title")
    if not isinstance(adult := row.get("adult") or False, bool):  # nobody should guess this one
        raise ValueError(f"adult must be true or false, not {adult!r:.40}")
    return {
        "tmdb_id": tmdb_id,
        "title": title,
        "adult": adult,
        "original_title": original_title,
        "original_language": _match(row, "original_language", _LANGUAGE),
        "overview": _text(row, "overview", OVERVIEW_LIMIT),
        "release_date": _day(row, "release_date"),
        "poster_path": _match(row, "poster_path", _IMAGE_PATH),
        "backdrop_path": _match(row, "backdrop_path", _IMAGE_PATH),
        "popularity": _number(row, "popularity", most=1e9),
        "vote_average": _number(row, "vote_average", most=10.0),
        "vote_count": _whole(row.get("vote_count")),
    }


def _id(row: Row) -> int:
    value = row.get("id")
    if not isinstance(value, int) or not is_movie_id(value):
        raise ValueError(f"id must be a whole number from 1 to {MAX_ID}, not {value!r:.40}")
    return value


def _object(value: object, what: str) -> Row:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object, not {type(value).__name__}")
    return value


def _items(row: Row, name: str) -> Iterator[Any]:
    value = row.get(name)
    return iter(value[:500] if isinstance(value, list) else ())


def _objects(row: Row, name: str) -> Iterator[Row]:
    return (item for item in _items(row, name) if isinstance(item, dict))


def _text(row: Row, name: str, limit: int) -> str:
    value = row.get(name)
    return _UNSTORABLE.sub("", value).strip()[:limit].strip() if isinstance(value, str) else ""


def _line(row: Row, name: str, limit: int) -> str:
    return " ".join(_text(row, name, limit).split())


def _match(row: Row, name: str, form: re.Pattern[str]) -> str:
    value = row.get(name)
    return value if isinstance(value, str) and form.fullmatch(value) else ""


def _whole(value: object, most: int = MAX_ID) -> int:
    """A whole number from 0 to `most`, also one written as text; else 0."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    return 0


def _number(row: Row, name: str, *, most: float) -> float:
    """A number from 0 to `most`, also one written as text; else 0. JSON itself can smuggle NaN in."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0.0
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return 0.0
    return number if 0 <= number <= most else 0.0  # which NaN and infinities are not


def _day(row: Row, name: str) -> date | None:
    value = _match(row, name, _DATE)  # fromisoformat alone would take week dates too
    try:
        return date.fromisoformat(value) if value else None
    except ValueError:
        return None


def _genres(row: Row) -> Iterator[Genre]:
    for genre in _objects(row, "genres"):
        if name := _line(genre, "name", 80):
            yield Genre(_whole(genre.get("id")), name)


def _languages(row: Row) -> Iterator[str]:
    codes = (_match(language, "iso_639_1", _LANGUAGE) for language in _objects(row, "spoken_languages"))
    return filter(None, codes)


def _certifications(row: Row) -> Iterator[Certification]:
    """The first rating that each country gives: TMDB repeats it for cinema, disc and television."""
    released = row.get("release_dates")
    for country in _objects(released, "results") if isinstance(released, dict) else ():
        ratings = (_line(release, "certification", 40) for release in _objects(country, "release_dates"))
        rating, code = next(filter(None, ratings), ""), _match(country, "iso_3166_1", _COUNTRY)
        if rating and code:
            yield Certification(code, rating)


def _sizes(images: Row, name: str) -> Iterator[str]:
    return (size for size in _items(images, name) if isinstance(size, str) and _SIZE.fullmatch(size))
