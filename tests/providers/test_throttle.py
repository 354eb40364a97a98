"""One pace over all processes, on a real Valkey. The slots granted are asserted on, not the wall clock."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from providers.errors import ProviderRateLimited
from providers.throttle import RECOVERY_S, REDIS_PAUSE_S, SAFETY, Throttle
from tests import servers

TICK = 2e-6  # slots are whole microseconds

TAKE_TWO = """
import json, sys, redis
from providers.throttle import Throttle
throttle = Throttle(redis.Redis.from_url(sys.argv[1]))
sys.stdin.read(1)  # all start together
print(json.dumps([throttle.wait("films", 3) for _ in range(2)]))
"""


class Sleeper:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def sleeper() -> Sleeper:
    return Sleeper()


@pytest.fixture
def throttle(valkey: redis.Redis, sleeper: Sleeper) -> Throttle:
    return Throttle(valkey, sleep=sleeper.sleep, clock=sleeper.clock)


@pytest.fixture
def cut_off(tmp_path: Path, sleeper: Sleeper) -> Throttle:
    nowhere = redis.Redis(unix_socket_path=str(tmp_path / "nobody"), retry=Retry(NoBackoff(), 0))
    return Throttle(nowhere, sleep=sleeper.sleep, clock=sleeper.clock)


def gaps(slots: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(sorted(slots))]


def test_the_first_slot_is_now_and_the_next_ones_follow_evenly(throttle: Throttle, sleeper: Sleeper) -> None:
    before = time.time()
    slots = [throttle.wait("films", 3) for _ in range(4)]
    assert before - 1 < slots[0] < time.time() + 1
    assert gaps(slots) == pytest.approx([SAFETY / 3] * 3, abs=TICK)
    assert len(sleeper.slept) == 3


def test_four_processes_share_one_pace(valkey: redis.Redis, valkey_url: str) -> None:
    command = [sys.executable, "-c", TAKE_TWO, valkey_url]
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, text=True)
        for _ in range(4)
    ]
    granted = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        answer, _ = process.communicate(timeout=30)
        granted += json.loads(answer)
    assert len(granted) == 8
    assert min(gaps(granted)) >= SAFETY / 3 - TICK


@pytest.mark.parametrize("rps", [1, 3, 40])
def test_no_second_holds_more_requests_than_are_allowed_in_one(throttle: Throttle, rps: int) -> None:
    slots = [throttle.wait("films", rps) for _ in range(2 * rps + 1)]
    assert min(later - earlier for earlier, later in zip(slots, slots[rps:], strict=False)) > 1


def test_names_do_not_hold_each_other_up(throttle: Throttle, sleeper: Sleeper) -> None:
    for name in ("a", "b", "c"):
        throttle.wait(name, 0.1)
    assert sleeper.slept == []


def test_a_slot_further_away_than_one_would_wait_is_not_taken(
    throttle: Throttle, valkey: redis.Redis, sleeper: Sleeper
) -> None:
    throttle.wait("films", 0.1)
    taken = valkey.get("marquee:throttle:films")
    with pytest.raises(ProviderRateLimited, match="free slot") as caught:
        throttle.wait("films", 0.1, max_wait_s=5)
    assert caught.value.retry_after_s == pytest.approx(SAFETY * 10, abs=1)
    assert valkey.get("marquee:throttle:films") == taken
    assert sleeper.slept == []


def test_widening_moves_the_next_slot_out_for_everybody(throttle: Throttle, valkey: redis.Redis) -> None:
    first = throttle.wait("films", 3)
    Throttle(valkey).slow_down("films", 20, sent=first)
    assert throttle.wait("films", 3) - first > 19


def test_widening_by_less_than_is_taken_already_changes_nothing(
    throttle: Throttle, valkey: redis.Redis
) -> None:
    first = throttle.wait("films", 0.05)
    taken = valkey.get("marquee:throttle:films")
    throttle.slow_down("films", 1, sent=first)
    throttle.slow_down("films", 0, sent=first)
    throttle.slow_down("films", -5, sent=first)
    assert valkey.get("marquee:throttle:films") == taken


def test_keys_go_away_by_themselves(throttle: Throttle, valkey: redis.Redis) -> None:
    throttle.wait("films", 0.5)
    throttle.slow_down("other", 2, sent=0)
    for name in ("films", "other"):
        assert 0 < valkey.pttl(f"marquee:throttle:{name}") < 5000  # type: ignore[operator]
    assert 0 < valkey.pttl("marquee:throttle:other:cut") < (RECOVERY_S + 5) * 1000  # type: ignore[operator]


@pytest.mark.parametrize("nonsense", ["", "soon", "nan", "inf", "1e400", "-5", "9" * 400])
def test_a_key_that_holds_nonsense_stops_nobody(
    throttle: Throttle, valkey: redis.Redis, nonsense: str, sleeper: Sleeper
) -> None:
    valkey.set("marquee:throttle:films", nonsense)
    slots = [throttle.wait("films", 3) for _ in range(3)]
    assert min(gaps(slots)) >= SAFETY / 3 - TICK
    assert max(sleeper.slept) < 1


@pytest.mark.parametrize("rps", [0, -1, float("nan"), float("inf")])
def test_a_pace_that_is_none_is_an_error(throttle: Throttle, rps: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        throttle.wait("films", rps)


def test_without_redis_a_process_keeps_the_same_pace_by_itself(
    cut_off: Throttle, sleeper: Sleeper, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(4):
        cut_off.wait("films", 3)
    assert sleeper.slept == pytest.approx([SAFETY / 3] * 3)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_a_redis_that_is_away_is_tried_again_now_and_then_and_spoken_of_once(
    cut_off: Throttle, sleeper: Sleeper, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []
    connect = redis.UnixDomainSocketConnection._connect

    def counted(connection: redis.UnixDomainSocketConnection) -> object:
        tried.append(sleeper.now)
        return connect(connection)

    monkeypatch.setattr(redis.UnixDomainSocketConnection, "_connect", counted)
    for _ in range(int(2.5 * REDIS_PAUSE_S)):
        cut_off.wait("films", 1)
    assert len(tried) == 3
    assert len(caplog.records) == 1


def test_without_redis_pauses_and_limits_still_hold(cut_off: Throttle, sleeper: Sleeper) -> None:
    cut_off.slow_down("films", 30, sent=sleeper.now)
    with pytest.raises(ProviderRateLimited) as caught:
        cut_off.wait("films", 3, max_wait_s=10)
    assert caught.value.retry_after_s == 30
    cut_off.wait("films", 3)
    assert sleeper.slept == [30]


def test_redis_may_go_away_and_come_back(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "providers.throttle")
    sleeper = Sleeper()
    with servers.valkey(tmp_path) as url:
        client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))
        throttle = Throttle(client, sleep=sleeper.sleep, clock=sleeper.clock)
        throttle.wait("films", 1)
    throttle.wait("films", 1)
    throttle.wait("films", 1)
    assert sleeper.slept == pytest.approx([SAFETY, SAFETY])
    sleeper.now += REDIS_PAUSE_S
    with servers.valkey(tmp_path):
        throttle.wait("films", 1)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


GO_ON = """
import sys, redis
from providers.throttle import Throttle
throttle = Throttle(redis.Redis.from_url(sys.argv[1]))
throttle.pace("films")
print("ready", flush=True)
sys.stdin.read(1)  # all start together
for _ in range(int(sys.argv[2])):
    print(repr(throttle.wait("films", 20)), flush=True)
