"""What hangs, drips or goes on for ever delays nobody past its deadline, and takes nobody else's threads."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from core import conf
from ingestion import matching
from ingestion.models import IngestLog, Job
from providers import calls, registry, services
from providers.base import LicensedProvider
from providers.bulkheads import Bulkheads
from providers.calls import POOL, Patience, ProviderAnswer, Target
from providers.errors import ProviderRateLimited, ProviderTransient
from providers.messages import Request, Response
from providers.models import Provider
from providers.options import ConfigField, ConfigKind
from providers.probe.reader import REQUEST_SECONDS
from providers.types import MovieRef, ProbeOutcome, SearchAnswer
from streaming.models import Movie
from tests.ingestion.world import run
from tests.providers.origin import Answer, Origin, raw_server

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BUNNY = MovieRef(tmdb_id=10378, title="Big Buck Bunny")
OTHER = MovieRef(tmdb_id=45745, title="Sintel")
SOON_S = 0.6
WATCHDOG_S = 20.0
NOTHING = Answer(body=json.dumps({"renditions": []}).encode())

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


class Doors:
    """A server that answers nobody until `open` is set."""

    def __init__(self) -> None:
        self.knocked, self.open = threading.Semaphore(0), threading.Event()

    def talk(self, connection: socket.socket) -> None:
        self.knocked.release()
        self.open.wait(WATCHDOG_S)


@pytest.fixture
def doors() -> Doors:
    return Doors()


@pytest.fixture
def shut(doors: Doors) -> Iterator[str]:
    with raw_server(doors.talk) as port:
        yield f"http://127.0.0.1:{port}"
        doors.open.set()


@pytest.fixture(autouse=True)
def edge(settings: Any, origin: Origin, shut: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [origin.url, shut]
    conf.change("RATE_LIMIT_RPS", 1000, by="test", at=AT)
    conf.change("MAX_RETRY_ATTEMPTS", 3, by="test", at=AT)
    monkeypatch.setattr(calls, "bulkheads", Bulkheads(POOL))
    monkeypatch.setattr(calls, "GRACE_S", 0.1)
    for movie in (BUNNY, OTHER):
        origin.on(f"/movies/{movie.tmdb_id}.json", NOTHING)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "SEARCH", Patience(slots=0, least_s=SOON_S, most_s=SOON_S))
    monkeypatch.setattr(calls, "PROBE", Patience(slots=0, least_s=SOON_S, most_s=SOON_S))


def library(slug: str, url: str, **columns: Any) -> Provider:
    made = {"label": slug, "adapter": "library", "enabled": True, "config": {"base_url": url}, **columns}
    return Provider.objects.create(slug=slug, **made)


def search(movie: MovieRef = BUNNY) -> dict[str, ProviderAnswer]:
    return {answer.provider.slug: answer for answer in services.search_all(movie, at=AT)}


@pytest.mark.usefixtures("impatient")
def test_retries_and_all_end_at_one_deadline(origin: Origin, shut: str) -> None:
    library("fine", origin.url, priority=200)
    library("hanging", shut)  # asked first, and waited for first
    answers = search()
    assert isinstance(answers["hanging"].error, ProviderTransient)
    assert SOON_S * 1000 <= answers["hanging"].duration_ms < 5000, "15 s would be one attempt's own"
    assert answers["fine"].answer is not None
    assert answers["fine"].duration_ms < SOON_S * 1000, "each is timed by itself"


@pytest.mark.usefixtures("impatient")
def test_a_pause_that_is_asked_for_ends_no_later_either(origin: Origin, shut: str) -> None:
    origin.on("/movies/10378.json", Answer(429, headers={"Retry-After": "30"}), NOTHING)
    library("limited", origin.url)
    answer = search()["limited"]
    assert isinstance(answer.error, ProviderRateLimited)
    assert (answer.error.retry_after_s, len(origin.asked)) == (30, 1)


@pytest.mark.usefixtures("impatient")
def test_waiting_for_our_own_pace_ends_at_the_deadline_and_is_no_failing(origin: Origin) -> None:
    library("slow", origin.url, rate_limit_rps=0.5)
    assert search()["slow"].answer is not None
    error = search(OTHER)["slow"].error
    assert isinstance(error, ProviderRateLimited)
    assert error.status is None
    assert len(origin.asked) == 1


def test_the_second_round_of_a_search_has_no_deadline_of_its_own(
    origin: Origin, shut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TwoRounds(registry.ADAPTERS["library"]):  # type: ignore[misc]
        def build_details(self, movie: MovieRef, responses: Sequence[Response]) -> tuple[Request, ...]:
            return tuple(Request(url=f"{shut}/{n}", deadline_s=15) for n in range(5))

    monkeypatch.setitem(registry.ADAPTERS, "library", TwoRounds)  # type: ignore[arg-type]
    monkeypatch.setattr(calls, "SEARCH", Patience(slots=0, least_s=SOON_S, most_s=SOON_S))
    library("rounds", origin.url)
    answer = search()["rounds"]
    assert isinstance(answer.error, ProviderTransient)
    assert answer.duration_ms < 5000
    assert answer.latency_ms is not None, "the first round was answered"


class Endless(LicensedProvider):
    """An adapter that never comes to an end with what it reads."""

    slug, label, capabilities = "endless", "Endless", frozenset()
    config_fields = (ConfigField(name="base_url", label="URL", help="Where.", kind=ConfigKind.URL),)
    go_on = threading.Event()

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        return ()

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        self.go_on.wait(WATCHDOG_S)
        return SearchAnswer(candidates=())


@pytest.mark.usefixtures("impatient")
def test_an_adapter_that_does_not_come_to_an_end_is_left_and_holds_only_its_own_threads(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.ADAPTERS, "endless", Endless)  # type: ignore[arg-type]
    library("fine", origin.url)
    library("stuck", origin.url, adapter="endless")
    before = threading.active_count()
    try:
        with ThreadPoolExecutor(POOL + 2) as searches:
            asked = [
                searches.submit(calls.Search(Provider.objects.get(pk="stuck"), BUNNY, conf.current()).answer)
                for _ in range(POOL + 2)
            ]
            errors = [search.result().error for search in asked]
        stuck = [thread for thread in threading.enumerate() if thread.name.startswith("providers-stuck")]
        assert len(stuck) == POOL, "those who came later did not get threads of their own"
        assert sum(isinstance(error, ProviderTransient) for error in errors) == POOL
        busy = [error for error in errors if isinstance(error, ProviderRateLimited)]
        assert len(busy) == 2
        assert f"our {POOL} threads for it were busy" in str(busy[0])
        assert search(OTHER)["fine"].answer is not None
    finally:
        Endless.go_on.set()
    assert threading.active_count() < before + 2 * POOL


def test_one_that_hangs_slows_no_search_of_another_movie(
    origin: Origin, shut: str, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many probes as it has threads hang at one; others are asked as if nothing were."""
    monkeypatch.setattr(calls, "PROBE", Patience(slots=0, least_s=WATCHDOG_S, most_s=WATCHDOG_S))
    hanging, fine = library("hanging", shut), library("fine", origin.url)
    options = conf.current()
    targets = [Target(hanging, f"{shut}/{n}.mp4", "progressive") for n in range(POOL + 4)]
    probes = [calls.probing(target, options, calls.sessions_by(options)) for target in targets]
    for _ in range(POOL):
        assert doors.knocked.acquire(timeout=WATCHDOG_S)
    for movie in (BUNNY, OTHER):
        assert calls.Search(fine, movie, options).answer().answer is not None
    assert not any(probe.done() for probe in probes)
    assert not doors.knocked.acquire(blocking=False), "more of them at once than it has threads"
    doors.open.set()
    assert all(probe.result(WATCHDOG_S).outcome is not ProbeOutcome.OK for probe in probes)


