"""How many queries something costs, and how the database answers each of them: on any layout.

What is explained is what was really asked, taken from the driver; a query that a test made up could differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple
from unittest import mock

from django.db import connections
from django.test.utils import CaptureQueriesContext
from pymongo.collection import Collection

FEW = 100
"""So many rows, once an index has found them, PostgreSQL may well sort by hand: it knows what is cheaper."""


@contextmanager
def costs(number: int) -> Iterator[None]:
    """Fail unless the block makes exactly so many queries, over all databases together."""
    with ExitStack() as stack:
        logs = [stack.enter_context(CaptureQueriesContext(database)) for database in connections.all()]
        yield
    made = [query["sql"] for log in logs for query in log.captured_queries]
    assert len(made) == number, f"{len(made)} queries instead of {number}:\n" + "\n".join(made)


class Plan(NamedTuple):
    """How a database answers one query: the tables it reads whole, and whether it sorts rows by itself.

    `page` is whether some first rows of an order were asked for.
    """

    scanned: frozenset[str]
    sorts: bool
    page: bool
    text: str


@contextmanager
def explained() -> Iterator[list[Plan]]:
    """The plans of all that the block reads, changes and deletes, once it is over. Inserts have none."""
    asked: list[Callable[[], Plan]] = []
    plans: list[Plan] = []
    with ExitStack() as stack:
        for database in connections.all():
            if database.vendor == "mongodb":
                _listen_to_pipelines(stack, database, asked)
            else:
                stack.enter_context(database.execute_wrapper(_listener_to_sql(database, asked)))
        yield plans
    plans += [explain() for explain in asked]


def _listener_to_sql(database: Any, asked: list[Callable[[], Plan]]) -> Callable[..., Any]:
    explain = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}[database.vendor]

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("SELECT", "UPDATE", "DELETE")):
            asked.append(lambda: explain(database, sql, params))
        return execute(sql, params, many, context)

    return listen


def _is_page(sql: str) -> bool:
    return "ORDER BY" in sql and "LIMIT" in sql


def _on_sqlite(database: Any, sql: str, params: Any) -> Plan:
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        lines = [row[3] for row in cursor.fetchall()]
    text = "\n".join([sql, *lines])
    scanned = frozenset(re.findall(r"^SCAN (\w+)$", "\n".join(lines), re.MULTILINE))
    return Plan(scanned, any("B-TREE FOR ORDER BY" in line for line in lines), _is_page(sql), text)


def _on_postgresql(database: Any, sql: str, params: Any) -> Plan:
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        found = cursor.fetchone()[0]
    plan = json.loads(found) if isinstance(found, str) else found
    nodes = list(_dicts(plan))
    scanned = frozenset(node["Relation Name"] for node in nodes if node.get("Node Type") == "Seq Scan")
    inputs = [node["Plans"][0]["Plan Rows"] for node in nodes if node.get("Node Type") == "Sort"]
    sorts = any(rows > FEW for rows in inputs)
    return Plan(scanned, sorts, _is_page(sql), f"{sql}\n{json.dumps(plan, indent=1)}")


def _listen_to_pipelines(stack: ExitStack, database: Any, asked: list[Callable[[], Plan]]) -> None:
    commands: dict[str, Callable[..., dict[str, Any]]] = {
        "aggregate": lambda name, stages: {"aggregate": name, "pipeline": stages, "cursor": {}},
        "update_one": lambda name, q, u: {"update": name, "updates": [{"q": q, "u": u}]},
        "update_many": lambda name, q, u: {"update": name, "updates": [{"q": q, "u": u, "multi": True}]},
        "delete_one": lambda name, q: {"delete": name, "deletes": [{"q": q, "limit": 1}]},
        "delete_many": lambda name, q: {"delete": name, "deletes": [{"q": q, "limit": 0}]},
    }
    for method, command in commands.items():
        stack.enter_context(
            mock.patch.object(Collection, method, _listening(method, command, database, asked))
        )


def _listening(
    method: str, command: Callable[..., dict[str, Any]], database: Any, asked: list[Callable[[], Plan]]
) -> Callable[..., Any]:
    real = getattr(Collection, method)

    def listen(collection: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(lambda: _on_mongodb(database, collection.name, command(collection.name, *args)))
        return real(collection, *args, **kwargs)

    return listen


def _on_mongodb(database: Any, name: str, command: dict[str, Any]) -> Plan:
    found = database.database.command("explain", command, verbosity="queryPlanner")
    chosen = list(_dicts(found, but={"rejectedPlans", "command", "parsedQuery"}))
    stages = {part["stage"] for part in chosen if "stage" in part} | {key for part in chosen for key in part}
    asked = {key for stage in command.get("pipeline", ()) for key in stage}
    return Plan(
        scanned=frozenset({name} if stages & {"COLLSCAN", "$lookup"} else ()),
        sorts=bool(stages & {"SORT", "$sort"}),
        page={"$sort", "$limit"} <= asked,
        text=json.dumps({"asked": command, "chosen": found}, indent=1, default=str),
    )


def _dicts(value: Any, but: frozenset[str] | set[str] = frozenset()) -> Iterator[dict[str, Any]]:
    """Every dictionary inside, at any depth, but those under certain keys."""
    if isinstance(value, dict):
        yield value
    inside = [v for k, v in value.items() if k not in but] if isinstance(value, dict) else value
    if isinstance(inside, list):
        for item in inside:
            yield from _dicts(item, but)
