"""The HTTP catalogue: anyone's own CDN, described in JSON or M3U (docs/catalogue-format.md).

It builds requests and reads answers. It fetches nothing, and believes no claim: measuring is the probe's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import quote, urlsplit

from providers import m3u, renditions, rows, titles
from providers.base import Capability, LicensedProvider
from providers.errors import ProviderMisconfigured
from providers.m3u import Entry
from providers.messages import Request, Response
from providers.options import ConfigField, ConfigKind
from providers.rows import Row
from providers.types import MovieRef, SearchAnswer

log = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 5_000_000
PLACEHOLDERS: Final = ("{tmdb_id}", "{imdb_id}")
_IMDB_ID: Final = re.compile(r"tt[0-9]{7,10}")
_SIGNED_PARTS: Final = ("Algorithm", "Credential", "Date", "Expires", "Security-Token", "Signature")
_DELIVERY_BY_ENDING: Final = {
    "m3u8": "hls",
    "mpd": "dash",
    "mp4": "progressive",
    "m4v": "progressive",
    "webm": "progressive",
}
_T = TypeVar("_T")
_Found = tuple[list[object], int]
"""The rows of one film, and how many entries could not even be told to be this film's or another's."""


class Catalogue(LicensedProvider):
    """A catalogue of your own: one JSON or M3U file for everything, or one file per film."""

    slug = "catalogue"
    label = "HTTP catalogue"
    capabilities = frozenset(
        {
            Capability.BY_TMDB_ID,
            Capability.BY_IMDB_ID,
            Capability.BY_TITLE,
            Capability.HLS,
            Capability.DASH,
            Capability.PROGRESSIVE,
        }
    )
    default_priority = 20
    config_fields = (
        ConfigField(
            name="url",
            label="URL",
            kind=ConfigKind.URL,
            required=True,
            help="The catalogue's file, or with {tmdb_id} or {imdb_id} in its path, one file per film.",
        ),
        ConfigField(
            name="token",
            label="API token",
            secret=True,
            help="Sent as a bearer token with every request for the catalogue, never with one for a stream.",
        ),
    )
    volatile_params = frozenset(
        {
            *("token", "expires", "token_path", "verify", "hdnts", "hdnea", "hdntl"),
            *("Expires", "Signature", "Key-Pair-Id", "Policy"),  # CloudFront
            *(f"X-{cloud}-{part}" for cloud in ("Amz", "Goog") for part in _SIGNED_PARTS),
        }
    )

    def __init__(self, config: Mapping[str, object], *, name: str = "") -> None:
        super().__init__(config, name=name)
        self._url = str(self.config["url"])
        if unknown := set(re.findall(r"\{[^}]*\}?", self._url)) - set(PLACEHOLDERS):
            raise ProviderMisconfigured(
                f"url names {sorted(unknown)[0]}; allowed: {', '.join(PLACEHOLDERS)}", provider=self.name
            )
        self._per_film = any(placeholder in self._url for placeholder in PLACEHOLDERS)

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        if "{imdb_id}" in self._url and movie.imdb_id is None:
            return ()
        imdb_id = quote(movie.imdb_id or "", safe="")
        url = self._url.replace("{tmdb_id}", str(movie.tmdb_id)).replace("{imdb_id}", imdb_id)
        token = self.config["token"]
        return (
            Request(
                url=url,
                headers={"Authorization": f"Bearer {token}"} if token else {},
                max_bytes=MAX_FILE_BYTES,
                accept_statuses=renditions.NO_SUCH_FILM if self._per_film else frozenset(),
            ),
        )

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        if not responses:
            return SearchAnswer(candidates=())
        (response,) = responses
        if response.status in renditions.NO_SUCH_FILM:
            return renditions.nothing(response)
        text = response.text()
        found, unreadable = (
            self._in_m3u(movie, response, text) if m3u.is_playlist(text) else self._in_json(movie, response)
        )
        if len(found) > renditions.MAX_RENDITIONS:
            raise response.bad(f"more than {renditions.MAX_RENDITIONS} renditions of one film")
        if unreadable:
            log.warning("%s: %d entries of the catalogue cannot be read", self.name, unreadable)
        return renditions.answer(self, movie, found, response, skipped=unreadable)

    def _in_json(self, movie: MovieRef, response: Response) -> _Found:
        answer = response.json()
        if self._per_film and isinstance(answer, dict) and "movies" not in answer:
            return renditions.listed(response), 0
        listed = answer.get("movies") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            raise response.bad('expected an object with a list "movies"')
        return _gathered(listed, lambda entry: _rows_of(entry, movie))

    def _in_m3u(self, movie: MovieRef, response: Response, text: str) -> _Found:
        if m3u.is_hls(text):
            raise response.bad("this is the HLS playlist of one stream, and no catalogue")
        return _gathered(m3u.entries(text), lambda entry: _rows_in(entry, movie))


def _gathered(entries: Iterable[_T], rows_of: Callable[[_T], list[object]]) -> _Found:
    found: list[object] = []
    unreadable = 0
    for entry in entries:
        try:
            found += rows_of(entry)
        except ValueError:
            unreadable += 1
    return found, unreadable


def _rows_of(entry: object, movie: MovieRef) -> list[object]:
    """The renditions of one entry of "movies", none when it is another film's."""
    if not isinstance(entry, dict):
        raise ValueError("an entry must be an object")
    if not _is_of(entry, movie):
        return []
    listed = entry.get("renditions")
    if not isinstance(listed, list) or len(listed) > renditions.MAX_RENDITIONS:
        raise ValueError(f"renditions must be a list of at most {renditions.MAX_RENDITIONS}")
    return listed


