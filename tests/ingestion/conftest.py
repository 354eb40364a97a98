"""Fixtures of the ingestion tests: the world outside, and nothing that waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from core import conf
from providers import services
from tests.ingestion.world import World

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def world(settings: Any, db: None, valkey: Any) -> Iterator[World]:
    """TMDB and a library on 127.0.0.1, asked without pace and without retries."""
    with World().running() as world:
        settings.TMDB_API_KEY = "key"
        settings.TMDB_BASE_URL = f"{world.url}/3"
        settings.LIBRARY_URL = f"{world.url}/library"
        settings.HTTP_TRUSTED_ORIGINS = [world.url]
        for name, value in {
            "RATE_LIMIT_RPS": 1000,
            "TMDB_RATE_LIMIT_RPS": 1000,
            "MAX_RETRY_ATTEMPTS": 0,
        }.items():
            conf.change(name, value, by="test", at=AT)
        services.ensure_library()
        yield world
