"""Queries as Django asks for them, made into pipelines that MongoDB's planner can answer by an index.

Upstream's compilers do the work. Nothing here knows a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models.expressions import Col
from django_mongodb_backend import compiler, query

from config.mongodb.errors import translated

Stage = dict[str, Any]


class MongoQuery(query.MongoQuery):  # type: ignore[misc]
    """Upstream's, with the columns cut down after sorting and limiting, so that an index can do both."""

    sorts_as_stored = False

    def get_pipeline(self) -> list[Stage]:
        pipeline: list[Stage] = super().get_pipeline()
        if self.sorts_as_stored:
            pipeline.sort(key=lambda stage: "$project" in stage)
        return pipeline

    def delete(self) -> int:
        """As in `SQLUpdateCompiler.update`: what names one document is deleted by what is safe to retry."""
        if self.compiler.subqueries or not names_one(self.match_mql):
            return int(super().delete())
        session = self.compiler.connection.session
        return int(self.compiler.collection.delete_one(self.match_mql, session=session).deleted_count)


class Mended:
    """What every kind of compiler has in common."""

    query_class = MongoQuery
    connection: Any
    collection_name: str
    order_by_objs: list[Any] | None

    @translated()
    def execute_sql(self, *args: Any, **kwargs: Any) -> Any:
        return super().execute_sql(*args, **kwargs)  # type: ignore[misc]

    def cursor_iter(self, *args: Any) -> Iterator[Any]:
        """Upstream asks the server for more outside of its own translation of errors."""
        with translated():
            yield from super().cursor_iter(*args)  # type: ignore[misc]

    def build_query(self, columns: Any = None) -> Any:
        """Let an index sort. Upstream first adds each column that it sorts by to the document, even if it is
        there already, and no index can sort what `$addFields` has touched."""
        built = super().build_query(columns)  # type: ignore[misc]
        reshaped = (
            built.search_pipeline,
            built.lookup_pipeline,
            built.subqueries,
            built.aggregation_pipeline,
            built.combinator_pipeline,
        )
        if not any(reshaped) and all(map(self._is_stored, self.order_by_objs or ())):
            built.sorts_as_stored, built.extra_fields = True, None
        return built

    def _is_stored(self, order: Any) -> bool:
        column = order.expression
        stored = isinstance(column, Col) and column.alias == self.collection_name
        return stored and not (order.nulls_first or order.nulls_last)


class SQLCompiler(Mended, compiler.SQLCompiler):  # type: ignore[misc]
    pass


class SQLInsertCompiler(Mended, compiler.SQLInsertCompiler):  # type: ignore[misc]
    pass


class SQLDeleteCompiler(Mended, compiler.SQLDeleteCompiler):  # type: ignore[misc]
    pass


class SQLUpdateCompiler(Mended, compiler.SQLUpdateCompiler):  # type: ignore[misc]
    def update(self, criteria: Stage, pipeline: list[Stage]) -> int:
        """How many documents matched.

        Upstream's `update_many` is not retried by the driver: when a primary steps down, nobody learns
        whether a compare-and-swap was won. `update_one` is, exactly once, and a key names one document.
        """
        if not names_one(criteria):
            return int(super().update(criteria, pipeline))
        session = self.connection.session
        return int(self.collection.update_one(criteria, pipeline, session=session).matched_count)


class SQLAggregateCompiler(Mended, compiler.SQLAggregateCompiler):  # type: ignore[misc]
    pass


def names_one(criteria: Stage) -> bool:
    """Whether no more than one document can match: its key is given, whatever else is asked of it."""
    if "_id" in criteria:
        return not isinstance(criteria["_id"], dict)
    return any(map(names_one, criteria.get("$and", ())))
