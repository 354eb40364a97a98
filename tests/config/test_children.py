"""One guarded child: it dies with us however we die, comes back with back-off, and its log stays small."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from django.conf import settings

from config.supervisor.children import BACK_OFF_S, STEADY_AFTER_S, Child, Death, end, keep_small, spawn, tail
from config.supervisor.signals import Stopped, StopWish
from tests.servers import alive, eventually

MODES = ["pipe", *(["kernel"] if sys.platform == "linux" else [])]
PARENT = """
import sys, time
from pathlib import Path
from config.supervisor.children import spawn
spawn([sys.executable, "-c", sys.argv[2]], mode=sys.argv[1], output=None)
time.sleep(60)
"""
CHILD = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"


@pytest.mark.parametrize("mode", MODES)
def test_a_child_dies_when_its_parent_is_killed(mode: str) -> None:
    parent = started(mode, CHILD)
    assert parent.stdout
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait(10)
    # The pipe that both wrote to closes only when the last of them is gone.
    assert parent.stdout.read() == b""
    eventually(lambda: not alive(child))


def test_a_group_goes_with_the_pipe_grandchildren_and_all() -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"
    parent = started("pipe", child)
    assert parent.stdout
    grandchild = int(parent.stdout.readline())
    parent.kill()
    parent.wait(10)
    assert parent.stdout.read() == b""
    eventually(lambda: not alive(grandchild))


@pytest.mark.parametrize("mode", MODES)
def test_signals_and_exit_codes_pass_through_the_guard(mode: str) -> None:
    handler = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True)"
    process = spawn([sys.executable, "-c", f"{handler}; time.sleep(60)"], mode=mode, output=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"up\n"
    end(process, (signal.SIGTERM, 10.0))
    assert process.returncode == 7


@pytest.mark.parametrize("mode", MODES)
def test_a_command_that_is_not_there_is_named(mode: str) -> None:
    process = spawn(["/no/such/program"], mode=mode, output=subprocess.PIPE)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 127
    assert b"cannot run /no/such/program" in out


def test_a_child_deaf_to_its_signals_is_killed_when_patience_ends() -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    process = spawn([sys.executable, "-c", deaf], output=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    end(process, (signal.SIGTERM, 0.1))
    assert process.returncode == -signal.SIGKILL


def test_spawning_from_another_thread_is_refused() -> None:
    caught: list[Exception] = []

    def run() -> None:
        try:
            spawn(["true"])
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


def test_a_child_that_dies_comes_back_after_growing_pauses(tmp_path: Path) -> None:
    clock = Clock()
    child = failing(tmp_path, clock)
    pauses = []
    for times in range(1, len(BACK_OFF_S) + 3):
        death = next_death(child)
        assert (death.times, death.code, death.how) == (times, 3, "ended with exit code 3")
        pauses.append(death.back_in_s)
        clock.now += death.back_in_s - 0.001
        assert child.tick() is None
        assert child.pid is None, "came back too early"
        clock.now += 0.002
        assert child.tick() is None  # starts it
    assert pauses == [*BACK_OFF_S, BACK_OFF_S[-1], BACK_OFF_S[-1]]
    child.stop()


def test_a_child_that_ran_steadily_starts_its_back_off_anew(tmp_path: Path) -> None:
    clock = Clock()
    child = failing(tmp_path, clock)
    assert next_death(child).times == 1
    clock.now += BACK_OFF_S[0]
    child.tick()
    clock.now += STEADY_AFTER_S + 1
    assert next_death(child).times == 1


def test_the_log_keeps_why_and_the_tail_is_of_the_last_start_alone(tmp_path: Path) -> None:
    child = failing(tmp_path, Clock())
    next_death(child)
    child.start()
    next_death(child)
    assert child.log.read_text().count("because") == 2
    assert tail(child.log) == ["because"]


def test_a_log_never_grows_past_twice_its_limit(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:  # as a child has it: open for appending all the while
        for _ in range(10):
            writer.write(b"x" * 600)
            keep_small(log, limit=1000)
        writer.write(b"last line\n")
    assert tail(log)[-1].endswith("last line")
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2 * 1000 + 700


def test_the_wish_to_stop_is_heard_once_and_its_repetition_means_now() -> None:
    hurried: list[bool] = []
    wish = StopWish(again=lambda: hurried.append(True))
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        wish.listen()
        wish.check()
        for sent, expected in ((signal.SIGINT, []), (signal.SIGTERM, [True])):
            os.kill(os.getpid(), sent)
            with pytest.raises(Stopped):
                wish.pause(0)
            assert hurried == expected
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def started(mode: str, child: str) -> subprocess.Popen[bytes]:
    """A process that guards a child, both writing to one pipe."""
    command = [sys.executable, "-c", PARENT, mode, child]
    return subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def failing(folder: Path, clock: Clock) -> Child:
    command = [sys.executable, "-I", "-S", "-c", "print('because', flush=True); raise SystemExit(3)"]
    child = Child("failing", command, env={}, cwd=folder, logs=folder, clock=clock)
    child.start()
    return child


def next_death(child: Child) -> Death:
    deaths: list[Death] = []
    eventually(lambda: bool((death := child.tick()) and not deaths.append(death)))  # type: ignore[func-returns-value]
    return deaths[0]
