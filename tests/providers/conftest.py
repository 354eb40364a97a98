"""Fixtures for everything at the edge to providers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from providers import registry
from tests.providers.asking import Keyed, setting
from tests.providers.media import MediaOrigin
from tests.providers.origin import Origin


@pytest.fixture
def media_origin() -> Iterator[MediaOrigin]:
    """A local web server for media and manifests, empty at first."""
    with MediaOrigin().running() as server:
        yield server


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A local web server that answers what the test tells it to."""
    with Origin().running() as origin:
        yield origin


@pytest.fixture
def slept() -> list[float]:
    """The pauses, in seconds, of a session that does not really sleep."""
    return []


@pytest.fixture
def other() -> Iterator[Origin]:
    """One more of these."""
    with Origin().running() as other:
        yield other


@pytest.fixture
def edge(
    settings: Any,
    db: None,
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    origin: Origin,
    other: Origin,
) -> None:
    """Both origins are trusted; no pace and no retries but where a test says so."""
    settings.HTTP_TRUSTED_ORIGINS = [origin.url, other.url]
    monkeypatch.setitem(registry.ADAPTERS, Keyed.slug, Keyed)  # type: ignore[arg-type]
    setting("RATE_LIMIT_RPS", 1000)
    setting("TMDB_RATE_LIMIT_RPS", 1000)
    setting("MAX_RETRY_ATTEMPTS", 0)
