"""The servers that the suite brings: each may be frozen, or killed and started again with its data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from streaming.models import Movie
from tests import databases
from tests.servers import eventually, listens

ROOT = Path(__file__).parents[1]


@pytest.mark.servers
def test_postgresql_keeps_its_rows_over_a_kill_and_a_restart() -> None:
    with databases.postgresql() as server:
        url = server.url.format(name="postgres")
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            connection.execute("create table film (title text)")
            connection.execute("insert into film values ('Sintel')")
        server.kill()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url, connect_timeout=10)
        server.start()
        with psycopg.connect(url, connect_timeout=10) as connection:
            assert connection.execute("select title from film").fetchall() == [("Sintel",)]


@pytest.mark.servers
def test_mongod_is_a_replica_set_that_keeps_its_documents_over_a_kill_and_a_restart() -> None:
    with databases.mongod() as server:
        with MongoClient(server.url.format(name="films"), w="majority", journal=True) as client:
            assert client.admin.command("hello")["setName"] == "rs0"
            client.films.film.insert_one({"_id": "Sintel"})
        server.kill()
        with (
            MongoClient(server.url.format(name="films"), serverSelectionTimeoutMS=500) as client,
            pytest.raises(PyMongoError),
        ):
            client.films.film.find_one()
        server.start()
        with MongoClient(server.url.format(name="films")) as client:
            assert client.films.film.find_one() == {"_id": "Sintel"}


@pytest.mark.servers
def test_a_server_that_is_frozen_answers_once_it_is_thawed() -> None:
    with databases.mongod() as server:
        server.freeze()
        with (
            MongoClient(server.url.format(name="films"), serverSelectionTimeoutMS=500) as client,
            pytest.raises(PyMongoError),
        ):
            client.admin.command("ping")
        server.thaw()
        with MongoClient(server.url.format(name="films")) as client:
            assert client.admin.command("ping")["ok"] == 1


def test_rows_are_out_of_reach_of_a_test_that_does_not_ask_for_them() -> None:
    """So none can be missing among those that run on each layout."""
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        Movie.objects.count()


def test_a_layout_uses_the_servers_that_it_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgresql://elsewhere/films")
    with databases.layout("postgres") as variables:
        assert variables == {"TEST_DATABASE_URL": "postgresql://elsewhere/films"}


@pytest.mark.servers
@pytest.mark.parametrize("name", ["postgres", "mongodb", "sqlite"])
def test_a_fresh_database_is_there_for_as_long_as_it_is_used(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("TEST_DATABASE_URL", "TEST_MONGODB_URI"):
        monkeypatch.delenv(variable, raising=False)
    with databases.layout(name) as servers:
        for variable, url in servers.items():
            monkeypatch.setenv(variable, url)
        with databases.fresh() as one, databases.fresh() as other:
            assert [variable.replace("TEST_", "") for variable in servers] == list(one) == list(other)
            for url in (*one.values(), *other.values()):
                assert rows_of(url) == []
                rows_of(url, "Sintel")
            assert [rows_of(url) for url in other.values()] == [["Sintel"]] * len(other)
        if url := one.get("MONGODB_URI"):
            assert rows_of(url) == []
        elif url := one.get("DATABASE_URL"):
            with pytest.raises(psycopg.OperationalError, match="does not exist"):
                rows_of(url)


WAITS = """
import os, time
try:
    print(os.environ.get("TEST_DATABASE_URL") or os.environ["TEST_MONGODB_URI"], flush=True)
    time.sleep(100)
finally:
    print("put away", flush=True)
"""


@pytest.fixture
def wrapper(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """`python -m tests.databases` on a layout, with a command that waits and puts away what is its own."""
    command = [sys.executable, "-m", "tests.databases", request.param, "--", sys.executable, "-c", WAITS]
    env = {name: value for name, value in os.environ.items() if name not in databases.VARIABLES}
    options: Any = {"cwd": ROOT, "env": env, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=_hear_ctrl_c, **options) as process:
        yield process
        process.kill()


def _hear_ctrl_c() -> None:
    """Whoever runs the suite in the background of a script has its children not hear it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


on_each_server = pytest.mark.parametrize("wrapper", ["postgres", "mongodb"], indirect=True)


@pytest.mark.servers
@on_each_server
def test_no_server_outlives_a_wrapper_that_is_killed(wrapper: subprocess.Popen[str]) -> None:
    port = port_in(wrapper)
    assert listens(port)
    os.kill(wrapper.pid, signal.SIGKILL)
    eventually(lambda: not listens(port))
    assert wrapper.stdout is not None
    assert wrapper.stdout.read() == "", "the command has died with it, or this would wait for its end"


@pytest.mark.servers
@on_each_server
def test_ctrl_c_lets_the_command_put_away_what_is_its_own(wrapper: subprocess.Popen[str]) -> None:
    port = port_in(wrapper)
    os.kill(wrapper.pid, signal.SIGINT)
    assert wrapper.stdout is not None
    assert wrapper.stdout.read() == "put away\n"
    assert wrapper.wait(30) == 130
    assert not listens(port)


def port_in(wrapper: subprocess.Popen[str]) -> int:
    """Where the server is, as the command was told."""
    assert wrapper.stdout is not None
    return urlsplit(wrapper.stdout.readline().strip()).port or 0


def test_the_exit_code_is_the_commands_own() -> None:
    code = [sys.executable, "-c", "import sys; sys.exit(3)"]
    assert (
        subprocess.run([sys.executable, "-m", "tests.databases", "sqlite", "--", *code], cwd=ROOT).returncode
        == 3
    )


def test_a_layout_is_what_it_says_whatever_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgresql://elsewhere/films")
    code = [sys.executable, "-c", "import os, sys; sys.exit('TEST_DATABASE_URL' in os.environ)"]
    assert (
        subprocess.run([sys.executable, "-m", "tests.databases", "sqlite", "--", *code], cwd=ROOT).returncode
        == 0
    )


def rows_of(url: str, *new: str) -> list[str]:
    """The films in a database, after these are added."""
    if url.startswith("mongodb"):
        with MongoClient(url, w="majority") as client:
            films = client.get_default_database().film
            for title in new:
                films.insert_one({"_id": title})
            return [film["_id"] for film in films.find()]
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        connection.execute("create table if not exists film (title text)")
        for title in new:
            connection.execute("insert into film values (%s)", [title])
        return [row[0] for row in connection.execute("select title from film")]
