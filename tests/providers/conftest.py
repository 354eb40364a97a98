"""Fixtures for everything at the edge to providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
