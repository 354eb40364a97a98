"""How many queries something costs, and how a database means to answer one: on any layout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import connections
from django.test.utils import CaptureQueriesContext


@contextmanager
def costs(number: int) -> Iterator[None]:
    """Fail unless the block makes exactly so many queries, over all databases together."""
    with ExitStack() as stack:
        logs = [stack.enter_context(CaptureQueriesContext(database)) for database in connections.all()]
        yield
    made = [query["sql"] for log in logs for query in log.captured_queries]
    assert len(made) == number, f"{len(made)} queries instead of {number}:\n" + "\n".join(made)
