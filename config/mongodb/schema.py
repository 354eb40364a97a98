"""Collections and indexes, as migrations make and look at them. A migration is no transaction here."""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError
from django_mongodb_backend.introspection import DatabaseIntrospection
from django_mongodb_backend.schema import DatabaseSchemaEditor
from pymongo.errors import CollectionInvalid, OperationFailure

from config.mongodb.errors import translated

_NAMESPACE_EXISTS = 48
_INDEX_NOT_FOUND = 27


class SchemaEditor(DatabaseSchemaEditor):  # type: ignore[misc]
    """Upstream's, that goes on where a `migrate` was killed: what exists already is not made again.

    Making an index that exists is no error to MongoDB; making a collection, or dropping an index that is
    gone, is one.
    """

    @translated()
    def create_model(self, model: Any) -> None:
        try:
            super().create_model(model)
        except DatabaseError as error:
            if not _exists(error.__cause__):
                raise
            self._create_model_indexes(model)

    @translated()
    def add_index(self, *args: Any, **kwargs: Any) -> None:
        super().add_index(*args, **kwargs)

    @translated()
    def remove_index(self, *args: Any, **kwargs: Any) -> None:
        try:
            super().remove_index(*args, **kwargs)
        except OperationFailure as error:
            if error.code != _INDEX_NOT_FOUND:
                raise

    def effective_default(self, field: Any) -> dict[str, Any]:
        """What a new column holds, to the letter, where it holds nothing yet. Upstream writes it by an
        expression, in which `{}` is no value and a text that begins with "$" is the name of another column;
        and to every document, so that a `migrate` that was killed would undo what was written since."""
        return {"$ifNull": [f"${field.column}", {"$literal": super().effective_default(field)}]}

    def _remove_field_index(self, model: Any, field: Any, column_prefix: str = "") -> None:
        ours = {index.name for index in model._meta.indexes}
        if self._constraint_names(model, [column_prefix + field.column], index=True, exclude=ours):
            super()._remove_field_index(model, field, column_prefix)


class Introspection(DatabaseIntrospection):  # type: ignore[misc]
    """Upstream's, whose errors are Django's: `migrate` and the readiness check look here first."""

    @translated()
    def table_names(self, *args: Any, **kwargs: Any) -> list[str]:
        names: list[str] = super().table_names(*args, **kwargs)
        return names

    @translated()
    def get_constraints(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        constraints: dict[str, Any] = super().get_constraints(*args, **kwargs)
        return constraints


def _exists(error: BaseException | None) -> bool:
    """The driver looks for the collection first; the server has the last word."""
    refused = isinstance(error, OperationFailure) and error.code == _NAMESPACE_EXISTS
    return refused or isinstance(error, CollectionInvalid)
