"""TMDB's API shape over the demo's films: pure functions from a request to a status and a body.

Shapes follow TMDB's reference, https://developer.themoviedb.org/reference: lists, details, configuration,
errors. Votes are nought, because the demo has no voters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from demo.catalogue import GENRES, LISTS, Film

PAGE_SIZE = 20
MAX_PAGE = 500
Answer = tuple[int, dict[str, Any]]

NOT_FOUND: Answer = (404, {
    "success": False, "status_code": 34, "status_message": "The resource you requested could not be found.",
})  # fmt: skip
UNAUTHORISED: Answer = (401, {
    "success": False, "status_code": 7, "status_message": "Invalid API key: You must be granted a valid key.",
})  # fmt: skip
BAD_PAGE: Answer = (422, {
    "success": False, "status_code": 22,
    "status_message": "Invalid page: Pages start at 1 and max at 500. They are expected to be an integer.",
})  # fmt: skip


def answer(films: Sequence[Film], path: str, query: Mapping[str, str], *, images: str, today: date) -> Answer:
    """The answer to GET `/3<path>`. `images` is the base URL of pictures; the caller has checked the key."""
    match path.strip("/").split("/"):
        case ["configuration"]:
            return 200, _configuration(images)
        case ["movie", "changes"]:
            return 200, _page(films, lambda film: {"id": film.tmdb_id, "adult": False})
        case ["genre", "movie", "list"]:
            return 200, {"genres": [{"id": number, "name": name} for name, number in GENRES.items()]}
        case ["movie", kind] if kind in LISTS:
            return _list(films, kind, query.get("page", "1"), today)
        case ["movie", number] if number.isascii() and number.isdigit():
            return _details(films, int(number), query.get("append_to_response", ""))
    return NOT_FOUND


def _list(films: Sequence[Film], kind: str, page: str, today: date) -> Answer:
    rows = [film for film in films if kind in film.lists]
    last = max(1, -(-len(rows) // PAGE_SIZE))
    if not (page.isascii() and page.isdigit() and 1 <= int(page) <= min(last, MAX_PAGE)):
        return BAD_PAGE
    body = _page(rows, lambda film: _row(film, films.index(film)), int(page))
    if kind in ("now_playing", "upcoming"):
        body["dates"] = {
            "minimum": str(today - timedelta(days=42)),
            "maximum": str(today + timedelta(days=28)),
        }
    return 200, body


def _page(rows: Sequence[Film], shape: Any, page: int = 1) -> dict[str, Any]:
    shown = rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return {
        "page": page,
        "results": [shape(film) for film in shown],
        "total_pages": max(1, -(-len(rows) // PAGE_SIZE)),
        "total_results": len(rows),
    }


def _row(film: Film, rank: int) -> dict[str, Any]:
    return {**_common(film, rank), "genre_ids": [GENRES[name] for name in film.genres]}


def _common(film: Film, rank: int) -> dict[str, Any]:
    return {
        "adult": False,
        "backdrop_path": f"/{film.tmdb_id}-backdrop.svg",
        "id": film.tmdb_id,
        "original_language": film.original_language,
        "original_title": film.original_title,
        "overview": film.summary,
        "popularity": 100.0 - rank,
        "poster_path": f"/{film.tmdb_id}-poster.svg",
        "release_date": film.released.isoformat(),
        "title": film.title,
        "video": False,
        "vote_average": 0.0,
        "vote_count": 0,
    }


def _details(films: Sequence[Film], tmdb_id: int, appended: str) -> Answer:
    for rank, film in enumerate(films):
        if film.tmdb_id == tmdb_id:
            extras = {name: make(film) for name, make in _EXTRAS.items() if name in appended.split(",")}
            return 200, {**_common(film, rank), **_detail_fields(film), **extras}
    return NOT_FOUND


def _detail_fields(film: Film) -> dict[str, Any]:
    return {
        "belongs_to_collection": None,
        "budget": 0,
        "genres": [{"id": GENRES[name], "name": name} for name in film.genres],
        "homepage": "",
        "imdb_id": film.imdb_id,
        "origin_country": [film.country],
        "production_companies": [],
        "production_countries": [{"iso_3166_1": film.country, "name": film.country}],
        "revenue": 0,
        "runtime": film.runtime_min,
        "spoken_languages": [{"iso_639_1": film.original_language, "name": "", "english_name": ""}],
        "status": "Released",
        "tagline": "",
    }


def _external_ids(film: Film) -> dict[str, Any]:
    other = dict.fromkeys(("wikidata_id", "facebook_id", "instagram_id", "twitter_id"))
    return {"imdb_id": film.imdb_id, **other}


def _release_dates(film: Film) -> dict[str, Any]:
    released = f"{film.released.isoformat()}T00:00:00.000Z"
    row = {
        "certification": "",
        "descriptors": [],
        "iso_639_1": "",
        "note": "",
        "release_date": released,
        "type": 1,
    }
    return {"results": [{"iso_3166_1": film.country, "release_dates": [row]}]}


def _credits(film: Film) -> dict[str, Any]:
    return {"cast": [], "crew": [{"name": film.director, "department": "Directing", "job": "Director"}]}


_EXTRAS = {"external_ids": _external_ids, "release_dates": _release_dates, "credits": _credits}


def _configuration(images: str) -> dict[str, Any]:
    sizes = ["w92", "w154", "w185", "w342", "w500", "w780", "original"]
    return {
        "images": {
            "base_url": images,
            "secure_base_url": images,
            "backdrop_sizes": ["w300", "w780", "w1280", "original"],
            "logo_sizes": sizes,
            "poster_sizes": sizes,
            "profile_sizes": ["w45", "w185", "h632", "original"],
            "still_sizes": ["w92", "w185", "w300", "original"],
        },
        "change_keys": [],
    }
