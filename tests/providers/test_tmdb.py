"""The TMDB client against a local server that gives TMDB's documented answers, and broken ones."""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderTransient,
)
from providers.http import GuardedSession
from providers.tmdb import (
    CONFIGURATION_TTL_S,
    Certification,
    Genre,
    ListKind,
    MovieDetails,
    MovieRow,
    TmdbClient,
    TmdbNotFound,
)
from tests.providers.origin import Answer, Origin

FIXTURES = Path(__file__).parent / "fixtures" / "tmdb"
V3_KEY = "0123456789abcdef0123456789abcdef"
V4_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzY29wZXMiOlsiYXBpX3JlYWQiXX0.c2lnbmF0dXJl"


class Memory(dict[str, Any]):
    """A cache that remembers for how long it was asked to keep things."""

    ttl: int | None = None

    def set(self, key: str, value: Any, timeout: int) -> None:
        self[key], self.ttl = value, timeout


class Broken:
    def get(self, key: str) -> Any:
        raise ConnectionError("the cache is away")

    def set(self, key: str, value: Any, timeout: int) -> None:
        raise ConnectionError("the cache is away")


@pytest.fixture
def tmdb(origin: Origin, slept: list[float]) -> TmdbClient:
    return client(origin, slept)


def client(origin: Origin, slept: list[float], *, api_key: str = V3_KEY, cache: Any = None) -> TmdbClient:
    session = GuardedSession(provider="tmdb", trusted_origins=[origin.url], sleep=slept.append)
    return TmdbClient(session, base_url=origin.url + "/3/", api_key=api_key, cache=cache)


def recorded(name: str, status: int = 200, **headers: str) -> Answer:
    return Answer(status, (FIXTURES / f"{name}.json").read_bytes(), headers)


def test_every_fixture_names_its_source() -> None:
    for path in FIXTURES.glob("*.json"):
        assert "https://developer.themoviedb.org/" in path.read_text(), path.name


@pytest.mark.parametrize("kind", list(ListKind))
def test_each_list_is_read_by_its_name(origin: Origin, tmdb: TmdbClient, kind: ListKind) -> None:
    origin.on(f"/3/movie/{kind}", recorded(kind))
    assert len(tmdb.list(kind, region="CH", language="de-CH").rows) >= 1
    assert origin.asked[0].query == {"page": "1", "region": "CH", "language": "de-CH", "api_key": V3_KEY}


def test_a_row_carries_what_the_list_says(origin: Origin, tmdb: TmdbClient) -> None:
    origin.on("/3/movie/now_playing", recorded("now_playing"))
    page = tmdb.list(ListKind.NOW_PLAYING)
    assert (page.page, page.total_pages, page.skipped) == (1, 87, 0)
    assert page.rows == (
        MovieRow(
            tmdb_id=502356,
            title="The Super Mario Bros. Movie",
            original_title="The Super Mario Bros. Movie",
            original_language="en",
            overview="Two plumbers fall into a world of mushrooms and have to find each other again.",
            release_date=date(2023, 4, 5),
            poster_path="/qNBAXBIQlnOThrVvA6mA2B5ggV6.jpg",
            backdrop_path="/iJQIbOPm81fPEGKt5BPuZmfnA54.jpg",
            popularity=6572.614,
            vote_average=7.5,
            vote_count=1456,
            genre_ids=(16,),
        ),
    )


def test_pages_that_tmdb_counts_but_does_not_give_are_not_promised(origin: Origin, tmdb: TmdbClient) -> None:
    origin.on("/3/movie/popular", recorded("popular"))
    assert tmdb.list(ListKind.POPULAR).total_pages == 500


