"""The demo's clock: it begins with Marquee's first question, and goes on over restarts.

It is a small JSON file, replaced whole, so that a kill at any moment leaves the old one or the new one.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path


class Clock:
    """Seconds since the first question."""

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = path, now
        self._lock = threading.Lock()
        self._epoch = _read(path)

    @property
    def seconds(self) -> float:
        """Seconds since the clock began, 0 before."""
        return max(0.0, self._now() - self._epoch) if self._epoch is not None else 0.0

    def begin(self) -> None:
        """Start it, unless it runs."""
        with self._lock:
            if self._epoch is None:
                self._epoch = self._now()
                self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        draft.write_text(json.dumps({"epoch": self._epoch}) + "\n", "utf-8")
        os.replace(draft, self._path)


def _read(path: Path) -> float | None:
    """When the clock began, in Unix time; None when it hasn't. Raises ValueError for another's file."""
    try:
        epoch = json.loads(path.read_text("utf-8"))["epoch"]
        return None if epoch is None else float(epoch)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} is not the demo's state file; delete it to start over") from None
