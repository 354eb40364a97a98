"""Fixtures for core: a clock that stands still for throttles, and a database that is away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection

from core import throttles


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
    """The file of the database is gone from where it was."""
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "/nonexistent/marquee.sqlite3"
    yield
    connection.close()
    connection.settings_dict["NAME"] = name


@pytest.fixture
def no_redis(settings: Any, clock: SimpleNamespace) -> None:
    """Nobody listens where Redis is said to be."""
    away = {**settings.CACHES["default"], "LOCATION": "unix:///nonexistent/valkey.sock"}
    settings.CACHES = {**settings.CACHES, "default": away}
    settings.REDIS_URL = "unix:///nonexistent/valkey.sock"
