"""What is asked again, after how long, and what never is."""

from __future__ import annotations

import math
from email.utils import formatdate
from typing import Any

import pytest

from providers import transport
from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderTransient,
)
from providers.http import GuardedSession, Request
from providers.retry import LONGEST_RETRY_AFTER_S, RetryPolicy, retry_after_s
from tests.providers.origin import Answer, Origin, raw_server

NOW = 1_800_000_000.0
OK = Answer(body=b'{"ok": true}')


class Told:
    """A pace that counts who leaves, and remembers what it was told of whom."""

    def __init__(self) -> None:
        self.left = 0
        self.told: list[tuple[float, float]] = []

    def wait(self) -> float:
        self.left += 1
        return float(self.left)

    def slow_down(self, pause_s: float, *, sent: float) -> None:
        self.told.append((pause_s, sent))


def session(origin: Origin, slept: list[float] | None = None, **options: Any) -> GuardedSession:
    sleep = (slept if slept is not None else []).append
    given = {"sleep": sleep, "rng": lambda: 1.0, "wall_clock": lambda: NOW, **options}
    return GuardedSession(provider="p", trusted_origins=[origin.url], **given)


def test_three_retries_mean_four_attempts_and_growing_pauses(origin: Origin, slept: list[float]) -> None:
    url = origin.on("/a", Answer(500))
    with pytest.raises(ProviderTransient):
        session(origin, slept, max_retries=3).send(Request(url=url))
    assert len(origin.asked) == 4
    assert slept == [0.5, 1.0, 2.0]


def test_pauses_are_jittered_over_their_full_width(origin: Origin, slept: list[float]) -> None:
    rng = iter([0.0, 0.5, 0.25])
    url = origin.on("/a", Answer(500))
    with pytest.raises(ProviderTransient):
        session(origin, slept, rng=lambda: next(rng)).send(Request(url=url))
    assert slept == [0.0, 0.5, 0.5]


def test_a_pause_grows_to_twenty_seconds_at_most() -> None:
    """Somebody may allow many retries."""
    policy, failure = RetryPolicy(max_retries=50), ProviderTransient("failed with HTTP 500")
    assert [policy.pause(failure, attempt, lambda: 1.0) for attempt in (5, 6, 49)] == [16.0, 20.0, 20.0]


def test_a_retry_that_succeeds_is_a_success(origin: Origin, slept: list[float]) -> None:
    url = origin.on("/a", Answer(502), Answer(503), OK)
    assert session(origin, slept).send(Request(url=url)).json() == {"ok": True}
    assert len(slept) == 2


@pytest.mark.parametrize("status", [400, 401, 404, 410])
def test_what_is_permanent_is_not_retried(origin: Origin, slept: list[float], status: int) -> None:
    url = origin.on("/a", Answer(status))
    with pytest.raises((ProviderPermanent, ProviderMisconfigured)):
        session(origin, slept).send(Request(url=url))
    assert (len(origin.asked), slept) == (1, [])


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("header", ["7", formatdate(NOW + 7, usegmt=True)])
def test_retry_after_is_honoured_in_both_its_forms(
    origin: Origin, slept: list[float], status: int, header: str
) -> None:
    pace = Told()
    url = origin.on("/a", Answer(status, headers={"Retry-After": header}), OK)
    assert session(origin, slept, pace=pace).send(Request(url=url)).status == 200
    assert (slept, pace.told) == ([7.0], [(7.0, 1.0)])


def test_a_429_that_names_no_time_slows_the_pace_and_a_503_does_not(
    origin: Origin, slept: list[float]
) -> None:
    pace = Told()
    url = origin.on("/a", Answer(503), Answer(429), Answer(200, b"cut", {"Content-Length": "9"}), OK)
    assert session(origin, slept, pace=pace).send(Request(url=url)).status == 200
    assert pace.told == [(0.0, 2.0)]


def test_a_429_counts_whatever_becomes_of_its_body(origin: Origin, slept: list[float]) -> None:
    pace = Told()
    url = origin.on("/a", Answer(429, headers={"Content-Encoding": "br"}))
    with pytest.raises(ProviderBadResponse):
        session(origin, slept, pace=pace).fetch(Request(url=url))
    assert pace.told == [(0.0, 1.0)]


@pytest.mark.parametrize(("asked", "tries"), [("7", 1), ("2", 2)])
def test_nobody_sleeps_past_a_deadline_of_the_callers(
    origin: Origin, slept: list[float], asked: str, tries: int
) -> None:
    url = origin.on("/a", Answer(429, headers={"Retry-After": asked}), Answer(404))
    with transport.deadline(5), pytest.raises(ProviderError):
        session(origin, slept).send(Request(url=url))
    assert len(origin.asked) == tries


def test_a_deadline_holds_within_a_longer_one_and_a_shorter_one() -> None:
    with transport.deadline(5):
        with transport.deadline(50):
            assert transport.left_s() < 5
        with transport.deadline(0), pytest.raises(transport.DeadlineExceeded):
            transport.time_left(10)
        assert 0 < transport.left_s() < 5
    assert transport.left_s() == math.inf


def test_a_pause_too_long_to_sleep_through_is_handed_to_the_caller(
    origin: Origin, slept: list[float]
) -> None:
    url = origin.on("/a", Answer(429, headers={"Retry-After": "3600"}))
    with pytest.raises(ProviderRateLimited) as caught:
        session(origin, slept).send(Request(url=url))
    assert (caught.value.retry_after_s, slept, len(origin.asked)) == (3600.0, [], 1)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 12 ", 12.0),
        ("9" * 400, LONGEST_RETRY_AFTER_S),
        (formatdate(NOW - 60, usegmt=True), 0.0),
        (formatdate(NOW + 90, usegmt=True), 90.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER_S),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_or_passed_over(header: str | None, seconds: float | None) -> None:
    assert retry_after_s(header, NOW) == seconds


def test_a_broken_connection_is_retried_and_then_transient(slept: list[float]) -> None:
    with raw_server(lambda connection: None) as port:
        guarded = GuardedSession(
            provider="p", trusted_origins=[f"http://127.0.0.1:{port}"], max_retries=2, sleep=slept.append
        )
        with pytest.raises(ProviderTransient, match="connection broke") as caught:
            guarded.fetch(Request(url=f"http://127.0.0.1:{port}/"))
    assert len(slept) == 2
    assert not caught.value.unreachable
