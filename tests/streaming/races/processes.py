"""Real processes beside the test's own, with connections of their own to the databases that it works on.

They are forked from one server process that has loaded Django and opened nothing: clients and pools do not
survive a fork.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import pytest
from django.db import connections

WATCHDOG_S = 60.0
_forks = get_context("forkserver")
_forks.set_forkserver_preload(["tests.streaming.races.preload"])


@contextmanager
def beside(database: None) -> Iterator[None]:
    """Processes that are started find the databases of this test run."""
    names = {alias: str(connections[alias].settings_dict["NAME"]) for alias in connections}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TEST_CHILD_DATABASES", json.dumps(names))
        yield


class Process:
    """Runs `work(*args)` in a process of its own, from `go` on; `work` is a function of a module."""

    def __init__(self, work: Callable[..., Any], *args: Any) -> None:
        self._ours, theirs = _forks.Pipe()
        self._process = _forks.Process(target=_serve, args=(theirs, work, args), daemon=True)
        self._process.start()
        theirs.close()

    def ready(self) -> None:
        """Wait until it is connected."""
        assert self._answer() == "ready"

    def go(self) -> None:
        self._ours.send("go")

    def result(self) -> Any:
        """What `work` returned; EOFError if the process ended before that."""
        try:
            return self._answer()
        finally:
            self.ended()

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        self._process.join(WATCHDOG_S)
        assert self._process.exitcode is not None, "the process did not end"
        return self._process.exitcode

    def _answer(self) -> Any:
        assert self._ours.poll(WATCHDOG_S), "the process does not answer"
        return self._ours.recv()


def _serve(parent: Connection, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    for alias in connections:
        connections[alias].ensure_connection()
    parent.send("ready")
    parent.recv()
    parent.send(work(*args))
    parent.close()
    os._exit(0)  # its pools have threads that nothing here has to wait for
