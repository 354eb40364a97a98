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
    """Seconds since the first question. `port` is the one to serve on again: players keep addresses."""

    def __init__(self, path: Path, *, now: Callable[[], float] = time.time) -> None:
        self._path, self._now = path, now
        self._lock = threading.Lock()
        kept = _read(path)
        self._epoch: float | None = kept.get("epoch")
        self._port = int(kept.get("port") or 0)

    @property
    def port(self) -> int:
        """The port of the last run, 0 when there was none."""
        return self._port

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

    def keep_port(self, port: int) -> None:
        """Remember the port for the next run."""
        with self._lock:
            if port != self._port:
                self._port = port
                self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        draft.write_text(json.dumps({"epoch": self._epoch, "port": self._port}) + "\n", "utf-8")
        os.replace(draft, self._path)


def _read(path: Path) -> dict[str, float]:
    """What was kept. Raises ValueError when the file is there but isn't ours."""
    try:
        kept = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path} is not the demo's state file ({error}); delete it to start over") from None
    numbers = isinstance(kept, dict) and all(
        value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in kept.values()
    )
    if not numbers or not 0 <= (kept.get("port") or 0) < 65536:
        raise ValueError(f"{path} is not the demo's state file; delete it to start over")
    return kept
