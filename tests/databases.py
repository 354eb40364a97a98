"""PostgreSQL and MongoDB for tests, and the layouts that the suite runs on.

`python -m tests.databases postgres -- pytest ...` runs a command with the servers of a layout beside it. A
URL that the environment gives (TEST_DATABASE_URL, TEST_MONGODB_URI) is used instead of a server of our own.
`fresh()` gives a process of the product a database of its own there.
"""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from config.supervisor.children import kill, spawn
from tests.folders import temporary
from tests.servers import Server, free_port, listens, require, running

SERVERS = {
    "sqlite": (),
    "postgres": ("TEST_DATABASE_URL",),
    "mongodb": ("TEST_MONGODB_URI",),
}
"""By layout, the variables that say where its servers are."""
VARIABLES = [variable for variables in SERVERS.values() for variable in variables]


@contextmanager
def mongod() -> Iterator[Server]:
    """A one-node replica set `rs0` with a primary. Its `url` has a place for the database's {name}."""
    port = free_port()
    with temporary() as folder:
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
    with temporary() as folder:
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


@contextmanager
def fresh() -> Iterator[dict[str, str]]:
    """New empty databases on the servers of the layout that the suite runs on, dropped afterwards: the
    variables that lead a process of the product to them. None on SQLite, where DATA_DIR is all there is."""
    name = f"marquee_{uuid.uuid4().hex[:12]}"
    with ExitStack() as stack:
        variables = {}
        if url := os.environ.get("TEST_DATABASE_URL"):
            variables["DATABASE_URL"] = stack.enter_context(_fresh_postgresql(url, name))
        if url := os.environ.get("TEST_MONGODB_URI"):
            variables["MONGODB_URI"] = stack.enter_context(_fresh_mongodb(url, name))
        yield variables


@contextmanager
def _fresh_postgresql(url: str, name: str) -> Iterator[str]:
    def run(statement: LiteralString) -> None:
        with psycopg.connect(named(url, "postgres"), autocommit=True, connect_timeout=10) as server:
            server.execute(sql.SQL(statement).format(sql.Identifier(name)))

    run("CREATE DATABASE {}")
    try:
        yield named(url, name)
    finally:
        run("DROP DATABASE {} WITH (FORCE)")


@contextmanager
def _fresh_mongodb(url: str, name: str) -> Iterator[str]:
    try:
        yield named(url, name)
    finally:
        with MongoClient(url, serverSelectionTimeoutMS=10_000) as client:
            client.drop_database(name)


def named(url: str, database: str) -> str:
    """The same server, another database."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def _leads(port: int) -> bool:
    """Make it a replica set, unless its data says that it is one; whether it takes writes by now."""
    with MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=5_000) as client:
        with suppress(OperationFailure):  # it is one already
            members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        return bool(client.admin.command("hello").get("isWritablePrimary"))


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


def run(name: str, command: list[str]) -> int:
    """Run a command on a layout, without input; its exit code, 130 when we were interrupted before it ran.

    It dies with us, and hears of Ctrl-C and of SIGTERM as Ctrl-C, so that it can put away what is its own.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with layout(name) as variables:
            kept = {key: value for key, value in os.environ.items() if key not in VARIABLES}
            process = spawn(command, env={**kept, **variables, "DJANGO_SETTINGS_MODULE": "tests.settings"})
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: process.send_signal(signal.SIGINT))
            code = process.wait()
            kill(process)  # what it left behind in its group
            return code if code >= 0 else 128 - code
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def main(words: list[str]) -> int:
    """`NAME -- COMMAND...`"""
    name, _, *command = words
    return run(name, command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
