"""The public pages: the catalogue, and a film being watched. They read; nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from csp.constants import SELF
from django.conf import settings
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from core import answers, problems
from providers.types import Delivery
from streaming import csp
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.quality import Quality

PAGE_SIZE = 24
MAX_QUERY_CHARS = 100
UPGRADES_SHOWN = 4
HISTORY_SHOWN = 8
_HISTORY_READ = 40

Reason = StreamSwitch.Reason
_TOLD = {
    Reason.FIRST: "Added in {to}",
    Reason.UPGRADE: "Upgraded from {was} to {to}",
    Reason.FAILOVER: "Moved from a failing stream to {to}",
    Reason.ROLLBACK: "Rolled back to {to}",
    Reason.MANUAL: "An editor chose {to}",
    Reason.WITHDRAWN: "Taken off the programme",
    Reason.REVISED: "Measured again: {to}",
}
_DELIVERIES = {
    Delivery.HLS: "HLS",
    Delivery.DASH: "DASH",
    Delivery.PROGRESSIVE: "MP4 file",
    Delivery.EMBED: "embedded player",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A film on the catalogue page."""

    movie: Movie
    stream: StreamVersion | None
    poster: str

    @property
    def quality(self) -> Quality | None:
        value = self.movie.active_quality
        return None if value is None else Quality(value)


@dataclass(frozen=True, slots=True)
class Told:
    """A switch in a viewer's words."""

    movie: Movie
    at: datetime
    text: str
    was: Quality | None
    to: Quality | None


@require_safe
@cache_control(no_cache=True)
def catalogue(request: HttpRequest) -> HttpResponse:
    """Published films, popular ones first; `?q=` searches titles, `?part=films` is the list alone."""
    query = request.GET.get("q", "").strip()[:MAX_QUERY_CHARS]
    page = Paginator(_films(query), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"query": query, "page": page, "cards": _cards(page), "upgrades": _upgrades(query, page)}
    part = request.GET.get("part") == "films"
    response = render(request, "streaming/_films.html" if part else "streaming/catalogue.html", context)
    csp.allow(response, img_src=csp.image_origins())
    return response


@require_safe
@cache_control(no_cache=True)
def watch(request: HttpRequest, movie_id: int) -> HttpResponse:
    """A film and its player; `?part=facts` is what is said of the stream. 404 for what is not public."""
    movie = Movie.objects.present().filter(pk=movie_id, hidden=False).first()
    if movie is None:
        raise Http404("There is no such film.")
    stream = _stream_of(movie)
    context = {
        "movie": movie,
        "stream": stream,
        "delivery": _DELIVERIES[Delivery(stream.delivery)] if stream else "",
        "history": _history(movie),
        "backdrop": image_url(movie.backdrop_path, "w1280"),
    }
    part = request.GET.get("part") == "facts"
    response = render(request, "streaming/_facts.html" if part else "streaming/watch.html", context)
    _allow_playing(response, movie)
    return response


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django answers where nothing is: a page for a person, a problem for a program."""
    if answers.is_api(request.path):
        return problems.json_response(404, "There is nothing at this address. See /api/docs/.")
    return render(request, "streaming/not_found.html", status=404)


def image_url(path: str, size: str) -> str:
    """A TMDB picture in one of TMDB's sizes ("w342"); empty without a path."""
    return f"{settings.TMDB_IMAGE_BASE_URL}{size}{path}" if path else ""


def _films(query: str) -> Any:
    return Movie.objects.published().search(query).order_by("-popularity", "id")


def _cards(page: Page[Movie]) -> list[Card]:
    movies = list(page.object_list)
    # By key rather than by a join: on MongoDB an ordered join reads every document first.
    streams = StreamVersion.objects.in_bulk([m.active_stream_id for m in movies if m.active_stream_id])
    return [Card(m, streams.get(m.active_stream_id), image_url(m.poster_path, "w342")) for m in movies]


def _upgrades(query: str, page: Page[Movie]) -> list[Told]:
    """The latest upgrades, one per film, for the first page."""
    if query or page.number > 1:
        return []
    rows = StreamSwitch.objects.filter(reason=Reason.UPGRADE).order_by("-at", "-id")[: UPGRADES_SHOWN * 3]
    newest = {row.movie_id: row for row in reversed(rows)}
    movies = Movie.objects.published().in_bulk(list(newest))
    told = [_told(row, movies[key]) for key, row in newest.items() if key in movies]
    return sorted(told, key=lambda told: told.at, reverse=True)[:UPGRADES_SHOWN]


def _history(movie: Movie) -> list[Told]:
    """What happened to a film that a viewer could have seen: no editor's note, no hidden turn."""
    rows = StreamSwitch.objects.of(movie.pk).filter(seq__lte=movie.switch_seq)[:_HISTORY_READ]
    visible = [row for row in rows if row.moves_pointer or row.from_quality != row.to_quality]
    return [_told(row, movie) for row in visible[:HISTORY_SHOWN]]


def _told(row: StreamSwitch, movie: Movie) -> Told:
    was, to = (None if q is None else Quality(q) for q in (row.from_quality, row.to_quality))
    text = _TOLD[Reason(row.reason)].format(was=was or "nothing", to=to or "an unmeasured stream")
    return Told(movie, row.at, text, was, to)


def _stream_of(movie: Movie) -> StreamVersion | None:
    if movie.active_stream_id is None:
        return None
    return StreamVersion.objects.prefetch_related("provider").get(pk=movie.active_stream_id)


def _allow_playing(response: HttpResponse, movie: Movie) -> None:
    media = csp.media_origins(movie.pk)
    csp.allow(
        response,
        img_src=csp.image_origins(),
        media_src=[SELF, "blob:", *media],  # MediaSource plays from blob: addresses
        connect_src=media,
        frame_src=csp.frame_origins(movie.pk),
    )