def _is_of(entry: Row, movie: MovieRef) -> bool:
    """Whether an entry is of this film: by its TMDB id, else its IMDb id, else its very title and year."""
    tmdb_id = rows.integer(entry, "tmdb_id", least=1, most=2**53)
    imdb_id = entry.get("imdb_id")
    title = rows.text(entry, "title", limit=500)
    year = rows.integer(entry, "year", least=1870, most=2999)
    if imdb_id is not None and not (isinstance(imdb_id, str) and _IMDB_ID.fullmatch(imdb_id)):
        raise ValueError("imdb_id must be tt and 7 to 10 digits")
    if tmdb_id is not None:
        return tmdb_id == movie.tmdb_id
    if imdb_id and movie.imdb_id:
        return imdb_id == movie.imdb_id
    if title and year:
        return year == movie.year and titles.is_titled(movie, title)
    if imdb_id:
        return False
    raise ValueError("an entry must name its film: tmdb_id, imdb_id, or title and year")


def _rows_in(entry: Entry | None, movie: MovieRef) -> list[object]:
    """The rendition that one entry of a playlist is, if it is of this film. What names no film is none."""
    if entry is None:
        raise ValueError("an entry must be a line #EXTINF with a title, and a URL below it")
    told, (title, year) = entry.attributes, titles.split_year(entry.title)
    kind, _, tvg_id = told.get("tvg-id", "").rpartition(":")
    tmdb_id = told.get("tmdb-id") or (tvg_id if kind == "tmdb" else None)
    imdb_id = told.get("imdb-id") or (tvg_id if _IMDB_ID.fullmatch(tvg_id) else None)
    if not (tmdb_id or imdb_id or year):
        return []
    film = {"tmdb_id": int(tmdb_id) if tmdb_id else None, "imdb_id": imdb_id, "title": title, "year": year}
    return [_rendition(entry)] if _is_of(film, movie) else []


def _rendition(entry: Entry) -> Row:
    told = entry.attributes
    ending = urlsplit(entry.url).path.rpartition(".")[2].lower()
    return {
        "url": entry.url,
        "delivery": told.get("delivery") or _DELIVERY_BY_ENDING.get(ending, ""),
        **{name: told.get(name) for name in ("id", "quality", "edition")},
        **{name: _split(told.get(name, "")) for name in ("languages", "subtitles")},
        "url_expires_at": told.get("url-expires-at") or None,
        "rights": {
            **{name: told.get(name.replace("_", "-")) for name in ("licence", "licence_url", "attribution")},
            "territories": _split(told.get("territories", "")),
            "valid_from": told.get("valid-from") or None,
            "valid_until": told.get("valid-until") or None,
        },
    }


def _split(tags: str) -> list[str]:
    return [tag for tag in (tag.strip() for tag in tags.split(",")) if tag]
