"""`genres__holds="Comedy"`: whether a JSON list holds a text. Each database says that in its own way.

Models that have such lists import this. Nothing here knows a table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import JSONField, Lookup

if TYPE_CHECKING:
    _Lookup = Lookup[Any]
else:
    _Lookup = Lookup  # which is generic in its stubs alone


@JSONField.register_lookup
class Holds(_Lookup):
    lookup_name = "holds"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> Any:
        """The text as it is: it is no JSON."""
        return "%s", [value]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        listed, params, text, more = self._sides(compiler, connection)
        return f"EXISTS (SELECT 1 FROM json_each({listed}) WHERE value = {text})", [*params, *more]

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        listed, params, text, more = self._sides(compiler, connection)
        return f"{listed} ? {text}", [*params, *more]

    def as_mql_path(self, compiler: Any, connection: Any) -> dict[str, Any]:
        """What equals one of its items equals the array, to MongoDB."""
        lhs: Any = self.lhs
        return {lhs.as_mql(compiler, connection): {"$eq": self.rhs}}

    def _sides(self, compiler: Any, connection: Any) -> tuple[str, Any, str, Any]:
        return *self.process_lhs(compiler, connection), *self.process_rhs(compiler, connection)
