"""A little world for tests: one local origin with TMDB's shape, the library's, and tiny real media."""

from __future__ import annotations

import json
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl

from ingestion import runs
from ingestion.models import IngestRun
from ingestion.registry import JOBS
from streaming.models import Movie, StreamVersion
from tests.providers.media import MediaOrigin, Page, media

LISTS = ("now_playing", "popular", "top_rated", "upcoming")
FEED = "/3/movie/changes"
PICTURES = {
    "SD": "av1-640x360.mp4",
    "720p": "moov-last-1280x720.mp4",
    "1080p": "moov-first-1920x804.mp4",
    "2160p": "fmp4-3840x2160.mp4",
}


class World(MediaOrigin):
    """`film` makes TMDB list one, `offer` makes the library hold renditions of it."""

    def __init__(self) -> None:
        super().__init__()
        self._lists: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
        for name in LISTS:
            self._publish(name)
        self.edits: dict[str, list[int]] = {}
        self.feed_asked: list[tuple[str, str, str]] = []
        self.knows_no_other_film = False  # then TMDB says of the others that it has none, in its own words
        self.queries: list[tuple[str, dict[str, str]]] = []

    def film(
        self, movie_id: int, title: str = "A Film", *, lists: tuple[str, ...] = ("popular",), **facts: Any
    ) -> int:
        """A film that TMDB knows, and lists."""
        row = {
            "id": movie_id,
            "title": title,
            "release_date": "1926-12-31",
            "adult": False,
            "genre_ids": [35],
        }
        row |= {"popularity": 1.5, "vote_average": 8.0, "vote_count": 10, **facts}
        for name in lists:
            self.listed(name, row)
        details = {**row, "runtime": 78, "genres": [{"id": 35, "name": "Comedy"}]}
        details["external_ids"] = {"imdb_id": facts.get("imdb_id", f"tt{movie_id:07}")}
        self._json(f"/3/movie/{movie_id}", details)
        return movie_id

    def listed(self, name: str, row: Any) -> None:
        self._lists[name].append(row)
        self._publish(name)

    def long_list(self, name: str, pages: int) -> None:
        """A list of so many pages, each of which names the same."""
        self._publish(name, pages=pages)

    def edited(self, day: str, *movie_ids: int) -> None:
        """TMDB's change feed names these movies on a day."""
        self.edits.setdefault(day, []).extend(movie_ids)

    def forget(self, movie_id: int) -> None:
        """TMDB has deleted it, but its lists have not noticed."""
        gone = {"success": False, "status_code": 34, "status_message": "The resource could not be found."}
        self._json(f"/3/movie/{movie_id}", gone, status=404)

    def stream(self, name: str, picture: str) -> str:
        """Real media at /media/<name>, of the quality that `picture` says."""
        return self.put(f"/media/{name}", media(PICTURES[picture]), kind="video/mp4")

    def offer(self, movie_id: int, *renditions: dict[str, Any], max_age: int | None = None) -> None:
        """What the library holds of a film; see `rendition`."""
        headers = {"Cache-Control": f"max-age={max_age}"} if max_age is not None else {}
        self._json(f"/library/movies/{movie_id}.json", {"renditions": list(renditions)}, headers=headers)

    def rendition(self, name: str, picture: str, *, claims: str = "", **more: Any) -> dict[str, Any]:
        """One MP4 rendition, its media put in place."""
        url = self.stream(name, picture)
        return {"id": name, "url": url, "delivery": "progressive", "quality": claims or picture, **more}

    def broken(self, path: str, *, status: int = 404) -> None:
        self.put(path, b"gone", kind="text/plain", status=status)

    def asked_for(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)

    def _publish(self, name: str, *, pages: int = 1) -> None:
        rows = self._lists[name]
        page = {"page": 1, "results": rows, "total_pages": pages, "total_results": len(rows)}
        self._json(f"/3/movie/{name}", page)

    def _json(self, path: str, body: Any, **page: Any) -> None:
        self.put(path, json.dumps(body), kind="application/json", **page)

    def _changes(self, query: dict[str, str]) -> None:
        """The change feed as TMDB has it: a hundred to a page, both days included."""
        first, last, number = query["start_date"], query["end_date"], int(query["page"])
        self.feed_asked.append((first, last, query["page"]))
        ids = [key for day, keys in sorted(self.edits.items()) if first <= day <= last for key in keys]
        rows = [{"id": key, "adult": False} for key in ids[(number - 1) * 100 : number * 100]]
        pages = max(1, -(-len(ids) // 100))
        self._json(FEED, {"page": number, "results": rows, "total_pages": pages, "total_results": len(ids)})

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        handler.path, _, query = handler.path.partition("?")
        movie_id = handler.path.removeprefix("/3/movie/")
        if self.knows_no_other_film and movie_id.isdecimal() and handler.path not in self.pages:
            self.forget(int(movie_id))
        self.queries.append((handler.path, dict(parse_qsl(query))))
        if handler.path == FEED and self.pages.get(FEED, Page()).status == 200:
            self._changes(dict(parse_qsl(query)))
        super().answer(handler)


def run(job: str, *, at: datetime, movie_id: int | None = None) -> IngestRun:
    """One run of a job as of `at`, here and now."""
    queued, created = runs.queue(job, movie_id=movie_id, at=at, trigger="test", publish=False)
    assert created
    closed = runs.execute(queued.pk, JOBS[job].work, clock=lambda: at)
    assert closed is not None
    return closed


def succeeded(job: str, *, at: datetime, movie_id: int | None = None) -> dict[str, Any]:
    """The summary of a run that has to succeed."""
    closed = run(job, at=at, movie_id=movie_id)
    assert closed.status == IngestRun.Status.SUCCEEDED, closed.error
    summary: dict[str, Any] = closed.summary
    return summary


def active(movie_id: int) -> StreamVersion | None:
    return Movie.objects.get(pk=movie_id).active_stream


def active_label(movie_id: int) -> str | None:
    version = active(movie_id)
    return version.quality_label if version else None
