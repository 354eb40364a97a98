"""Searching, probing and TMDB as Marquee asks for them: real origins, a real Valkey, real rows."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import redis
from django.db.backends.signals import connection_created

from core import conf
from providers import calls, noting, readiness, registry, services, sessions
from providers.base import LicensedProvider
from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderTransient,
)
from providers.health import LADDER
from providers.messages import Request, Response
from providers.models import Provider
from providers.options import ConfigField, ConfigKind
from providers.services import ProviderAnswer, Target
from providers.tmdb import ListKind
from providers.types import Delivery, MovieRef, ProbeOutcome, SearchAnswer, StreamCandidate
from tests.providers.media import MediaOrigin, media
from tests.providers.origin import Answer, Origin, raw_server

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BUNNY = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207")
NAMELESS = MovieRef(tmdb_id=10378, title="Big Buck Bunny")
PATH = "/movies/10378.json"
RENDITION = {"id": "a", "url": "a.mp4", "delivery": "progressive", "quality": "1080p"}
FOUND = Answer(body=json.dumps({"renditions": [RENDITION]}).encode())
TOKEN = "s3cret-Token/42"


class Keyed(LicensedProvider):
    """An adapter with a key and little patience, which finds films by their IMDb id alone."""

    slug = "keyed"
    label = "Keyed"
    config_fields = (
        ConfigField(name="base_url", label="Base URL", help="Where.", kind=ConfigKind.URL, required=True),
        ConfigField(name="code", label="Code", help="The key.", secret=True, default=TOKEN),
    )
    asked_in: ClassVar[list[str]] = []

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        if movie.imdb_id is None:
            return ()
        url = f"{self.config['base_url']}/{movie.imdb_id}"
        return (Request(url=url, params={"c": str(self.config["code"])}, deadline_s=0.3),)

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        self.asked_in.append(threading.current_thread().name)
        found = []
        for response in responses:
            if not isinstance(rows := response.json(), list):
                raise response.bad("expected a list")
            found += [StreamCandidate(url=row["url"], delivery=Delivery(row["by"])) for row in rows]
        return SearchAnswer(candidates=tuple(found))


@pytest.fixture(autouse=True)
def edge(
    settings: Any,
    db: None,
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    origin: Origin,
    other: Origin,
) -> None:
    """Both origins are trusted; no pace and no retries but where a test says so."""
    settings.HTTP_TRUSTED_ORIGINS = [origin.url, other.url]
    monkeypatch.setitem(registry.ADAPTERS, Keyed.slug, Keyed)  # type: ignore[arg-type]
    setting("RATE_LIMIT_RPS", 1000)
    setting("TMDB_RATE_LIMIT_RPS", 1000)
    setting("MAX_RETRY_ATTEMPTS", 0)


@pytest.fixture
def other() -> Iterator[Origin]:
    with Origin().running() as other:
        yield other


def setting(name: str, value: object) -> None:
    conf.change(name, value, by="test", at=AT)


def library(slug: str, url: str, **columns: Any) -> Provider:
    return _provider(slug, "library", url, **columns)


def keyed(slug: str, url: str, **columns: Any) -> Provider:
    return _provider(slug, "keyed", url, **columns)


def _provider(slug: str, adapter: str, url: str, **columns: Any) -> Provider:
    made = {"label": slug, "adapter": adapter, "enabled": True, "config": {"base_url": url}, **columns}
    return Provider.objects.create(slug=slug, **made)


def search(movie: MovieRef = BUNNY, *, at: datetime = AT) -> dict[str, ProviderAnswer]:
    return {answer.provider.slug: answer for answer in services.search_all(movie, at=at)}


def stored(slug: str) -> Provider:
    return Provider.objects.get(pk=slug)


def urls(answer: ProviderAnswer) -> list[str]:
    assert answer.error is None
    assert answer.answer is not None
    return [candidate.url for candidate in answer.answer.candidates]


def never_answers(connection: socket.socket) -> None:
    connection.recv(1)  # until the client hangs up


# Searching


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(500, b"oops"), ProviderTransient),
        (Answer(429, b"", {"Retry-After": "600"}), ProviderRateLimited),
        (Answer(404, b"nothing here"), ProviderPermanent),
        (Answer(200, b"<html>under construction</html>"), ProviderBadResponse),
        (Answer(200, b'{"oops": 1}'), ProviderBadResponse),
        (Answer(200, b"[" * 100_000), ProviderBadResponse),
        (Answer(200, b" " * 2_100_000), ProviderBadResponse),
    ],
    ids=["500", "429", "404", "html", "wrong shape", "nested", "huge"],
)
def test_an_answer_and_a_typed_error_stand_side_by_side(
    origin: Origin, other: Origin, answer: Answer, expected: type[ProviderError]
) -> None:
    origin.on(PATH, FOUND)
    other.on("/tt1254207", answer)
    library("fine", origin.url)
    keyed("failing", other.url)
    answers = search()
    assert urls(answers["fine"]) == [f"{origin.url}/movies/a.mp4"]
    assert type(answers["failing"].error) is expected
    assert answers["failing"].answer is None, "a failure is never an empty list"
    assert stored("fine").last_ok_at
    assert stored("failing").last_error == str(answers["failing"].error)


def test_one_that_is_too_slow_is_given_up_at_its_own_deadline(settings: Any, origin: Origin) -> None:
    origin.on(PATH, FOUND)
    library("fine", origin.url)
    with raw_server(never_answers) as port:
        settings.HTTP_TRUSTED_ORIGINS = [origin.url, f"http://127.0.0.1:{port}"]
        keyed("slow", f"http://127.0.0.1:{port}")
        answers = search()
    assert isinstance(answers["slow"].error, ProviderTransient)
    assert answers["slow"].duration_ms >= 250
    assert urls(answers["fine"])


def test_all_are_asked_at_once(settings: Any) -> None:
    together = threading.Barrier(2)

    def wait_for_the_other(connection: socket.socket) -> None:
        together.wait(5)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b"
            % (len(FOUND.body), FOUND.body)
        )

    with raw_server(wait_for_the_other) as one, raw_server(wait_for_the_other) as two:
        settings.HTTP_TRUSTED_ORIGINS = [f"http://127.0.0.1:{port}" for port in (one, two)]
        for port in (one, two):
            library(f"at-{port}", f"http://127.0.0.1:{port}")
        assert [len(urls(answer)) for answer in search().values()] == [1, 1]


def test_one_that_backs_off_is_reported_and_not_asked(origin: Origin) -> None:
    origin.on(PATH, FOUND)
    until = AT + timedelta(minutes=5)
    library("tired", origin.url, backoff_rung=2, backoff_until=until)
    (answer,) = search().values()
    assert (answer.answer, answer.error) == (None, None)
    assert answer.skipped == "it backs off until 22 Nov 12:05:00 UTC"
    assert origin.asked == []
    assert urls(search(at=until)["tired"])
    assert (stored("tired").backoff_rung, stored("tired").backoff_until) == (1, None)


def test_after_a_back_off_one_search_goes_ahead_of_all_others(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.on(PATH, FOUND)
    library("tired", origin.url, backoff_rung=2, backoff_until=AT - timedelta(seconds=1))
    others = list[ProviderAnswer]()

    def meanwhile(*asked: Any) -> calls.Search:
        monkeypatch.setattr(services, "Search", calls.Search)
        others.append(search()["tired"])
        return calls.Search(*asked)

    monkeypatch.setattr(services, "Search", meanwhile)
    assert urls(search()["tired"])
    assert others[0].skipped == "another search is finding out whether it is back"
    assert len(origin.asked) == 1
    assert urls(search()["tired"]), "it is back, and asked by all"


def test_a_disabled_one_is_not_there(origin: Origin) -> None:
    library("off", origin.url, enabled=False)
    assert search() == {}
    assert origin.asked == []


def test_a_failure_backs_off_from_when_it_failed(other: Origin) -> None:
    other.on("/tt1254207", Answer(500))
    keyed("failing", other.url)
    answer = search()["failing"]
    until = AT + timedelta(milliseconds=answer.duration_ms) + LADDER[1]
    assert answer.provider.backoff_until == stored("failing").backoff_until == until
    assert search()["failing"].skipped


def test_a_host_out_of_reach_is_a_typed_error(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    settings.HTTP_TRUSTED_ORIGINS = [url]
    library("gone", url)
    error = search()["gone"].error
    assert isinstance(error, ProviderTransient)
    assert error.unreachable


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"config": {}}, "base_url is required"),
        ({"config": {"base_url": "ftp://films"}}, "base_url must be"),
        ({"adapter": "betamax"}, "unknown adapter 'betamax'"),
        ({"rate_limit_rps": 0}, "requests per second must be"),
        ({"rate_limit_rps": -1}, "requests per second must be"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_setting_is_told_and_backs_nothing_off(
    origin: Origin, columns: dict[str, Any], said: str
) -> None:
    origin.on(PATH, FOUND)
    library("fine", origin.url)
    library("wrong", origin.url)
    Provider.objects.filter(pk="wrong").update(**columns)
    answers = search()
    assert isinstance(answers["wrong"].error, ProviderMisconfigured)
    assert said in stored("wrong").last_error
    assert stored("wrong").backoff_until is None
    assert urls(answers["fine"])


def test_one_that_cannot_be_asked_for_this_movie_has_proved_nothing(other: Origin) -> None:
    keyed("by-imdb", other.url, backoff_rung=3, backoff_until=AT)
    assert urls(search(NAMELESS)["by-imdb"]) == []
    assert other.asked == []
    assert (stored("by-imdb").backoff_rung, stored("by-imdb").last_ok_at) == (3, None)


def test_a_mistake_in_one_adapter_loses_no_other_answer(
    origin: Origin, other: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    origin.on(PATH, FOUND)
    other.on("/tt1254207", Answer(body=json.dumps([{"url": "/a", "by": TOKEN}]).encode()))
    library("fine", origin.url)
    keyed("clumsy", other.url, config={"base_url": other.url, "code": TOKEN})
    answers = search()
    assert urls(answers["fine"])
    assert isinstance(answers["clumsy"].error, ProviderPermanent)
    assert "ValueError" in stored("clumsy").last_error
    assert stored("clumsy").backoff_until is None, "waiting mends no mistake of ours"
    assert "'***' is not a valid Delivery" in caplog.text
    assert TOKEN not in caplog.text


def test_latency_is_the_wires_and_not_our_own_queue(origin: Origin, valkey: redis.Redis) -> None:
    origin.on(PATH, FOUND)
    library("films", origin.url)
    seconds, microseconds = valkey.time()
    valkey.set("marquee:throttle:films", (seconds + 1) * 1_000_000 + microseconds)
    answer = search()["films"]
    assert answer.latency_ms is not None
    assert answer.duration_ms - answer.latency_ms > 300
    assert stored("films").latency_ms == answer.latency_ms


# Secrets


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, f"cannot serve code {TOKEN}".encode()),
        Answer(403, f'{{"c": "{TOKEN}"}}'.encode()),
        Answer(200, f'{{"c": "{TOKEN}"}}'.encode()),
        Answer(200, f"<b>{TOKEN}</b>".encode()),
        Answer(302, b"", {"Location": f"http://10.0.0.1/{TOKEN}?c={TOKEN}"}),
        Answer(302, b"", {"Location": f"/again?c={TOKEN}"}),
    ],
    ids=["500", "403", "wrong shape", "html", "refused redirect", "redirect"],
)
def test_a_secret_is_in_no_error_and_no_row_and_no_log(
    other: Origin, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    setting("MAX_RETRY_ATTEMPTS", 1)
    other.on("/tt1254207", answer)
    other.on("/again", Answer(500, TOKEN.encode()))
    keyed("films", other.url)
    error = search()["films"].error
    assert error is not None
    assert other.asked[0].query == {"c": TOKEN}
    for text in (
        str(error),
        repr(error),
        error.answer,
        error.request,
        stored("films").last_error,
        caplog.text,
    ):
        assert TOKEN not in text
        assert "s3cret" not in text


# Settings, pace and connections


def next_slot_s(valkey: redis.Redis, name: str) -> float:
    seconds, microseconds = valkey.time()
    return (int(valkey.get(f"marquee:throttle:{name}") or 0) - seconds * 1e6 - microseconds) / 1e6


def test_a_changed_pace_holds_for_the_next_search(origin: Origin, valkey: redis.Redis) -> None:
    origin.on(PATH, FOUND)
    library("films", origin.url)
    search()
    assert next_slot_s(valkey, "films") < 0.1
    setting("RATE_LIMIT_RPS", 0.02)
    search()
    assert 30 < next_slot_s(valkey, "films") < 60


def test_a_providers_own_pace_comes_before_the_general_one(origin: Origin, valkey: redis.Redis) -> None:
    origin.on(PATH, FOUND)
    library("films", origin.url, rate_limit_rps=0.02)
    search()
    assert 30 < next_slot_s(valkey, "films") < 60


def test_our_own_pace_is_a_typed_error_and_no_failing_of_the_provider(origin: Origin) -> None:
    origin.on(PATH, FOUND)
    library("films", origin.url, rate_limit_rps=0.01)
    assert urls(search()["films"])
    error = search()["films"].error
    assert isinstance(error, ProviderRateLimited)
    films = stored("films")
    assert (films.backoff_until, films.success_rate) == (None, 1.0)
    assert "the next free slot is" in films.last_error


def test_a_429_keeps_searches_and_probes_of_that_provider_away(origin: Origin, valkey: redis.Redis) -> None:
    origin.on(PATH, Answer(429, b"", {"Retry-After": "600"}))
    films = library("films", origin.url)
    search()
    assert stored("films").backoff_rung == 3
    assert 590 < next_slot_s(valkey, "films") <= 600
    result = services.probe(films, origin.on("/a.mp4", Answer()), "progressive", at=AT)
    assert result.outcome is ProbeOutcome.THROTTLED
    assert origin.paths() == [PATH]


def test_a_429_that_names_no_time_halves_the_pace_and_the_pace_can_be_read(origin: Origin) -> None:
    origin.on(PATH, Answer(429))
    films = library("films", origin.url, rate_limit_rps=8)
    assert sessions.pace_of(films.slug) == (1, 0)
    search()
    assert sessions.pace_of(films.slug) == (pytest.approx(0.5, abs=0.05), 0)


def test_a_changed_number_of_retries_holds_for_the_next_search(origin: Origin) -> None:
    origin.on(PATH, Answer(500))
    library("films", origin.url)
    search()
    assert len(origin.asked) == 1
    setting("MAX_RETRY_ATTEMPTS", 1)
    search(at=AT + timedelta(hours=1))
    assert len(origin.asked) == 1 + 2


def test_with_valkey_away_it_all_works(settings: Any, tmp_path: Any, origin: Origin) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    origin.on(PATH, FOUND)
    films = library("films", origin.url)
    assert urls(search()["films"])
    gone = services.probe(films, f"{origin.url}/gone.mp4", "progressive", at=AT)
    assert gone.outcome is ProbeOutcome.DEAD


def test_the_providers_list_of_hosts_holds_for_its_streams_and_spares_its_own_address(
    origin: Origin, other: Origin
) -> None:
    origin.on(PATH, FOUND)
    films = library("films", origin.url, allowed_hosts=["*.example.org"])
    assert urls(search()["films"])
    elsewhere = services.probe(films, f"http://localhost:{other.port}/a.mp4", "progressive", at=AT)
    assert "localhost is not on this provider's list" in elsewhere.evidence
    assert other.asked == []


class Connections:
    """A server that keeps connections open and knows how many there were and are."""

    def __init__(self) -> None:
        self.opened, self.closed = 0, threading.Event()

    def talk(self, connection: socket.socket) -> None:
        self.opened += 1
        body = FOUND.body
        while True:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            if not connection.recv(65_536):
                return self.closed.set()


def test_connections_are_used_again_and_end_when_a_setting_changes(settings: Any) -> None:
    connections = Connections()
    with raw_server(connections.talk) as port:
        settings.HTTP_TRUSTED_ORIGINS = [f"http://127.0.0.1:{port}"]
        library("films", f"http://127.0.0.1:{port}")
        assert urls(search()["films"]) == urls(search()["films"])
        assert connections.opened == 1
        assert not connections.closed.is_set()
        setting("MAX_RETRY_ATTEMPTS", 1)
        assert urls(search()["films"])
        assert connections.closed.wait(5), "the old session still holds its connection"
        assert connections.opened == 2


def test_the_pools_threads_open_no_database_connection(origin: Origin, other: Origin) -> None:
    opened: list[str] = []

    def note(**kwargs: Any) -> None:
        opened.append(threading.current_thread().name)

    other.on("/tt1254207", Answer(body=b"[]"))
    films, clips = library("films", origin.url), keyed("clips", other.url)
    Keyed.asked_in.clear()
    connection_created.connect(note)
    try:
        search()
        services.probe_many([Target(p, f"{origin.url}/gone", "hls") for p in (films, clips)], at=AT)
    finally:
        connection_created.disconnect(note)
    assert opened == []
    assert Keyed.asked_in[0].startswith("providers")


# Probing


def test_probes_keep_the_order_of_their_targets(
    media_origin: MediaOrigin, settings: Any, other: Origin
) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [media_origin.url, other.url]
    films, clips = library("films", media_origin.url), library("clips", other.url)
    video = media_origin.put("/video.mp4", media("moov-first-1920x804.mp4"))
    down = other.on("/down.mp4", Answer(503))
    gone = other.on("/gone.mp4", Answer(404))
    targets = [Target(clips, down, "progressive"), Target(films, video, "progressive")] * 5
    targets += [Target(clips, gone, "progressive"), Target(films, video, "betamax")]
    results = services.probe_many(targets, at=AT)
    outcomes = [ProbeOutcome.PROVIDER_DOWN, ProbeOutcome.OK] * 5
    assert [r.outcome for r in results] == [*outcomes, ProbeOutcome.DEAD, ProbeOutcome.INCONCLUSIVE]
    assert (results[1].width, results[1].height) == (1920, 804)


def test_an_outage_that_a_probe_meets_is_told_of_the_provider_and_keeps_nobody_from_searching(
    origin: Origin,
) -> None:
    origin.on(PATH, FOUND)
    films = library("films", origin.url)
    services.probe(films, origin.on("/down.mp4", Answer(503)), "progressive", at=AT)
    assert stored("films").last_error_at == AT
    assert "503" in stored("films").last_error
    assert (stored("films").backoff_until, stored("films").success_rate) == (None, 1.0)
    assert urls(search()["films"])


@pytest.mark.parametrize("status", [404, 403])
def test_a_dead_stream_says_nothing_of_its_provider(origin: Origin, status: int) -> None:
    films = library("films", origin.url)
    services.probe(films, origin.on("/gone.mp4", Answer(status)), "progressive", at=AT)
    assert stored("films").last_error == ""


def test_a_probe_of_a_provider_that_is_set_up_wrongly_is_inconclusive(origin: Origin) -> None:
    films = library("films", origin.url, config={})
    result = services.probe(films, f"{origin.url}/a.mp4", "progressive", at=AT)
    assert result.outcome is ProbeOutcome.INCONCLUSIVE
    assert "base_url is required" in result.evidence


def test_a_mistake_in_one_probe_is_logged_and_loses_no_other(
    origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    films = library("films", origin.url)
    gone = origin.on("/gone.mp4", Answer(404))
    odd, dead = services.probe_many(
        [Target(films, gone, "betamax"), Target(films, gone, "progressive")], at=AT
    )
    assert (odd.outcome, dead.outcome) == (ProbeOutcome.INCONCLUSIVE, ProbeOutcome.DEAD)
    assert "ValueError" in odd.evidence
    assert "'betamax' is not a valid Delivery" in caplog.text


def test_nothing_to_probe_is_no_work() -> None:
    assert services.probe_many([], at=AT) == []


@pytest.mark.parametrize(
    ("claimed", "measured", "honesty"), [(5, 3, 0.96), (3, 3, 1.0), (None, 3, 1.0), (5, None, 1.0)]
)
def test_honesty_is_noted_where_claim_and_measure_can_be_compared(
    origin: Origin, claimed: int | None, measured: int | None, honesty: float
) -> None:
    films = library("films", origin.url)
    noting.measured(films, claimed=claimed, measured=measured, at=AT)
    assert stored("films").honesty == pytest.approx(honesty)


# The library and TMDB


def test_the_library_is_made_once(settings: Any) -> None:
    settings.LIBRARY_URL = "https://media.example.org/library"
    made, again = services.ensure_library(), services.ensure_library()
    assert made == again == Provider.objects.get()
    assert (made.slug, made.adapter, made.enabled, made.priority) == ("library", "library", True, 10)
    assert readiness.adapter_of(made).config["base_url"] == settings.LIBRARY_URL


def test_without_an_address_there_is_no_library(settings: Any) -> None:
    settings.LIBRARY_URL = ""
    assert services.ensure_library() is None
    assert not Provider.objects.exists()


def test_a_library_that_moves_is_asked_there_at_once_and_keeps_what_an_operator_set(
    settings: Any, origin: Origin
) -> None:
    settings.LIBRARY_URL = "https://old.example.org"
    services.ensure_library()
    word = {"label": "Ours", "priority": 3, "allowed_hosts": ["a.example.org"], "licence_note": "ours"}
    down = {"backoff_rung": 9, "backoff_until": AT + timedelta(days=1)}
    Provider.objects.update(**word, **down)
    settings.LIBRARY_URL = origin.url
    moved = services.ensure_library()
    assert moved is not None
    assert moved.config == {"base_url": origin.url}
    assert {name: getattr(moved, name) for name in word} == word
    origin.on(PATH, FOUND)
    assert urls(search()["library"])


@pytest.mark.parametrize("url", ["https://old.example.org", "https://new.example.org"])
def test_a_library_that_is_off_stays_off(settings: Any, url: str) -> None:
    settings.LIBRARY_URL = "https://old.example.org"
    services.ensure_library()
    Provider.objects.update(enabled=False, backoff_rung=2, backoff_until=AT)
    settings.LIBRARY_URL = url
    services.ensure_library()
    kept = url == "https://old.example.org"
    assert (stored("library").enabled, stored("library").backoff_rung) == (False, 2 if kept else 0)


@pytest.fixture
def tmdb(settings: Any, origin: Origin) -> Callable[[], Any]:
    settings.TMDB_API_KEY = TOKEN
    settings.TMDB_BASE_URL = f"{origin.url}/3"
    page = {"page": 1, "results": [], "total_pages": 1, "total_results": 0}
    origin.on("/3/movie/popular", Answer(body=json.dumps(page).encode()))
    return lambda: services.tmdb().list(ListKind.POPULAR)


def test_tmdb_is_asked_as_the_settings_say(
    tmdb: Callable[[], Any], origin: Origin, valkey: redis.Redis
) -> None:
    tmdb()
    assert origin.asked[0].query["api_key"] == TOKEN
    assert next_slot_s(valkey, "tmdb") < 0.1
    setting("TMDB_RATE_LIMIT_RPS", 0.02)
    tmdb()
    assert 30 < next_slot_s(valkey, "tmdb") < 60


def test_tmdbs_retries_are_a_setting_and_its_key_is_in_no_error(
    tmdb: Callable[[], Any], origin: Origin
) -> None:
    origin.on("/3/movie/popular", Answer(500, TOKEN.encode()))
    setting("MAX_RETRY_ATTEMPTS", 1)
    with pytest.raises(ProviderTransient) as caught:
        tmdb()
    assert len(origin.asked) == 2
    assert TOKEN not in str(caught.value) + caught.value.answer
