from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streaming.live.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="marquee-live-", dir="/tmp"))  # a socket's path holds 104 bytes
    try:
        with Stack(folder) as stack:
            yield stack
    finally:
        shutil.rmtree(folder, ignore_errors=True)
