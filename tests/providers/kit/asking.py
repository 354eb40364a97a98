"""Rules on the requests of an adapter: what it asks, of whom, and with what in hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from urllib.parse import urlsplit

from providers.base import Capability, LicensedProvider
from providers.messages import Request, Response
from providers.options import ConfigKind
from providers.types import MovieRef
from tests.providers.kit.case import Case, insist

MAX_REQUESTS = 12
MAX_BYTES = 20_000_000
MAX_DEADLINE_S = 30.0
NAMELESS = MovieRef(tmdb_id=10378, title="")
HOSTILE = "../../admin?x=1#y\r\nX-Evil: 1 %2e%2e/ \u202e"


def asks_only_with_what_it_finds_by(case: Case) -> None:
    by = case.adapter.capabilities
    insist(case.provider().build_search(case.movie), "it asks nothing for the recorded film")
    if Capability.BY_TMDB_ID not in by:
        film = case.movie
        lacking = replace(
            film,
            imdb_id=None if Capability.BY_IMDB_ID in by else film.imdb_id,
            title="" if Capability.BY_TITLE in by else film.title,
            original_title="" if Capability.BY_TITLE in by else film.original_title,
        )
        insist(
            not case.provider().build_search(lacking),
            "it asks for a film that it cannot find",
        )


def asks_the_same_each_time(case: Case) -> None:
    for movie in (case.movie, NAMELESS):
        once, twice = (_asked(case, case.provider(), movie) for _ in range(2))
        insist(once == twice, "two providers with the same settings ask differently for the same film")


def asks_within_bounds(case: Case) -> None:
    searches = list(_searches(case, case.provider(), case.movie))
    insist(max(map(len, searches)) <= MAX_REQUESTS, f"a search takes more than {MAX_REQUESTS} requests")
    for request in chain.from_iterable(searches):
        insist(0 < request.max_bytes <= MAX_BYTES, f"max_bytes is not from 1 to {MAX_BYTES}")
        insist(0 < request.deadline_s <= MAX_DEADLINE_S, f"deadline_s is not up to {MAX_DEADLINE_S:g}")


def asks_only_where_the_operator_says(case: Case) -> None:
    provider = case.provider()
    entered = [f.name for f in case.adapter.config_fields if f.kind is ConfigKind.URL]
    places = {_origin(str(provider.config[name])) for name in entered if provider.config[name]}
    for request in _asked(case, provider, case.movie):
        insist(
            _origin(request.url) in places,
            f"it asks {_origin(request.url)}, which no setting of kind url names",
        )


def quotes_what_it_sends(case: Case) -> None:
    """A title or an id is somebody else's text: it must not lead a request to another place."""
    usual = _asked(case, case.provider(), case.movie)
    folders = {_folder(request) for request in usual}
    film = replace(case.movie, title=HOSTILE, original_title=HOSTILE, imdb_id=HOSTILE)
    for request in _asked(case, case.provider(), film):
        parts = urlsplit(request.url)
        insist(request.url.isprintable() and " " not in request.url, "a film's text is unquoted in the URL")
        insist(not parts.fragment, "a film's text cuts the URL off with a #")
        insist(".." not in parts.path.split("/"), "a film's text leads the path upwards")
        insist(_folder(request) in folders, f"a film's text changes the path: {parts.path[:80]}")
        insist(not set(request.headers.values()) & {HOSTILE}, "a film's text stands in a header")


def _asked(case: Case, provider: LicensedProvider, movie: MovieRef) -> list[Request]:
    return list(chain.from_iterable(_searches(case, provider, movie)))


def _searches(case: Case, provider: LicensedProvider, movie: MovieRef) -> Iterator[list[Request]]:
    """Every request of a search: of one that finds what was recorded, and of one that finds nothing."""
    for situation in ("normal", "empty"):
        answers = case.responses(case.answers(situation))
        yield _asked_of(answers, provider, movie)


def _asked_of(answers: Sequence[Response], provider: LicensedProvider, movie: MovieRef) -> list[Request]:
    """The requests of one search, each answered from `answers`; nothing is sent."""
    asked: list[Request] = []

    def send(request: Request) -> Response:
        asked.append(request)
        return answers[min(len(asked), len(answers)) - 1]

    list(provider.ask(movie, send))
    return asked


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _folder(request: Request) -> str:
    return urlsplit(request.url).path.rpartition("/")[0]
