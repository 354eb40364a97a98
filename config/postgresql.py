"""A connection to PostgreSQL that gives up by itself. Nothing here knows a query or a table.

A server that hangs, or whose packets a network swallows, keeps its connections open, and its own
statement_timeout hangs with it. So the client watches the clock too.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from math import inf
from typing import Any, TypeVar

import psycopg
from psycopg_pool import ConnectionPool

GRACE_S = 1.0
"""How much longer than the server's own limit: while it can, it is the server that says no."""

Result = TypeVar("Result")


class NoAnswer(psycopg.OperationalError):
    """The server did not answer in time."""


class Connection(psycopg.Connection[Any]):
    """`answer_within_s` bounds one statement, `alive_within_s` the pool's question whether anybody is there.

    One that finds itself broken has the pool drop those that lie idle: they broke at the same moment, and
    each would fail a request of its own.
    """

    answer_within_s = inf
    alive_within_s = inf

    def wait(self, gen: Generator[Any, Any, Result], *args: Any, **options: Any) -> Result:
        try:
            return super().wait(_within(gen, self.answer_within_s), *args, **options)
        except psycopg.OperationalError as error:
            if isinstance(error, NoAnswer):
                self.close()
            if self.closed and isinstance(self._pool, ConnectionPool):
                self._pool.drain()
            raise

    def execute(self, *args: Any, **options: Any) -> psycopg.Cursor[Any]:
        """Only the pool calls this (`ConnectionPool.check_connection`); Django has cursors."""
        limit_s, self.answer_within_s = self.answer_within_s, self.alive_within_s
        try:
            return super().execute(*args, **options)
        finally:
            self.answer_within_s = limit_s


def connection_class(*, timeout_s: float, connect_timeout_s: float) -> type[Connection]:
    """The class for the pool of a server that has these limits, in seconds."""
    limits = {"answer_within_s": timeout_s + GRACE_S, "alive_within_s": connect_timeout_s}
    return type("Connection", (Connection,), limits)


def _within(gen: Generator[Any, Any, Result], seconds: float) -> Generator[Any, Any, Result]:
    """`gen`, which psycopg resumes every tenth of a second even if nothing comes. Raises NoAnswer."""
    give_up = time.monotonic() + seconds
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if time.monotonic() > give_up:
                raise NoAnswer(f"The database did not answer within {seconds:g} s.")
            wanted = gen.send(ready)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
