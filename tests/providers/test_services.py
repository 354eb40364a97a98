"""Searching as Marquee does: real origins, a real Valkey, real rows."""

from __future__ import annotations

import json
import socket
import threading
from datetime import timedelta
from typing import Any

import pytest
import redis

from providers import calls, services
from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderTransient,
)
from providers.health import LADDER
from providers.models import Provider
from providers.services import ProviderAnswer
from tests.providers.asking import (
    AT,
    FOUND,
    NAMELESS,
    PATH,
    TOKEN,
    keyed,
    library,
    search,
    setting,
    stored,
    urls,
)
from tests.providers.origin import Answer, Origin, raw_server

pytestmark = pytest.mark.usefixtures("edge")


def never_answers(connection: socket.socket) -> None:
    connection.recv(1)  # until the client hangs up


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
