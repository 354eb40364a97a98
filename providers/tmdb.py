"""The TMDB client: lists, the change feed, details, configuration. https://developer.themoviedb.org/reference

It asks and reads. Pace, retries, limits and time-outs are the session's; nothing is decided about a movie.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Protocol, TypeVar

from providers import tmdb_rows
from providers.errors import ProviderBadResponse, ProviderError, ProviderMisconfigured, ProviderPermanent
from providers.http import GuardedSession, Request, Response
from providers.tmdb_types import (
    Certification,
    Changes,
    Configuration,
    Genre,
    ListKind,
    MovieDetails,
    MovieRow,
    Page,
)

__all__ = [
    "BASE_URL",
    "Cache",
    "Certification",
    "Changes",
    "Configuration",
    "Genre",
    "ListKind",
    "MovieDetails",
    "MovieRow",
    "Page",
    "TmdbClient",
    "TmdbNotFound",
]

BASE_URL = "https://api.themoviedb.org/3"
LAST_PAGE = 500  # "Pages start at 1 and max at 500", https://developer.themoviedb.org/docs/errors
FEED_DAYS = 14  # at most in one question, https://developer.themoviedb.org/reference/changes-movie-list
CONFIGURATION_TTL_S = 3 * 86_400  # asking every few days is enough, they say

_T = TypeVar("_T")
_log = logging.getLogger(__name__)
_INVALID_PAGE = 22  # TMDB's own status codes, https://developer.themoviedb.org/docs/errors
_NOT_FOUND = frozenset({6, 34})
_APPENDED = "external_ids,release_dates"
_LONGEST_V3_KEY = 64
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_REGION = re.compile(r"[A-Z]{2}")


class TmdbNotFound(ProviderPermanent):
    """TMDB says, in its own words, that it has no movie of this id (any more)."""

    code = "not_found"


class Cache(Protocol):
    """What the configuration is kept in; Django's cache is one."""

    def get(self, key: str, /) -> Any: ...

    def set(self, key: str, value: Any, timeout: int, /) -> Any: ...


class TmdbClient:
    """Reads TMDB through a guarded session. Thread-safe if the cache is.

    Every method raises what `GuardedSession.send` does, and besides ProviderMisconfigured (no key, or one
    that TMDB refuses) and ProviderBadResponse (an answer that is not what the reference promises).
    """

    def __init__(
        self, session: GuardedSession, *, base_url: str = BASE_URL, api_key: str, cache: Cache | None = None
    ) -> None:
        self._session, self._cache = session, cache
        self._base_url = base_url.rstrip("/")
        self._params, self._headers = _credentials(api_key.strip())
        self._cache_key = "tmdb:configuration:" + hashlib.sha256(self._base_url.encode()).hexdigest()[:16]

    def list(self, kind: ListKind, page: int = 1, region: str = "", language: str = "") -> Page:
        """One page of a list. `region` is ISO 3166-1 alpha-2, `language` like "en" or "en-US".

        A row that is no movie is logged, skipped and counted. Raises ValueError for wrong arguments.
        """
        params = _checked(region=(region, _REGION), language=(language, _LANGUAGE))
        rows, told = self._paged(f"/movie/{ListKind(kind)}", params, page, tmdb_rows.movie_row)
        once: dict[int, MovieRow] = {}
        for row in rows:
            once.setdefault(row.tmdb_id, row)
        return Page(rows=tuple(once.values()), **told)

    def changes(self, first: date, last: date, page: int = 1) -> Changes:
        """One page of the movies edited on the days (UTC) from `first` to `last`, FEED_DAYS of them at most.

        https://developer.themoviedb.org/docs/tracking-content-changes. Raises ValueError for wrong arguments.
        """
        if not timedelta(0) <= last - first < timedelta(days=FEED_DAYS):
            raise ValueError(f"ask the change feed for 1 to {FEED_DAYS} days, not from {first} to {last}")
        params = {"start_date": first.isoformat(), "end_date": last.isoformat()}
        ids, told = self._paged("/movie/changes", params, page, tmdb_rows.changed_id)
        return Changes(ids=tuple(dict.fromkeys(ids)), **told)

    def details(self, tmdb_id: int, language: str = "") -> MovieDetails:
        """One movie with IMDb id and certifications. Raises TmdbNotFound, ValueError for wrong arguments."""
        if not tmdb_rows.is_movie_id(tmdb_id):
            raise ValueError(f"a TMDB id is a whole number from 1 to {tmdb_rows.MAX_ID}, not {tmdb_id!r}")
        params = _checked(language=(language, _LANGUAGE)) | {"append_to_response": _APPENDED}
        try:
            answer = self._get(f"/movie/{tmdb_id}", params)
        except ProviderPermanent as error:
            if error.status != 404:
                raise
            raise _gone(tmdb_id, error) from error
        movie = _read(answer, tmdb_rows.movie_details)
        if movie.tmdb_id != tmdb_id:
            raise answer.bad(f"asked for movie {tmdb_id}, got {movie.tmdb_id}")
        return movie

    def configuration(self) -> Configuration:
        """Where pictures are; asked for once in three days."""
        if kept := self._kept_configuration():
            return kept
        answer = self._get("/configuration", {})
        configuration = _read(answer, tmdb_rows.configuration)
        self._keep({"images": answer.json()["images"]})
        return configuration

    def image_url(self, path: str, size: str) -> str:
        """The URL of a poster or backdrop, as of ("/abc.jpg", "w342"). Raises ValueError for a wrong size."""
        configuration = self.configuration()
        sizes = (*configuration.poster_sizes, *configuration.backdrop_sizes, "original")
        if size not in sizes:
            raise ValueError(f"no image size {size!r}; there are {', '.join(dict.fromkeys(sizes))}")
        if not tmdb_rows.is_image_path(path):
            raise ValueError(f"{path!r} is not an image path of TMDB's")
        return f"{configuration.image_base_url}{size}{path}"

    def _get(self, path: str, params: Mapping[str, str]) -> Response:
        query = {**params, **self._params}
        try:
            return self._session.send(Request(url=self._base_url + path, params=query, headers=self._headers))
        except ProviderMisconfigured as error:
            advice = "TMDB refuses the API key: check TMDB_API_KEY (a v3 key or a v4 read access token)"
            raise ProviderMisconfigured(advice, **error.context) from error

    def _paged(
        self, path: str, params: Mapping[str, str], page: int, parse: Callable[[object], _T]
    ) -> tuple[tuple[_T, ...], dict[str, int]]:
        """The rows of one page, and its number, how many pages there are, and how many rows made no sense."""
        if page < 1:
            raise ValueError(f"pages start at 1, not {page}")
        try:
            answer = self._get(path, {"page": str(page), **params})
        except ProviderPermanent as error:
            if page > 1 and _is_past_the_end(error):
                return (), {"page": page, "total_pages": min(page - 1, LAST_PAGE)}
            raise
        rows, skipped = _rows(answer, parse)
        total_pages = min(tmdb_rows.total_pages(answer.json(), otherwise=page), LAST_PAGE)
        return rows, {"page": page, "total_pages": total_pages, "skipped": skipped}

    def _kept_configuration(self) -> Configuration | None:
        try:
            kept = self._cache.get(self._cache_key) if self._cache is not None else None
            return tmdb_rows.configuration(kept) if kept is not None else None
        except Exception as problem:  # whatever cache it is, its absence costs a request and no more
            _log.warning("the kept configuration of TMDB is of no use: %s", problem)
            return None

    def _keep(self, body: Mapping[str, Any]) -> None:
        try:
            if self._cache is not None:
                self._cache.set(self._cache_key, body, CONFIGURATION_TTL_S)
        except Exception as problem:
            _log.warning("the configuration of TMDB could not be kept: %s", problem)


