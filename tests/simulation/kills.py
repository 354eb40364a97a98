"""Kills: a task is done by a forked process that ends itself (`os._exit`) at a chosen point of its work.

Parent and child share no connection: the parent closes its own before it forks, and the child forgets what it
inherited all the same (a pool that another thread filled, a client that is the whole process's), without a
word to the server. Its last words are what the simulation has to remember (calls made, probes seen); of
Marquee nothing survives but what is stored.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from celery import current_app
from django.db import connections

from ingestion import checking, ending, runs, slots
from streaming import events, turns
from streaming.querysets import MovieQuerySet, StreamVersionQuerySet

KILLED = 9

_INHERITED: list[Any] = []
"""Kept, so that collecting it as garbage closes nothing either."""


@dataclass(frozen=True, kw_only=True)
class Fuse:
    """Where a process ends: before or after a call of something, one that names `column` if that is given."""

    where: str
    owner: Any
    name: str
    after: bool = False
    column: str = ""


FUSES = (
    Fuse(where="before the run is taken", owner=runs, name="_start"),
    Fuse(where="once the run is taken", owner=runs, name="_start", after=True),
    Fuse(where="in the middle of its calls", owner=checking, name="probe_all", after=True),
    Fuse(where="probed, and not decided", owner=checking, name="settle"),
    Fuse(where="before the turn is taken", owner=turns, name="_insert"),
    Fuse(where="once the turn is taken", owner=turns, name="_insert", after=True),
    Fuse(
        where="between the versions",
        owner=StreamVersionQuerySet,
        name="update",
        after=True,
        column="switch_seq",
    ),
    Fuse(where="before the movie", owner=MovieQuerySet, name="update", column="switch_seq"),
    Fuse(where="before anybody is nudged", owner=events, name="nudge"),
    Fuse(where="before the run is closed", owner=ending, name="close"),
    Fuse(where="once the run is closed", owner=ending, name="close", after=True),
    Fuse(where="before the slot is free", owner=slots, name="release"),
    Fuse(where="once a run is queued", owner=runs, name="_claim", after=True),
)


def do_in_victim(work: Callable[[], None], fuse: Fuse, last_words: Callable[[], Any]) -> tuple[bool, Any]:
    """Do `work` in a process that ends at `fuse`: (whether it came to that, what `last_words` gave there)."""
    _let_go()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _live(work, fuse, last_words, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in (0, KILLED):
        raise RuntimeError(f"the victim ended with {status}: {said.decode(errors='replace')[-3000:]}")
    return status == KILLED, pickle.loads(said)


def _let_go() -> None:
    """Close all connections: they could not be shared with a fork. A MongoClient is left open: others than we
    hold on to it, who would find it closed."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if connection.vendor == "postgresql":
            connection.close_pool()


def _forget() -> None:
    """Leave what was inherited to the parent: to close it here would end its conversation with the server."""
    for connection in connections.all(initialized_only=True):
        _INHERITED.append((connection.connection, getattr(connection, "_connection_pools", {}).copy()))
        connection.connection = None
        connection.__dict__.pop("database", None)  # MongoDB's holds on to the client as well
        getattr(connection, "_connection_pools", {}).clear()


def _live(work: Callable[[], None], fuse: Fuse, last_words: Callable[[], Any], pipe: int) -> None:
    """The life of a victim. It never returns."""

    def die(status: int) -> None:
        with os.fdopen(pipe, "wb") as out:
            out.write(pickle.dumps(last_words()))
        os._exit(status)

    try:
        _forget()
        current_app._after_fork()
        with _lit(fuse, lambda: die(KILLED)):
            work()
        _let_go()
        die(0)
    except BaseException as error:
        import traceback

        os.write(pipe, "".join(traceback.format_exception(error)).encode())
        os._exit(1)


@contextmanager
def _lit(fuse: Fuse, die: Callable[[], None]) -> Iterator[None]:
    original = getattr(fuse.owner, fuse.name)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        meant = not fuse.column or fuse.column in kwargs
        if meant and not fuse.after:
            die()
        result = original(*args, **kwargs)
        if meant:
            die()
        return result

    with patch.object(fuse.owner, fuse.name, deadly):
        yield