@pytest.mark.usefixtures("impatient")
def test_a_probe_has_a_deadline_too(origin: Origin, shut: str) -> None:
    began = time.monotonic()
    result = services.probe(library("hanging", shut), f"{shut}/a.mp4", "progressive", at=AT)
    assert result.outcome is ProbeOutcome.PROVIDER_DOWN
    assert time.monotonic() - began < REQUEST_SECONDS, "by its own limit alone it would have waited longer"


@pytest.mark.parametrize(("rps", "seconds"), [(1000, 30), (1, 30), (0.2, 80), (0.01, 120), (0, 30), (-1, 30)])
def test_who_is_asked_slowly_is_given_longer(rps: float, seconds: float) -> None:
    provider = library("films", "http://films.example", rate_limit_rps=rps)
    assert calls.SEARCH.allowed_s(provider, conf.current()) == pytest.approx(seconds)


@pytest.mark.usefixtures("impatient")
def test_a_failure_is_a_row_in_the_runs_log_with_provider_reason_and_duration(shut: str) -> None:
    library("hanging", shut)
    movie = Movie.objects.create(id=10378, title="Big Buck Bunny", discovered_at=AT)
    run(Job.MATCH, at=AT, movie_id=movie.pk)
    row = IngestLog.objects.get(status=matching.Log.FAILED)
    assert row.message.startswith("hanging gave no answer: hanging: no complete answer in time")
    assert row.metadata == {"provider": "hanging", "code": "transient"}
    assert row.duration_ms >= SOON_S * 1000
    assert row.movie_id == movie.pk


def test_a_child_process_has_threads_of_its_own(valkey: redis.Redis) -> None:
    """A fork leaves the parent's threads behind; work given to them would never be done."""
    bulkheads = Bulkheads(1)
    assert bulkheads.submit("films", lambda: "parent").result(WATCHDOG_S) == "parent"
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(write, bulkheads.submit("films", lambda: b"child").result(WATCHDOG_S))
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        assert told.read() == b"child"
    assert os.waitpid(child, 0)[1] == 0
