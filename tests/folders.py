"""Temporary folders of the tests: short names, and none stays behind.

A folder's lock says that its owner lives. What a killed run left lying is removed by the next that wants one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path("/tmp")  # short, for a socket's path holds 104 bytes
PREFIX = "marquee-tests-"


@contextmanager
def temporary(root: Path = ROOT) -> Iterator[Path]:
    """A folder of this process, removed at the end. Those whose owners have died are removed first."""
    sweep(root)
    folder, lock = _made(root)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(root: Path = ROOT) -> None:
    """Remove the folders that nobody holds the lock of."""
    for folder in root.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, or gone since
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _made(root: Path) -> tuple[Path, int]:
    """A new folder and its lock. A sweep that came in between, and took it for abandoned, has removed it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)