def test_rows_that_are_no_films_are_logged_skipped_and_counted(
    origin: Origin, tmdb: TmdbClient, caplog: pytest.LogCaptureFixture
) -> None:
    origin.on("/3/movie/popular", recorded("malformed_rows"))
    page = tmdb.list(ListKind.POPULAR)
    assert [row.tmdb_id for row in page.rows] == [502356, 640146]
    assert (page.skipped, page.total_pages) == (16, 3)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 16
    assert "row 9 skipped: id must be a whole number from 1 to 2147483647, not '550'" in warnings[8]
    assert V3_KEY not in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        recorded("error_page_past_end", 422),
        recorded("error_invalid_page", 422),
        recorded("error_invalid_page", 400),
    ],
)
def test_a_page_past_the_end_is_empty(origin: Origin, tmdb: TmdbClient, answer: Answer) -> None:
    origin.on("/3/movie/popular", answer)
    page = tmdb.list(ListKind.POPULAR, page=501)
    assert (page.rows, page.page, page.total_pages, page.skipped) == ((), 501, 500, 0)
    assert len(origin.asked) == 1


def test_the_first_page_is_never_past_the_end(origin: Origin, tmdb: TmdbClient) -> None:
    origin.on("/3/movie/popular", recorded("error_invalid_page", 422))
    with pytest.raises(ProviderPermanent):
        tmdb.list(ListKind.POPULAR)


def test_another_bad_request_is_no_end_of_a_list(origin: Origin, tmdb: TmdbClient) -> None:
    origin.on("/3/movie/popular", Answer(400, b'{"status_code": 18}'))
    with pytest.raises(ProviderPermanent):
        tmdb.list(ListKind.POPULAR, page=2)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"{}", b'{"results": {}}', b"<html>", b""])
def test_an_answer_that_is_no_list_is_a_bad_response(origin: Origin, tmdb: TmdbClient, body: bytes) -> None:
    origin.on("/3/movie/popular", Answer(body=body))
    with pytest.raises(ProviderBadResponse) as caught:
        tmdb.list(ListKind.POPULAR)
    assert V3_KEY not in str(caught.value)
    assert caught.value.request.startswith(f"GET {origin.url}/3/movie/popular?")


def test_the_change_feed_names_movies_by_their_ids(
    origin: Origin, tmdb: TmdbClient, caplog: pytest.LogCaptureFixture
) -> None:
    origin.on("/3/movie/changes", recorded("changes"))
    page = tmdb.changes(date(2023, 4, 1), date(2023, 4, 14), page=2)
    assert (page.ids, page.page, page.total_pages, page.skipped) == ((1100748, 1100746, 502356), 2, 3, 2)
    days = {"start_date": "2023-04-01", "end_date": "2023-04-14"}
    assert origin.asked[0].query == {"page": "2", **days, "api_key": V3_KEY}
    assert "row 3 skipped" in caplog.text


def test_a_page_past_the_end_of_the_change_feed_is_empty(origin: Origin, tmdb: TmdbClient) -> None:
    origin.on("/3/movie/changes", recorded("error_page_past_end", 422))
    page = tmdb.changes(date(2023, 4, 1), date(2023, 4, 1), page=4)
    assert (page.ids, page.total_pages) == ((), 3)


@pytest.mark.parametrize(("first", "last"), [(2, 1), (1, 15)])
def test_the_change_feed_is_asked_for_a_fortnight_at_most(
    origin: Origin, tmdb: TmdbClient, first: int, last: int
) -> None:
    with pytest.raises(ValueError, match="1 to 14 days"):
        tmdb.changes(date(2023, 4, first), date(2023, 4, last))
    assert origin.asked == []