def _read(answer: Response, parse: Callable[[object], _T]) -> _T:
    """What the answer says; ProviderBadResponse where `parse` finds it is not what was promised."""
    body = answer.json()
    try:
        return parse(body)
    except ValueError as problem:
        raise answer.bad(f"not what TMDB's reference promises: {problem}") from None


def _rows(answer: Response, parse: Callable[[object], _T]) -> tuple[tuple[_T, ...], int]:
    """The rows of a page, and how many there were besides that made no sense."""
    rows: list[_T] = []
    skipped = 0
    for number, row in enumerate(_read(answer, tmdb_rows.rows_of)):
        try:
            rows.append(parse(row))
        except ValueError as problem:
            skipped += 1
            _log.warning("%s: row %d skipped: %s", answer.shown, number, problem)
    return tuple(rows), skipped


def _credentials(api_key: str) -> tuple[dict[str, str], dict[str, str]]:
    """Query and headers: a v3 key goes into the query, a v4 read access token (a JWT) into a header."""
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ProviderMisconfigured(
            "TMDB_API_KEY must be a TMDB v3 API key or v4 read access token; get one at "
            "https://www.themoviedb.org/settings/api",
            provider="tmdb",
        )
    if "." in api_key or len(api_key) > _LONGEST_V3_KEY:
        return {}, {"Authorization": f"Bearer {api_key}", "Accept": "application/json"}
    return {"api_key": api_key}, {"Accept": "application/json"}


def _checked(**given: tuple[str, re.Pattern[str]]) -> dict[str, str]:
    for name, (value, form) in given.items():
        if value and not form.fullmatch(value):
            raise ValueError(f"{name} must look like {form.pattern}, not {value!r}")
    return {name: value for name, (value, _) in given.items() if value}


def _own_status(error: ProviderPermanent) -> int | None:
    """The status code of TMDB's own that an error's answer carries."""
    try:
        body = json.loads(error.answer)
    except ValueError:
        return None
    return body.get("status_code") if isinstance(body, dict) else None


def _is_past_the_end(error: ProviderPermanent) -> bool:
    return error.status == 422 or (error.status == 400 and _own_status(error) == _INVALID_PAGE)


def _gone(tmdb_id: int, error: ProviderPermanent) -> ProviderError:
    """Believe that a movie is gone only if TMDB itself says so, not a proxy or a mistyped base URL."""
    if _own_status(error) in _NOT_FOUND:
        return TmdbNotFound(f"there is no movie {tmdb_id}", **error.context)
    return ProviderBadResponse("a 404 not in TMDB's own words: is TMDB_BASE_URL right?", **error.context)
