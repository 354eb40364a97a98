"""Fixtures for core: a clock that stands still for throttles, and a database that is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from core import throttles
from tests.servers import free_port


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time as throttles see it, on a whole minute; it passes only when a test says so."""
    now = SimpleNamespace(at=1_800_000_000.0)
    stub = SimpleNamespace(time=lambda: now.at, monotonic=time.monotonic)
    monkeypatch.setattr(throttles, "time", stub)
    monkeypatch.setattr(throttles, "counter", throttles.Counter())
    caches["process"].clear()
    return now


@pytest.fixture
def no_database(transactional_db: None) -> Iterator[None]:
    """Nothing is where the databases are said to be: no file, and no server that listens."""
    with ExitStack() as stack:
        for alias in connections:
            stack.enter_context(_away(connections[alias]))
        yield


@contextmanager
def _away(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Send new connections where nothing is, whichever thread makes them: all share the settings."""
    options = connection.settings_dict["OPTIONS"]
    brief = {"pool": {**options.get("pool", {}), "timeout": 0.5}}
    nowhere = {
        "sqlite": {"NAME": "/nonexistent/marquee.sqlite3"},
        "postgresql": {"PORT": free_port(), "OPTIONS": {**options, **brief}},
        "mongodb": {"HOST": f"mongodb://127.0.0.1:{free_port()}", "OPTIONS": {**options, "timeoutMS": 500}},
    }
    kept = dict(connection.settings_dict)
    _disconnect(connection)
    # A pool (PostgreSQL) or client (MongoDB) is the whole process's: put aside, not closed.
    pools = getattr(connection, "_connection_pools", {})
    pool = pools.pop(connection.alias, None)
    connection.settings_dict.update(nowhere[connection.vendor])
    yield
    _disconnect(connection)
    if connection.alias in pools:
        pools.pop(connection.alias).close()
    connection.settings_dict.update(kept)
    if pool is not None:
        pools[connection.alias] = pool


def _disconnect(connection: BaseDatabaseWrapper) -> None:
    connection.close()
    connection.connection = None  # MongoDB's stays otherwise
    connection.__dict__.pop("database", None)


@pytest.fixture
def no_redis(settings: Any, clock: SimpleNamespace) -> None:
    """Nobody listens where Redis is said to be."""
    away = {**settings.CACHES["default"], "LOCATION": "unix:///nonexistent/valkey.sock"}
    settings.CACHES = {**settings.CACHES, "default": away}
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
