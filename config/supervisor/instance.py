"""One installation on one machine: its data folder, the lock of its supervisor, its ports, what runs there.

Reads no settings of Django: it must work before anything is set up.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from config.env import BASE_DIR

LOCK = "run.lock"


class CannotStart(Exception):
    """Something outside of us is in the way. The text says what it is and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a supervisor at work says of itself, for the other commands of the same installation."""

    pid: int
    url: str = ""
    environment: dict[str, str] = field(default_factory=dict)


def data_dir(configured: str) -> Path:
    """The data folder, made if need be. Relative paths count from the project's root, as in the settings."""
    path = (BASE_DIR / configured).resolve()
    try:
        for folder in (path, path / "logs", path / "valkey"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(
            f"The data folder {path} cannot be made: {error.strerror}. Set DATA_DIR."
        ) from error
    if not os.access(path, os.W_OK):
        raise CannotStart(f"The data folder {path} is not writable. Set DATA_DIR or change its owner.")
    return path


@contextmanager
def only_one(data: Path) -> Iterator[IO[str]]:
    """Hold the installation's lock. The kernel lets go of it when this process ends, however it ends."""
    with open(os.open(data / LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        if not _locked(file, fcntl.LOCK_EX):
            raise CannotStart(_who(data))
        file.truncate(0)
        tell(file, Running(pid=os.getpid()))
        yield file


def tell(file: IO[str], running: Running) -> None:
    """Write what runs into the lock that we hold."""
    file.seek(0)
    file.write(json.dumps(asdict(running)))
    file.truncate()
    file.flush()


def running(data: Path) -> Running | None:
    """What runs on this data folder now, or None."""
    try:
        with (data / LOCK).open("r+") as file:
            return None if _locked(file, fcntl.LOCK_SH) else Running(**json.loads(file.read()))
    except (FileNotFoundError, ValueError):  # no run yet; or the holder is writing its first line just now
        return None


def _locked(file: IO[str], kind: int) -> bool:
    """Take the lock. A reader holds it for microseconds, so one refusal does not count."""
    for _ in range(5):
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.05)
    return False


def _who(data: Path) -> str:
    holder = running(data)
    who = f"process {holder.pid}" if holder else "another process"
    where = f" at {holder.url}" if holder and holder.url else ""
    kill = f" (or: kill {holder.pid})" if holder else ""
    return (
        f"Marquee already runs on {data}: {who}{where}. "
        f"Stop it with Ctrl-C in its terminal{kill}, or set DATA_DIR to another folder."
    )


def check_port(port: int) -> None:
    """Raise CannotStart unless the port can be had."""
    if not 1 <= port <= 65535:
        raise CannotStart(f"PORT={port} is no port: allowed is 1 to 65535.")
    try:
        _bind(port)
    except OSError as error:
        reason = {errno.EADDRINUSE: "is in use", errno.EACCES: "needs more rights"}.get(
            error.errno or 0, f"cannot be had ({error.strerror})"
        )
        raise CannotStart(
            f"Port {port} {reason}. Pick another one, such as: make run PORT={port + 80}"
        ) from error


def kept_port(file: Path) -> int:
    """A free port, the same one on each start where possible: addresses made from it are stored."""
    try:
        return _bind(int(file.read_text()))
    except (OSError, ValueError, OverflowError):
        port = _bind(0)
        file.write_text(str(port))
        return port


def _bind(port: int) -> int:
    """Bind 127.0.0.1:port as a server would, let go of it, and return the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        address: tuple[str, int] = probe.getsockname()
    return address[1]
