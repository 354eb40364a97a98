"""PostgreSQL and MongoDB for tests, and the layouts that the suite runs on.

`python -m tests.databases postgres -- pytest ...` runs a command with the servers of a layout beside it. A
URL that the environment gives (TEST_DATABASE_URL, TEST_MONGODB_URI) is used instead of a server of our own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.servers import Server, free_port, listens, require, running

SERVERS = {
    "sqlite": (),
    "postgres": ("TEST_DATABASE_URL",),
    "mongodb": ("TEST_MONGODB_URI",),
}
"""By layout, the variables that say where its servers are."""


@contextmanager
def mongod() -> Iterator[Server]:
    """A one-node replica set `rs0` with a primary. Its `url` has a place for the database's {name}."""
    port = free_port()
    with _folder() as folder:
        command = [str(require("mongod")), "--dbpath", str(folder), "--bind_ip", "127.0.0.1"]
        command += ["--port", str(port), "--replSet", "rs0", "--oplogSize", "64", "--nounixsocket"]
        command += ["--wiredTigerCacheSizeGB", "0.5", "--setParameter", "ttlMonitorSleepSecs=1"]
        command += ["--setParameter", "diagnosticDataCollectionEnabled=0"]
        url = f"mongodb://127.0.0.1:{port}/{{name}}?replicaSet=rs0"
        server = Server(command, folder / "mongod.log", up=lambda: listens(port) and _leads(port), url=url)
        with running(server):
            yield server


@contextmanager
def postgresql() -> Iterator[Server]:
    """A PostgreSQL with a superuser `marquee`. Its `url` has a place for the database's {name}."""
    programs, command_as, port = require("postgresql"), _unprivileged(), free_port()
    with _folder() as folder:
        if owner := _unprivileged_user():
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = folder / "data"
        initdb = [str(programs / "initdb"), "-D", str(data), "-U", "marquee", "-A", "trust", "-E", "UTF8"]
        subprocess.run(
            [*command_as, *initdb, "--no-sync"], cwd=folder, check=True, capture_output=True, timeout=60
        )
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), "-p", str(port)]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", "-c", "fsync=off"]
        command += ["-c", "full_page_writes=off"]
        ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        server = Server(
            [*command_as, *command],
            folder / "postgresql.log",
            up=lambda: subprocess.run(ready, timeout=5).returncode == 0,
            stop=signal.SIGINT,
            url=f"postgresql://marquee@127.0.0.1:{port}/{{name}}",
        )
        with running(server):
            yield server


@contextmanager
def layout(name: str) -> Iterator[dict[str, str]]:
    """The servers that a layout needs, unless the environment names them: the variables that say where."""
    start = {"TEST_DATABASE_URL": postgresql, "TEST_MONGODB_URI": mongod}
    with ExitStack() as stack:
        found = {}
        for variable in SERVERS[name]:
            given = os.environ.get(variable)
            found[variable] = given or stack.enter_context(start[variable]()).url.format(name="marquee")
        yield found


def _leads(port: int) -> bool:
    """Make it a replica set, unless its data says that it is one; whether it takes writes by now."""
    with MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=5_000) as client:
        with suppress(OperationFailure):  # it is one already
            members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        return bool(client.admin.command("hello").get("isWritablePrimary"))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder with a short name, for a socket's path holds 104 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="marquee-db-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return ["setpriv", *ids, "--pdeathsig=KILL", "--"]


def main(words: list[str]) -> int:
    """Run a command on a layout; its exit code."""
    name, _, *command = words
    with layout(name) as variables:
        env = {**os.environ, **variables, "DJANGO_SETTINGS_MODULE": "tests.settings"}
        return subprocess.run(command, env=env).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
