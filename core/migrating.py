"""Bringing one database up to date, so that a process killed at any point can be followed by another.

Nothing here waits for a second one to be at the same work: that is the business of `setup_lock`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pymongo
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import DatabaseError, connections, router, transaction
from django.db.migrations import Migration

STATEMENT_WITHIN_S = 3600
"""For one statement. To build an index on a large table takes longer than any request may."""


def bring_up_to_date(alias: str) -> int:
    """Migrate a database. How many migrations it lacked; those that leave it alone are not counted."""
    command = Migrate()
    with patience(alias):
        call_command(command, database=alias, interactive=False, verbosity=0)
    return command.applied


class Migrate(migrate.Command):
    """Django's, with each migration and the row that records it in one transaction where there are such.

    Django writes that row after the commit if indexes or foreign keys come last; killed between the two, the
    next one would try to make tables that are there.
    """

    applied = 0

    def handle(self, *args: Any, **options: Any) -> str | None:
        self._connection = connections[options["database"]]
        with ExitStack() as self._open:
            return super().handle(*args, **options)

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        super().migration_progress_callback(action, migration, fake)
        if migration is not None and action == "apply_start":
            self._begin(migration)
        elif migration is not None and action == "apply_success":
            self._open.close()
            self.applied += router.allow_migrate(self._connection.alias, migration.app_label)

    def _begin(self, migration: Migration) -> None:
        if migration.atomic and self._connection.features.can_rollback_ddl:
            # SQLite can set its checks aside only before a transaction begins.
            self._open.enter_context(self._connection.constraint_checks_disabled())
            self._open.enter_context(transaction.atomic(using=self._connection.alias))


@contextmanager
def patience(alias: str) -> Iterator[None]:
    """Let a statement take its time; to wait for a lock stays short, for all others would queue behind it."""
    connection = connections[alias]
    if connection.vendor == "mongodb":
        with pymongo.timeout(STATEMENT_WITHIN_S):
            yield
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{STATEMENT_WITHIN_S}s"])
        wire: Any = connection.connection
        usual_s, wire.answer_within_s = wire.answer_within_s, STATEMENT_WITHIN_S + 1  # config.postgresql
        try:
            yield
        finally:
            wire.answer_within_s = usual_s
            with suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")
    else:
        yield
