"""Run `manage.py setup` and kill it at a named point, as `kill -9` would. Prints nothing.

`python -m tests.ingestion.killed_setup "a point"`; with a point that is not reached, setup ends as always.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command


def die_before(owner: Any, name: str, when: Callable[..., bool] = lambda *args, **kw: True) -> None:
    """Kill this process when the function is called, and `when` of its arguments holds."""
    _wrap(owner, name, when, after=False)


def die_after(owner: Any, name: str, when: Callable[..., bool] = lambda *args, **kw: True) -> None:
    _wrap(owner, name, when, after=True)


def _wrap(owner: Any, name: str, when: Callable[..., bool], *, after: bool) -> None:
    original = getattr(owner, name)

    def wrapped(*args: Any, **kw: Any) -> Any:
        fatal = when(*args, **kw)
        if fatal and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kw)
        if fatal:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, wrapped)


def in_a_migration() -> None:
    """A table is made, the next is not."""
    from django.db.migrations.operations import CreateModel

    die_after(CreateModel, "database_forwards", lambda self, app, editor, *_: _made_here(self.name, editor))


def _made_here(model: str, editor: Any) -> bool:
    return model == "StreamVersion" and editor.connection.alias == _home()


def before_the_record() -> None:
    """A migration with indexes and foreign keys is made, and nobody has noted so."""
    from django.db.migrations.recorder import MigrationRecorder

    die_before(
        MigrationRecorder,
        "record_applied",
        lambda self, app, name: (app, name[:4], self.connection.alias) == ("streaming", "0001", _home()),
    )


def in_a_static_file() -> None:
    """Half of a file is there, newer than its source."""
    from django.contrib.staticfiles.management.commands.collectstatic import Command

    def half(command: Any, path: str, prefixed: str, storage: Any) -> None:
        copy(command, path, prefixed, storage)
        written = Path(command.storage.path(prefixed))
        if written.suffix == ".css":
            os.truncate(written, written.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    copy = Command.copy_file
    Command.copy_file = half  # type: ignore[method-assign]


def before_the_account() -> None:
    """Its password is noted; the account is not there."""
    from django.contrib.auth.models import UserManager

    die_before(UserManager, "create_superuser")


POINTS = (
    in_a_migration,
    before_the_record,
    in_a_static_file,
    before_the_account,
)
"""In the order in which setup comes by them."""


def _home() -> str:
    from django.db import router

    from streaming.models import Movie

    return router.db_for_write(Movie)


if __name__ == "__main__":
    django.setup()
    {point.__name__: point for point in POINTS}[sys.argv[1]]()
    call_command("setup", stdout=io.StringIO())