def test_details_come_with_external_ids_and_certifications(origin: Origin, tmdb: TmdbClient) -> None:
    origin.on("/3/movie/11", recorded("details"))
    movie = tmdb.details(11, language="en-US")
    assert origin.asked[0].query == {
        "append_to_response": "external_ids,release_dates",
        "language": "en-US",
        "api_key": V3_KEY,
    }
    assert movie == MovieDetails(
        tmdb_id=11,
        title="Star Wars",
        original_title="Star Wars",
        original_language="en",
        overview="A farm boy, a smuggler and a princess take on an empire.",
        release_date=date(1977, 5, 25),
        poster_path="/6FfCtAuVAW8XJjZ7eWeLibRLWTw.jpg",
        backdrop_path="/2w4xG178RpB4MDAIfTkqAuSJzec.jpg",
        popularity=20.6912,
        vote_average=8.2,
        vote_count=22061,
        imdb_id="tt0076759",
        tagline="A long time ago in a galaxy far, far away...",
        status="Released",
        runtime_min=121,
        genres=(Genre(12, "Adventure"), Genre(28, "Action"), Genre(878, "Science Fiction")),
        spoken_languages=("en",),
        certifications=(Certification("AU", "PG"), Certification("DE", "12"), Certification("US", "PG")),
    )


def test_details_may_lack_everything_but_id_and_title(origin: Origin, tmdb: TmdbClient) -> None:
    odd = {"runtime": 0, "genres": [None, {"id": 1}], "external_ids": [], "release_dates": 1}
    origin.on("/3/movie/5", Answer(body=json.dumps({"id": 5, "title": "T", **odd}).encode()))
    assert tmdb.details(5) == MovieDetails(tmdb_id=5, title="T")


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"id": 6, "title": "Another"}', b'{"id": 5}'])
def test_details_of_no_or_another_movie_are_a_bad_response(
    origin: Origin, tmdb: TmdbClient, body: bytes
) -> None:
    origin.on("/3/movie/5", Answer(body=body))
    with pytest.raises(ProviderBadResponse):
        tmdb.details(5)


def test_a_deleted_film_is_not_found(origin: Origin, tmdb: TmdbClient) -> None:
    origin.on("/3/movie/5", recorded("error_not_found", 404))
    with pytest.raises(TmdbNotFound) as caught:
        tmdb.details(5)
    assert (caught.value.status, caught.value.retryable) == (404, False)


@pytest.mark.parametrize("body", [b"<html>404 Not Found</html>", b"", b'{"status_code": 35}', b"[]"])
def test_a_404_that_is_not_tmdbs_own_deletes_nothing(origin: Origin, tmdb: TmdbClient, body: bytes) -> None:
    origin.on("/3/movie/5", Answer(404, body))
    with pytest.raises(ProviderBadResponse, match="TMDB_BASE_URL"):
        tmdb.details(5)


@pytest.mark.parametrize("tmdb_id", [0, -1, 2**31, True, "5", 5.0, None])
def test_an_id_out_of_bounds_is_not_asked_for(origin: Origin, tmdb: TmdbClient, tmdb_id: Any) -> None:
    with pytest.raises(ValueError, match="from 1 to 2147483647"):
        tmdb.details(tmdb_id)
    assert origin.asked == []


@pytest.mark.parametrize(
    "arguments",
    [{"page": 0}, {"region": "us"}, {"region": "USA"}, {"language": "english"}, {"language": "en&x=1"}],
)
def test_wrong_arguments_are_not_sent(origin: Origin, tmdb: TmdbClient, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"not|look like"):
        tmdb.list(ListKind.POPULAR, **arguments)
    assert origin.asked == []


def test_a_v4_token_goes_into_the_header(origin: Origin, slept: list[float]) -> None:
    origin.on("/3/movie/popular", recorded("popular"))
    client(origin, slept, api_key=f" {V4_TOKEN}\n").list(ListKind.POPULAR)
    assert origin.asked[0].headers["authorization"] == f"Bearer {V4_TOKEN}"
    assert "api_key" not in origin.asked[0].query


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("api_key", [V3_KEY, V4_TOKEN])
def test_a_refused_key_is_a_matter_of_configuration(
    origin: Origin, slept: list[float], status: int, api_key: str
) -> None:
    origin.on("/3/movie/popular", recorded("error_invalid_key", status))
    with pytest.raises(ProviderMisconfigured, match="TMDB_API_KEY") as caught:
        client(origin, slept, api_key=api_key).list(ListKind.POPULAR)
    assert "granted a valid key" in caught.value.answer
    assert api_key not in str(vars(caught.value))
    assert slept == []


