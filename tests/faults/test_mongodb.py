"""A MongoDB that is away is looked for as long as any server, and not for all the time of an operation."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from config.databases import DOCUMENTS
from config.databases import databases as settings_of
from config.env import BASE_DIR, VARIABLES
from tests import databases
from tests.servers import Server, eventually

pytestmark = pytest.mark.servers
FOR_EVER = {"DATABASE_TIMEOUT_S": 3600, "DATABASE_CONNECT_TIMEOUT_S": 1}
"""Whoever waits for the first of them runs into the time-out of the test."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with databases.mongod() as server:
        yield server


@pytest.fixture
def documents(server: Server) -> Iterator[BaseDatabaseWrapper]:
    """A connection that nobody has used, as in a process that has just begun."""
    env = {variable.name: variable.default for variable in VARIABLES}
    made = settings_of({**env, **FOR_EVER, "MONGODB_URI": server.url.format(name="films")}, BASE_DIR)
    alias = uuid.uuid4().hex
    connection = ConnectionHandler({"default": {}, alias: made[DOCUMENTS]})[alias]
    yield connection
    connection.close_pool()


def test_a_primary_that_is_away_is_soon_given_up_and_found_again(
    server: Server, documents: BaseDatabaseWrapper
) -> None:
    assert documents.get_collection("film").find_one() is None
    server.kill()
    eventually(lambda: not documents.connection.topology_description.has_writable_server())
    for _ in range(2):
        with pytest.raises(OperationalError):
            documents.get_collection("film")
    server.start()
    assert documents.get_collection("film").find_one() is None


def test_a_process_that_begins_without_a_primary_soon_says_so_too(
    server: Server, documents: BaseDatabaseWrapper
) -> None:
    server.kill()
    for _ in range(2):
        with pytest.raises(OperationalError):
            documents.get_collection("film")
    server.start()
    assert documents.get_collection("film").find_one() is None
