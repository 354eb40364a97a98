"""The servers that the suite brings: each may be frozen, or killed and started again with its data."""

from __future__ import annotations

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests import databases


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


def test_a_layout_uses_the_servers_that_it_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgresql://elsewhere/films")
    with databases.layout("postgres") as variables:
        assert variables == {"TEST_DATABASE_URL": "postgresql://elsewhere/films"}