@pytest.mark.parametrize("api_key", ["", "  ", "two words", "line\nbreak", "kl\u00e9"])
def test_a_key_that_cannot_be_one_is_refused_at_once(
    origin: Origin, slept: list[float], api_key: str
) -> None:
    with pytest.raises(ProviderMisconfigured, match="TMDB_API_KEY"):
        client(origin, slept, api_key=api_key)


def test_a_rate_limit_is_waited_out(origin: Origin, tmdb: TmdbClient, slept: list[float]) -> None:
    limited = recorded("error_rate_limited", 429, **{"Retry-After": "3"})
    origin.on("/3/movie/popular", limited, recorded("popular"))
    assert len(tmdb.list(ListKind.POPULAR).rows) == 2
    assert slept == [3.0]


@pytest.mark.parametrize(("status", "error"), [(500, ProviderTransient), (429, ProviderRateLimited)])
def test_trouble_that_lasts_is_a_typed_error(
    origin: Origin, tmdb: TmdbClient, slept: list[float], status: int, error: type[ProviderError]
) -> None:
    origin.on("/3/movie/popular", Answer(status))
    with pytest.raises(error):
        tmdb.list(ListKind.POPULAR)
    assert len(origin.asked) == 4


def test_pictures_have_urls(origin: Origin, tmdb: TmdbClient) -> None:
    origin.on("/3/configuration", recorded("configuration"))
    assert tmdb.image_url("/abc.jpg", "w342") == "https://image.tmdb.org/t/p/w342/abc.jpg"
    assert tmdb.image_url("/abc.jpg", "original") == "https://image.tmdb.org/t/p/original/abc.jpg"
    with pytest.raises(ValueError, match="there are w92, w154"):
        tmdb.image_url("/abc.jpg", "w17")
    with pytest.raises(ValueError, match="not an image path"):
        tmdb.image_url("/../x.jpg", "w342")


def test_the_configuration_is_asked_for_once_in_days(origin: Origin, slept: list[float]) -> None:
    cache = Memory()
    origin.on("/3/configuration", recorded("configuration"))
    first = client(origin, slept, cache=cache).configuration()
    assert client(origin, slept, cache=cache).configuration() == first
    assert len(origin.asked) == 1
    assert cache.ttl == CONFIGURATION_TTL_S
    assert V3_KEY not in repr(cache)


@pytest.mark.parametrize("kept", [{}, [], "x", {"images": {"secure_base_url": "ftp://x/"}}])
def test_a_kept_configuration_that_makes_no_sense_is_asked_for_anew(
    origin: Origin, slept: list[float], kept: Any
) -> None:
    cache = Memory()
    origin.on("/3/configuration", recorded("configuration"))
    tmdb = client(origin, slept, cache=cache)
    tmdb.configuration()
    cache[next(iter(cache))] = kept
    assert tmdb.configuration().image_base_url == "https://image.tmdb.org/t/p/"
    assert len(origin.asked) == 2


def test_a_cache_that_is_away_costs_a_request_and_no_more(origin: Origin, slept: list[float]) -> None:
    origin.on("/3/configuration", recorded("configuration"))
    assert client(origin, slept, cache=Broken()).configuration().poster_sizes[0] == "w92"


@pytest.mark.parametrize(
    "body", [b"[]", b"{}", b'{"images": []}', b'{"images": {"secure_base_url": "javascript:alert(1)/"}}']
)
def test_a_configuration_that_says_nothing_is_a_bad_response(
    origin: Origin, tmdb: TmdbClient, body: bytes
) -> None:
    origin.on("/3/configuration", Answer(body=body))
    with pytest.raises(ProviderBadResponse):
        tmdb.configuration()
