"""One `manage.py setup` at a time: several containers may start at once. The lock ends with its process.

It is where the default database is. On PostgreSQL it is an advisory lock of a connection of its own; SQLite
is on one machine, and so is a lock on a file beside it. Two machines that keep a SQLite each and share a
MongoDB would not see each other's, so that there a lease is held as well.
"""

from __future__ import annotations

import fcntl
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connections
from pymongo.errors import DuplicateKeyError, PyMongoError

from core.databases import Unusable, dial, explained, name

WAIT_S = 240.0
"""For another setup. Less than the time that `make run` grants to all of it, so that the reason is read."""
KEY = int.from_bytes(b"marquee")
LEASE_S = 30
_FILE = "setup.lock"
_LEASES, _LEASE = "setup_lock", {"_id": "setup"}
_POLL_S = 0.2
# A machine that vanished without a word is noticed within a minute, and its lock is let go.
_KEEPALIVE = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3"


def only_one(
    folder: Path, *, on_wait: Callable[[str], None], wait_s: float = WAIT_S
) -> AbstractContextManager[None]:
    """Hold the lock of setup. `on_wait` is told once what one waits for. Raises Unusable."""
    if connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
        return _in_postgresql(on_wait, wait_s)
    return _in_folder(folder, on_wait, wait_s)


@contextmanager
def _in_folder(folder: Path, on_wait: Callable[[str], None], wait_s: float) -> Iterator[None]:
    def take() -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    path = folder / _FILE
    with ExitStack() as stack:
        file = stack.enter_context(open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+"))
        _wait(take, f"another setup on {folder}", on_wait, wait_s)
        owner = file.read() or uuid.uuid4().hex
        file.seek(0)
        file.write(owner)
        file.flush()
        for alias in connections:
            if connections[alias].vendor == "mongodb":
                stack.enter_context(_in_mongodb(alias, owner, on_wait, wait_s))
        yield


@contextmanager
def _in_postgresql(on_wait: Callable[[str], None], wait_s: float) -> Iterator[None]:
    """Of the session and not of a transaction: one that stands open for minutes would be in the way."""

    def take() -> bool:
        row = session.execute("SELECT pg_try_advisory_lock(%s)", [KEY]).fetchone()
        return bool(row and row[0])

    with ExitStack() as stack:
        with explained(DEFAULT_DB_ALIAS):
            session = stack.enter_context(closing(dial(DEFAULT_DB_ALIAS)))
            session.execute(_KEEPALIVE)
            _wait(take, f"another setup of {name(DEFAULT_DB_ALIAS)}", on_wait, wait_s)
        yield


@contextmanager
def _in_mongodb(alias: str, owner: str, on_wait: Callable[[str], None], wait_s: float) -> Iterator[None]:
    """A lease by the server's clock. Who holds the lock of the same folder takes over from who was killed."""
    free = {"$or": [{"$eq": ["$owner", owner]}, {"$lt": ["$until", "$$NOW"]}]}
    until = {"$dateAdd": {"startDate": "$$NOW", "unit": "second", "amount": LEASE_S}}
    claim = {"owner": {"$cond": [free, owner, "$owner"]}, "until": {"$cond": [free, until, "$until"]}}

    def take() -> bool:
        try:
            row = rows.find_one_and_update(_LEASE, [{"$set": claim}], upsert=True, return_document=True)
        except DuplicateKeyError:  # somebody was first to make the row
            return False
        return bool(row["owner"] == owner)

    def keep() -> None:
        while not done.wait(LEASE_S / 3):
            with suppress(PyMongoError):
                take()

    with explained(alias):
        connections[alias].ensure_connection()
        rows = cast(Any, connections[alias]).database[_LEASES]
        _wait(take, f"another setup of {name(alias)}", on_wait, wait_s)
    done, keeper = Event(), Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()
        with suppress(PyMongoError):
            rows.delete_one({**_LEASE, "owner": owner})


def _wait(take: Callable[[], bool], what: str, on_wait: Callable[[str], None], wait_s: float) -> None:
    give_up, told = time.monotonic() + wait_s, False
    while not take():
        if time.monotonic() > give_up:
            raise Unusable(f"After {wait_s:.0f} s {what} is still at work. Run this again when it is done.")
        if not told:
            on_wait(what)
            told = True
        time.sleep(_POLL_S)
