"""A few threads for each provider: one that hangs holds its own, and no work for another waits behind it.

Threads start when there is work, and are kept: a process asks the same providers over and over.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

from core import correlation

_T = TypeVar("_T")


class Bulkheads:
    """At most `threads` calls at once for one name; more of them wait their turn, first come first served.

    Made once and kept for as long as the process lives.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def submit(self, name: str, work: Callable[[], _T]) -> Future[_T]:
        with self._lock:
            pool = self._pools.get(name)
            if pool is None:
                pool = ThreadPoolExecutor(self._threads, thread_name_prefix=f"providers-{name}")
                self._pools[name] = pool
        return pool.submit(correlation.carried(work))

    def _forget(self) -> None:
        """Also after a fork: the child has none of its parent's threads."""
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._lock = Lock()
