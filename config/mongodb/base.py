"""The backend as Django loads it (`ENGINE = "config.mongodb"`)."""

from __future__ import annotations

from typing import Any

import pymongo
from django_mongodb_backend.base import DatabaseWrapper as Upstream
from django_mongodb_backend.operations import DatabaseOperations
from django_mongodb_backend.utils import OperationDebugWrapper

from config.mongodb.errors import translated
from config.mongodb.schema import Introspection, SchemaEditor


class Operations(DatabaseOperations):  # type: ignore[misc]
    """Upstream's, with our compilers."""

    compiler_module = "config.mongodb.compiler"

    # Upstream makes a regular expression of `__iexact` too, and forgets to escape what was asked for.
    prep_for_iexact_query = DatabaseOperations.prep_for_like_query


class Logged(OperationDebugWrapper):  # type: ignore[misc]
    """A collection whose every operation is in the query log, those on one document (`compiler`) as well."""

    def update_one(self, *args: Any, **kwargs: Any) -> Any:
        return self._timed("update_one", args, kwargs)

    def delete_one(self, *args: Any, **kwargs: Any) -> Any:
        return self._timed("delete_one", args, kwargs)

    def _timed(self, name: str, args: Any, kwargs: Any) -> Any:
        duration_s, result = self.profile_call(getattr(self.wrapped, name), args, kwargs)
        self.log(name, duration_s, args, kwargs)
        return result


class DatabaseWrapper(Upstream):  # type: ignore[misc]
    SchemaEditorClass = SchemaEditor
    introspection_class = Introspection
    ops_class = Operations

    def get_collection(self, name: str, **kwargs: Any) -> Any:
        collection = super().get_collection(name, **kwargs)
        self._find_primary()
        return Logged(self, collection.wrapped) if self.queries_logged else collection

    def get_database_version(self) -> tuple[int, ...]:
        """Asked for before anything else is, so that it would be the first to look for a primary."""
        self._find_primary()
        version: tuple[int, ...] = super().get_database_version()
        return version

    def _find_primary(self) -> None:
        """While none is known, look for one no longer than for any server. Raises OperationalError.

        Left to itself each operation would look for all of its own time: `timeoutMS` overrides
        `serverSelectionTimeoutMS`.
        """
        if self.connection.topology_description.has_writable_server():
            return
        seconds = self.settings_dict["OPTIONS"]["serverSelectionTimeoutMS"] / 1000
        with translated(), pymongo.timeout(seconds):
            self.connection.admin.command("ping")
