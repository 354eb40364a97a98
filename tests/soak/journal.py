"""What workers really did, told apart from what they wrote into rows: one file that all of them append to.

A kernel's lock for each slot says whether two worked on it at the same time. It ends with its holder, however
that dies, so nothing of the product's own leases has to be believed.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

BEGIN, END, OVERLAP = "begin", "end", "overlap"


class Line(NamedTuple):
    """Something that happened to a run, and when (ns of a clock that all processes of a machine share)."""

    what: str
    run: str
    slot: str
    ns: int
    pid: int


class Journal:
    """The journal of one soak, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._file, self._locks = folder / "journal", folder / "locks"
        self._locks.mkdir(exist_ok=True)
        self._file.touch()

    @contextmanager
    def working(self, run: str, slot: str) -> Iterator[None]:
        """Note that the work of a run begins and ends. One that raises, or is killed, has no end."""
        lock = os.open(self._locks / slot, os.O_CREAT | os.O_RDWR)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._note(OVERLAP, run, slot)
            self._note(BEGIN, run, slot)
            yield
            self._note(END, run, slot)
        finally:
            os.close(lock)

    def lines(self) -> list[Line]:
        words = (line.split(" ") for line in self._file.read_text().splitlines())
        return [Line(what, run, slot, int(ns), int(pid)) for what, run, slot, ns, pid in words]

    def _note(self, what: str, run: str, slot: str) -> None:
        """One write of one short line: the kernel puts it wholly at the end, whoever else writes."""
        file = os.open(self._file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            os.write(file, f"{what} {run} {slot} {time.monotonic_ns()} {os.getpid()}\n".encode())
        finally:
            os.close(file)
