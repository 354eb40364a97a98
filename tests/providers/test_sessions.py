"""How providers and TMDB are asked, as the settings of the moment say: pace, retries, hosts, connections."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db.backends.signals import connection_created

from providers import services, sessions
from providers.errors import (
    ProviderRateLimited,
    ProviderTransient,
)
from providers.services import Target
from providers.tmdb import ListKind
from providers.types import ProbeOutcome
from tests.providers.asking import (
    AT,
    FOUND,
    PATH,
    TOKEN,
    Keyed,
    keyed,
    library,
    next_slot_s,
    search,
    setting,
    stored,
    urls,
)
from tests.providers.origin import Answer, Origin, raw_server

pytestmark = pytest.mark.usefixtures("edge")


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


# TMDB


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