"""


def going_on(valkey_url: str, slots: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", GO_ON, valkey_url, str(slots)]
    pipe, root = subprocess.PIPE, Path(__file__).parents[2]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=root, text=True)


def start(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


def granted_to(process: subprocess.Popen[str]) -> list[float]:
    """What it has printed, and will; a killed one's last line may be torn."""
    told, _ = process.communicate(timeout=60)
    return [float(line) for line in told.splitlines(keepends=True) if line.endswith("\n")]


def test_four_processes_have_equal_shares_of_one_even_pace(valkey: redis.Redis, valkey_url: str) -> None:
    processes = [going_on(valkey_url, 12) for _ in range(4)]
    start(processes)
    shares = [granted_to(process) for process in processes]
    together = sorted(slot for share in shares for slot in share)
    assert min(gaps(together)) >= SAFETY / 20 - TICK
    came, left = max(share[0] for share in shares), min(share[-1] for share in shares)  # all four were there
    counts = [sum(came <= slot <= left for slot in share) for share in shares]
    assert min(counts) >= max(counts) // 2, "first come, first served"


def test_a_process_that_is_killed_holds_up_nobody(valkey: redis.Redis, valkey_url: str) -> None:
    victim, *others = (going_on(valkey_url, 12) for _ in range(4))
    start([victim, *others])
    assert victim.stdout is not None
    victim.stdout.readline()
    victim.kill()
    slots = [slot for process in (victim, *others) for slot in granted_to(process)]
    assert len(slots) >= 3 * 12
    assert min(gaps(slots)) >= SAFETY / 20 - TICK
    assert max(gaps(slots)) < 5, "the slot that it took with it is all that is lost"


def test_a_redis_that_is_restarted_without_its_data_keeps_the_pace(tmp_path: Path) -> None:
    """Its memory of the next slot is gone; that of the process that asks is not."""
    sleeper = Sleeper()
    with servers.valkey(tmp_path) as url:
        client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0))
        throttle = Throttle(client, sleep=sleeper.sleep, clock=sleeper.clock)
        throttle.wait("films", 0.5)
        client.flushall()
        client.script_flush()
        throttle.wait("films", 0.5)
        throttle.wait("films", 0.5)
    assert sum(sleeper.slept) >= SAFETY / 0.5 - 0.1
