"""What the settings make of the environment."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from config import settings


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///run/valkey.sock", {"path": "/run/valkey.sock", "db": 0}),
        (
            "unix://ada:p%40ss@/run/valkey.sock?db=2",
            {"path": "/run/valkey.sock", "db": 2, "password": "p@ss"},
        ),
        ("redis://cache:6380/3", {"host": "cache", "port": 6380, "db": 3}),
        ("redis://ada:p%2Fss@cache", {"host": "cache", "username": "ada", "password": "p/ss"}),
    ],
)
def test_the_event_bus_is_where_redis_is(url: str, expected: dict[str, Any]) -> None:
    with redis.Redis(**settings._event_bus(url)) as client:
        known = client.connection_pool.connection_kwargs
    assert {name: known.get(name) for name in expected} == expected
    assert known["socket_timeout"] == 1


def test_rediss_is_encrypted() -> None:
    with redis.Redis(**settings._event_bus("rediss://cache")) as client:
        assert client.connection_pool.connection_class is redis.SSLConnection
