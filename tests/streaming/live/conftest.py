from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.folders import temporary
from tests.streaming.live.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with temporary() as folder, Stack(folder) as stack:
        yield stack
