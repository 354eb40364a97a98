"""Fixtures for everything at the edge to providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.providers.media import MediaOrigin


@pytest.fixture
def media_origin() -> Iterator[MediaOrigin]:
    """A local web server for media and manifests, empty at first."""
    with MediaOrigin().running() as server:
        yield server
