"""What TMDB and the houses answer when nothing goes wrong: JSON, manifests and real media, by address.

Pure: a page for an address and a minute. What goes wrong on the way is `wire`'s.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from providers.types import Delivery
from tests.providers.media import fragments, media
from tests.simulation.clock import MINUTE, START
from tests.simulation.world import BY_SLUG, Film, House, Rendition, World

TMDB = "http://api.tmdb.example/3"
LISTS = ("now_playing", "popular", "top_rated", "upcoming")
PAGE = 20
REISSUED = 360
"""Minutes after which a house gives its streams addresses with a new token."""

_WHOLE = {"SD": "av1-640x360.mp4", "720p": "moov-last-1280x720.mp4", "1080p": "moov-first-1920x804.mp4"}
_FRAGMENTED = {"1080p": "fmp4-1920x1080.mp4", "2160p": "fmp4-3840x2160.mp4"}
_TS = {"720p": "hevc-1280x720.ts", "1080p": "segment-1920x1080.ts"}
_ENTRY = {
    Delivery.HLS: "index.m3u8",
    Delivery.DASH: "index.mpd",
    Delivery.PROGRESSIVE: "film.mp4",
    Delivery.EMBED: "frame.html",
}
_STREAM = re.compile(r"/(\d+)/(\w+)/g(\d+)/(?:until(\d+)/)?([\w.]+)")
_FILM = re.compile(r"/catalogue/movies/(\d+)\.json")
_MPD = """<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S"><Period>
<AdaptationSet contentType="video" mimeType="video/mp4"><Representation id="v" bandwidth="900000">
<SegmentList><Initialization sourceURL="init.mp4"/><SegmentURL media="1.m4s"/></SegmentList></Representation>
</AdaptationSet></Period></MPD>"""
_MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=900000\nvideo.m3u8\n"
_PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n{map}#EXTINF:10,\n{segment}\n#EXT-X-ENDLIST\n"


@dataclass(frozen=True, kw_only=True)
class Page:
    """One answer."""

    body: bytes = b""
    kind: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Peers:
    """Everybody who answers, by host."""

    def __init__(self, world: World) -> None:
        self.world = world

    def page(self, host: str, path: str, query: dict[str, str], minute: int) -> Page:
        """The answer to one request, at a minute of the day."""
        kind, slug, _ = host.split(".")
        if slug == "tmdb":
            return self._tmdb(path, query, minute)
        if kind == "api":
            return self._catalogue(BY_SLUG[slug], path, minute)
        return self._stream(slug, path, minute)

    def _tmdb(self, path: str, query: dict[str, str], minute: int) -> Page:
        name = path.rpartition("/")[2]
        if name in LISTS:
            return _json(self._list(name, int(query["page"]), minute))
        if name == "changes":
            return _json(self._changes())
        film = self.world.films.get(int(name))
        if film is None or not film.known:
            gone = {"success": False, "status_code": 34, "status_message": "It could not be found."}
            return _json(gone, status=404)
        more = {"runtime": 90, "genres": [], "external_ids": {"imdb_id": f"tt{film.id:07}"}}
        return _json({**_row(film), **more})

    def _list(self, name: str, page: int, minute: int) -> dict[str, Any]:
        """Each list has a quarter of the films, and on its first page a row that is none."""
        mine = [f for f in self.world.films.values() if f.id % len(LISTS) == LISTS.index(name)]
        rows: list[Any] = [_row(film) for film in mine if film.listed_at <= minute]
        pages = max(1, -(-len(rows) // PAGE))
        shown = rows[(page - 1) * PAGE : page * PAGE] + ([{"id": "none"}] if page == 1 else [])
        return {"page": page, "results": shown, "total_pages": pages, "total_results": len(rows)}

    def _changes(self) -> dict[str, Any]:
        """Somebody edits every seventh film on each day."""
        rows = [{"id": key, "adult": None} for key in self.world.films if key % 7 == 0]
        return {"page": 1, "results": rows, "total_pages": 1, "total_results": len(rows)}

    def _catalogue(self, house: House, path: str, minute: int) -> Page:
        asked = _FILM.fullmatch(path)
        movie_id = int(asked[1]) if asked else 0
        listed = self.world.listed(house.slug, movie_id, minute)
        fresh = {} if house.max_age_s is None else {"Cache-Control": f"max-age={house.max_age_s}"}
        if not listed:
            return _json({"error": "no such film"}, status=404, headers=fresh)
        rows = [_offer(house, movie_id, one, minute) for one in listed]
        return _json({"renditions": rows}, headers=fresh)

    def _stream(self, slug: str, path: str, minute: int) -> Page:
        asked = _STREAM.fullmatch(path)
        one = self.world.rendition(slug, int(asked[1]), asked[2]) if asked else None
        if asked is None or one is None or int(asked[3]) != one.generation(minute):
            return Page(body=b"gone", kind="text/plain", status=404)
        if asked[4] and int(asked[4]) <= minute:
            return Page(body=b"this address has expired", kind="text/plain", status=403)
        status = one.status(minute)
        if status == 403 and one.delivery is Delivery.EMBED:
            return Page(body=b"<html></html>", kind="text/html", headers={"X-Frame-Options": "DENY"})
        if status != 200:
            return Page(body=b"gone", kind="text/plain", status=status)
        return _file(one.delivery, asked[5], one.picture(minute))


def _json(body: Any, **page: Any) -> Page:
    return Page(body=json.dumps(body).encode(), **page)


def _row(film: Film) -> dict[str, Any]:
    return {
        "id": film.id,
        "title": f"Film {film.id}",
        "release_date": "1926-12-31",
        "adult": film.adult,
        "genre_ids": [],
        "popularity": film.popularity,
        "vote_average": 7.0,
        "vote_count": 10,
    }


def _offer(house: House, movie_id: int, one: Rendition, minute: int) -> dict[str, Any]:
    """One row of a catalogue."""
    until = minute // REISSUED * REISSUED + one.token_h * 60
    token = f"until{until}/" if one.token_h else ""
    where = f"/{movie_id}/{one.name}/g{one.generation(minute)}/{token}{_ENTRY[one.delivery]}"
    row: dict[str, Any] = {
        "url": f"http://cdn.{house.slug}.example{where}",
        "delivery": one.delivery.value,
        "quality": one.claim,
        "rights": _rights(one),
    }
    row |= {"id": f"{movie_id}-{one.name}"} if one.has_ref else {}
    return row | ({"url_expires_at": _moment(until)} if one.token_h else {})


def _rights(one: Rendition) -> dict[str, Any]:
    begins, ends = one.rights
    rights: dict[str, Any] = {"licence": "CC BY", "territories": list(one.territories)}
    rights |= {"valid_from": _moment(begins)} if begins >= 0 else {}
    return rights | ({"valid_until": _moment(ends)} if 0 <= ends < 10**6 else {})


def _moment(minute: int) -> str:
    moment: datetime = START + minute * MINUTE
    return moment.isoformat()


def _file(delivery: Delivery, name: str, picture: str) -> Page:
    """One file of a stream that shows `picture`."""
    if delivery is Delivery.EMBED:
        return Page(body=b"<!doctype html><html><body>player</body></html>", kind="text/html")
    ts = delivery is Delivery.HLS and picture in _TS
    match name:
        case "index.m3u8":
            return Page(body=_MASTER.encode(), kind="application/vnd.apple.mpegurl")
        case "video.m3u8":
            init = "" if ts else '#EXT-X-MAP:URI="init.mp4"\n'
            text = _PLAYLIST.format(map=init, segment="1.ts" if ts else "1.m4s")
            return Page(body=text.encode(), kind="application/vnd.apple.mpegurl")
        case "index.mpd":
            return Page(body=_MPD.encode(), kind="application/dash+xml")
    return Page(body=_media(name, picture), kind="video/mp2t" if ts else "video/mp4")


@cache
def _media(name: str, picture: str) -> bytes:
    if name == "1.ts":
        return media(_TS[picture])
    if name == "film.mp4" or picture not in _FRAGMENTED:
        return media({**_FRAGMENTED, **_WHOLE}[picture])
    return fragments(_FRAGMENTED[picture])[name == "1.m4s"]
