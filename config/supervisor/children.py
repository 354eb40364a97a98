"""One child process: started under the guard, logged to a bounded file, restarted with back-off, stopped.

Knows nothing of what the child does. To be used from the main thread: Linux ties a child's life to the
thread that forked it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO

GUARD = Path(__file__).with_name("guard.py")
MODE = "kernel" if sys.platform == "linux" else "pipe"

STARTED = "--- started"  # begins a line of the log for each start
LOG_LIMIT = 2_000_000  # bytes; one older file of the same size is kept beside it
BACK_OFF_S = (1, 2, 4, 8, 15, 30)
STEADY_AFTER_S = 60  # a child that ran this long starts its back-off anew


@cache
def _lifeline() -> tuple[int, int]:
    """A pipe (read, write) that closes when this process ends, however that is. Children get the read end."""
    return os.pipe()


def spawn(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: int | IO[bytes] | None = None,
    mode: str = MODE,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own; it dies with this process. Output None: our own terminal."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "spawn() belongs to the main thread: Linux ends the child with the thread that forked it"
        )
    pipe = _lifeline()[0]
    guard = [sys.executable, "-I", "-S", str(GUARD), mode, str(os.getpid()), str(pipe)]
    return subprocess.Popen(
        [*guard, *command],
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        pass_fds=(pipe,),
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes], *steps: tuple[int, float]) -> None:
    """Send each signal (0 sends none) and give it its seconds to work; then kill the whole group."""
    for number, seconds in steps:
        process.send_signal(number)  # Popen knows better than to signal a process that it has reaped
        try:
            process.wait(seconds)
            break
        except subprocess.TimeoutExpired:
            continue
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the process and of its group."""
    with suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def tail(log: Path, lines: int = 12) -> list[str]:
    """The last lines of a log since the last start, without reading more than its end."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    since = text[text.rfind(STARTED) :].partition("\n")[2] if STARTED in text else text
    return [line.rstrip() for line in since.splitlines() if line.strip()][-lines:]


def keep_small(log: Path, limit: int = LOG_LIMIT) -> None:
    """Move a log that outgrew `limit` bytes aside. By copy: the child goes on appending to its file."""
    if log.exists() and log.stat().st_size > limit:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


@dataclass(frozen=True, slots=True)
class Death:
    """A child ended by itself: how, how often in a row, and in how many seconds it is started again."""

    name: str
    code: int
    times: int
    back_in_s: int
    log: Path

    @property
    def how(self) -> str:
        if self.code < 0:
            return f"was killed by {signal.Signals(-self.code).name}"
        return f"ended with exit code {self.code}"


class Child:
    """A child to be kept alive. `stop_with`: the signals that ask it to stop, each with its patience (s)."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        logs: Path,
        stop_with: Sequence[tuple[int, float]] = ((signal.SIGTERM, 5.0),),
        mode: str = MODE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.command, self.env, self.cwd = name, list(command), dict(env), cwd
        self.log = logs / f"{name}.log"
        self._stop_with, self._mode, self._clock = tuple(stop_with), mode, clock
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._due = 0.0
        self.deaths = 0  # in a row
        self._asked = False

    @property
    def pid(self) -> int | None:
        """The process that runs now (its guard, where that stays), else None."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        keep_small(self.log)
        with self.log.open("ab") as output:
            output.write(f"{STARTED} {self.name} at {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC\n".encode())
            output.flush()
            self._process = spawn(self.command, env=self.env, cwd=self.cwd, output=output, mode=self._mode)
        self._started = self._clock()

    def tick(self) -> Death | None:
        """Look after the child: report a death once, start it again when its back-off has passed."""
        if self._process is None:
            if self._clock() >= self._due:
                self.start()
            return None
        keep_small(self.log)
        code = self._process.poll()
        if code is None:
            return None
        kill(self._process)  # whatever it left behind in its group
        self._process = None
        return self._died(code)

    def _died(self, code: int) -> Death:
        if self._clock() - self._started > STEADY_AFTER_S:
            self.deaths = 0
        back_in = BACK_OFF_S[min(self.deaths, len(BACK_OFF_S) - 1)]
        self.deaths += 1
        self._due = self._clock() + back_in
        return Death(self.name, code, self.deaths, back_in, self.log)

    def ask_to_stop(self) -> None:
        """Send the first signal and return at once, so that several children can stop side by side."""
        if self._process:
            self._process.send_signal(self._stop_with[0][0])
            self._asked = True

    def stop(self) -> None:
        """Stop it; takes as long as its patience lists allow, and no longer."""
        if self._process:
            (first, patience), *others = self._stop_with
            end(self._process, (0 if self._asked else first, patience), *others)
            self._process, self._asked = None, False

    def kill(self) -> None:
        """End it now. Safe in a signal handler."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
