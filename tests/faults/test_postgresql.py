"""A PostgreSQL that hangs is given up by the client, and one that came back is not paid for twice."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg_pool import ConnectionPool, PoolTimeout

from config.databases import databases as settings_of
from config.env import BASE_DIR, VARIABLES
from config.postgresql import NoAnswer
from tests import databases
from tests.servers import Server

pytestmark = pytest.mark.servers
LIMITS = {"DATABASE_TIMEOUT_S": 2, "DATABASE_CONNECT_TIMEOUT_S": 1}
WATCHDOG_S = 30.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with databases.postgresql() as server:
        yield server


@pytest.fixture
def pool(server: Server) -> Iterator[ConnectionPool]:
    """A pool with the options that Django gives it."""
    url = server.url.format(name="postgres")
    env = {variable.name: variable.default for variable in VARIABLES}
    options = settings_of({**env, **LIMITS, "DATABASE_URL": url}, BASE_DIR)["default"]["OPTIONS"]
    given = {**options["pool"], "check": ConnectionPool.check_connection, "open": True}
    connect = {"autocommit": True, "connect_timeout": options["connect_timeout"]}
    with ConnectionPool(url, kwargs=connect, **given) as pool:
        yield pool


def _take(pool: ConnectionPool, number: int) -> list[psycopg.Connection]:
    return [pool.getconn() for _ in range(number)]


def _lie_idle(pool: ConnectionPool, number: int) -> None:
    for connection in _take(pool, number):
        pool.putconn(connection)


def test_a_statement_to_a_server_that_hangs_ends_by_itself(server: Server, pool: ConnectionPool) -> None:
    (connection,) = _take(pool, 1)
    server.freeze()
    began = time.monotonic()
    with pytest.raises(NoAnswer):
        connection.cursor().execute("select 1")
    assert time.monotonic() - began < WATCHDOG_S
    assert connection.closed  # its answer may still come, and would be taken for that of another question
    server.thaw()
    pool.putconn(connection)
    assert _take(pool, 1)[0].cursor().execute("select 1").fetchone() == (1,)


def test_a_server_that_hangs_gives_no_connection_and_gives_them_again(
    server: Server, pool: ConnectionPool
) -> None:
    _lie_idle(pool, 8)
    server.freeze()
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(PoolTimeout):
            pool.getconn()
    assert time.monotonic() - began < WATCHDOG_S
    server.thaw()
    give_up = time.monotonic() + WATCHDOG_S
    while time.monotonic() < give_up:
        try:
            pool.putconn(pool.getconn())
            break
        except PoolTimeout:
            continue
    assert len(_take(pool, 8)) == 8


def test_after_a_restart_no_connection_of_before_is_given_to_anybody(
    server: Server, pool: ConnectionPool
) -> None:
    """As shipped the pool pauses for a second, then for two, after each that it finds broken."""
    _lie_idle(pool, 8)
    server.kill()
    server.start()
    for connection in _take(pool, 8):
        assert connection.cursor().execute("select 1").fetchone() == (1,)


def test_a_statement_that_takes_long_is_ended_by_a_server_that_can(
    server: Server, pool: ConnectionPool
) -> None:
    (connection,) = _take(pool, 1)
    connection.cursor().execute("set statement_timeout = 100")
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.cursor().execute("select pg_sleep(30)")
    assert not connection.closed
