"""A 429 slows a pace down for everybody, and it grows again: shared by a real Valkey, alone without one.

Valkey keeps its own time, so states are put there as if they had begun earlier; nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from providers.errors import ProviderRateLimited
from providers.throttle import LEAST_SHARE, MAX_WAIT_S, RECOVERY_S, SAFETY, Throttle

KEY, CUT = "marquee:throttle:films", "marquee:throttle:films:cut"
RPS = 4.0
INTERVAL = SAFETY / RPS


class Clock:
    """One that only sleeping moves; `meanwhile` happens while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.meanwhile: list[Callable[[], None]] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.meanwhile:
            self.meanwhile.pop()()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shared(valkey: redis.Redis, clock: Clock) -> Throttle:
    return Throttle(valkey, clock=clock, sleep=clock.sleep)


@pytest.fixture
def alone(tmp_path: Path, clock: Clock) -> Throttle:
    nowhere = redis.Redis(unix_socket_path=str(tmp_path / "nobody"), retry=Retry(NoBackoff(), 0))
    return Throttle(nowhere, clock=clock, sleep=clock.sleep)


@pytest.fixture(params=["shared", "alone"])
def throttle(request: pytest.FixtureRequest) -> Throttle:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def slots(throttle: Throttle, number: int) -> list[float]:
    return [throttle.wait("films", RPS) for _ in range(number)]


def gaps(granted: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(granted)]


def test_a_429_without_a_word_on_when_halves_the_pace(throttle: Throttle) -> None:
    (sent,) = slots(throttle, 1)
    throttle.slow_down("films", 0, sent=sent)
    assert throttle.pace("films").share == pytest.approx(0.5, abs=0.01)
    assert gaps(slots(throttle, 4)) == pytest.approx([2 * INTERVAL] * 3, rel=0.02)


def test_requests_that_left_together_halve_it_once(throttle: Throttle) -> None:
    together = slots(throttle, 3)
    for sent in together:
        throttle.slow_down("films", 0, sent=sent)
    assert throttle.pace("films").share == pytest.approx(0.5, abs=0.01)
    for sent in slots(throttle, 2):  # these kept the halved pace, and were turned away all the same
        throttle.slow_down("films", 0, sent=sent)
    assert throttle.pace("films").share == pytest.approx(0.25, abs=0.01)


def test_it_is_never_slowed_to_a_stop(throttle: Throttle) -> None:
    for _ in range(20):
        throttle.slow_down("films", 0, sent=throttle.wait("films", 100))
    assert throttle.pace("films").share == pytest.approx(LEAST_SHARE, abs=0.02)


def test_one_name_slows_no_other(throttle: Throttle) -> None:
    throttle.slow_down("films", 0, sent=throttle.wait("films", RPS))
    assert throttle.pace("clips") == (1.0, 0.0)


def test_a_pause_holds_for_those_who_wait_already(throttle: Throttle, clock: Clock) -> None:
    sent, _ = slots(throttle, 2)
    clock.meanwhile.append(lambda: throttle.slow_down("films", 20, sent=sent))
    after = throttle.wait("films", RPS)
    assert after - sent > 20


def test_a_pause_longer_than_one_would_wait_is_an_error_for_those_who_wait(
    throttle: Throttle, clock: Clock
) -> None:
    sent, _ = slots(throttle, 2)
    clock.meanwhile.append(lambda: throttle.slow_down("films", 600, sent=sent))
    with pytest.raises(ProviderRateLimited) as caught:
        throttle.wait("films", RPS)
    assert caught.value.retry_after_s == pytest.approx(600, abs=5)
    assert throttle.pace("films").paused_s == pytest.approx(600, abs=5)


def test_what_is_forgotten_holds_nobody_up_any_more(throttle: Throttle) -> None:
    """An operator's word weighs more than a Retry-After of a day."""
    throttle.slow_down("films", 86_400, sent=throttle.wait("films", RPS))
    throttle.slow_down("clips", 600, sent=throttle.wait("clips", RPS))
    throttle.forget("films")
    assert throttle.pace("films") == (1.0, 0.0)
    assert gaps(slots(throttle, 3)) == pytest.approx([INTERVAL] * 2, rel=0.01)
    assert throttle.pace("clips").paused_s == pytest.approx(600, abs=5)


def test_to_forget_takes_nobodys_slot(throttle: Throttle) -> None:
    *_, last = slots(throttle, 3)
    throttle.forget("films")
    assert throttle.wait("films", RPS) - last == pytest.approx(INTERVAL, rel=0.01)


def test_it_recovers_evenly_from_the_end_of_the_pause(alone: Throttle, clock: Clock) -> None:
    alone.slow_down("films", 100, sent=alone.wait("films", RPS))
    shares = []
    for _ in range(6):
        shares.append(alone.pace("films").share)
        clock.now += 50
    assert shares == pytest.approx([0.5, 0.5, 0.5, 0.5 + 50 / RECOVERY_S, 0.5 + 100 / RECOVERY_S, 1.0])


def micros(valkey: redis.Redis, ago_s: float) -> int:
    seconds, microseconds = valkey.time()  # type: ignore[misc]
    return int((seconds - ago_s) * 1e6) + microseconds


@pytest.mark.parametrize(("ago_s", "share"), [(0, 0.25), (75, 0.5), (150, 0.75), (225, 1.0), (4000, 1.0)])
def test_what_is_shared_recovers_as_well(
    shared: Throttle, valkey: redis.Redis, ago_s: float, share: float
) -> None:
    valkey.set(CUT, f"250000 {micros(valkey, ago_s)} 0")
    assert shared.pace("films").share == pytest.approx(share, abs=0.02)
    assert gaps(slots(shared, 2)) == pytest.approx([INTERVAL / share], rel=0.03)


def test_another_process_keeps_to_it(shared: Throttle, valkey: redis.Redis) -> None:
    shared.slow_down("films", 30, sent=shared.wait("films", RPS))
    share, paused_s = Throttle(valkey).pace("films")
    assert (share, paused_s) == (pytest.approx(0.5), pytest.approx(30, abs=1))


@pytest.mark.parametrize(
    "nonsense", ["", "soon", "1 2", "-1 -1 -1", "nan nan nan", "0 0 0", "9" * 60, "9 " * 30, "1.5 2 3"]
)
def test_nonsense_in_redis_slows_nobody_down(shared: Throttle, valkey: redis.Redis, nonsense: str) -> None:
    valkey.set(CUT, nonsense)
    assert gaps(slots(shared, 3)) == pytest.approx([INTERVAL] * 2, rel=0.01)
    assert shared.pace("films") == (1.0, 0.0)


def test_a_pace_that_was_slowed_stays_so_while_redis_is_away(
    valkey: redis.Redis, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    throttle = Throttle(valkey, clock=clock, sleep=clock.sleep)
    Throttle(valkey).slow_down("films", 0, sent=throttle.wait("films", RPS))  # another process
    throttle.wait("films", RPS)

    def away(*args: object, **kwargs: object) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(valkey, "evalsha", away)
    assert gaps(slots(throttle, 4)) == pytest.approx([2 * INTERVAL] * 3, rel=0.02)


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_jumps_stops_nobody_for_long(
    shared: Throttle, valkey: redis.Redis, clock: Clock, hours: int
) -> None:
    """Redis's clock was put back, or on: its next free slot then lies hours ahead of it, or behind."""
    valkey.set(KEY, micros(valkey, hours * 3600))
    before = clock.now
    granted = slots(shared, 3)
    assert clock.now - before < MAX_WAIT_S
    assert gaps(granted) == pytest.approx([INTERVAL] * 2, rel=0.01)
