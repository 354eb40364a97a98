"""How many streams may be open: in this process, and from one address. Counts only; nothing waits here."""

from __future__ import annotations

import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from core.addresses import network_of

MAX_STREAMS = 5000
MAX_STREAMS_PER_ADDRESS = 100
SPARE_FILES = 256
"""Open files that are kept for everything but streams: the database, Redis, other requests, logs."""


class Refused(Exception):
    """A stream that is not opened: the HTTP status and the sentence to answer with."""

    def __init__(self, status: int, detail: str, *, retry_after_s: int = 0) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s


class Room:
    """The places for open streams. An unknown address (a unix socket's peer) counts to the total alone."""

    def __init__(self, total: int = MAX_STREAMS, per_address: int = MAX_STREAMS_PER_ADDRESS) -> None:
        self.total = total
        self.per_address = per_address
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._taken.total()

    @contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Hold one place. Raises Refused: 429 when the address has its share, 503 when all are taken."""
        key = network_of(address)
        if key and self._taken[key] >= self.per_address:
            raise Refused(
                429, f"{self.per_address} event streams are open from your address.", retry_after_s=30
            )
        if self.taken >= self.total:
            raise Refused(503, "All places for event streams are taken.", retry_after_s=10)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


def fit_open_files(wanted: int) -> int:
    """Raise this process's limit of open files towards `wanted` streams; how many it has room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(ValueError, OSError):  # macOS reports no limit and yet has one
            resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, max(1, soft - SPARE_FILES))
