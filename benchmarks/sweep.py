"""What a refresh costs, by what is due and by what is not: `python -m benchmarks.sweep [small] [large]`.

Catalogues of two sizes, one in a hundred movies due in each: a sweep of the larger one costs more by as much
as more is due, and a sweep with nothing due costs the same. SQLite in a file, or another layout by
`python -m tests.databases postgres -- python -m benchmarks.sweep`; a real Valkey, no worker, room for all.
The best of three sweeps counts: what else the machine does only ever adds.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import django

from tests import databases, folders, servers

SIZES = (10_000, 200_000)
ONE_IN = 100
SWEEPS = 3
BATCH = 2_000
MOST_RATIO = 1.5
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


class Cost(NamedTuple):
    """Of one sweep: how many movies it queued, in how many seconds (our processor's, all), and queries."""

    due: int
    cpu_s: float
    took_s: float
    queries: int

    def __str__(self) -> str:
        whole = f"{self.due:>5} due: {self.took_s:6.2f} s, CPU {self.cpu_s:6.3f} s, {self.queries:>5} queries"
        if not self.due:
            return whole
        return (
            f"{whole}; each {1000 * self.cpu_s / self.due:.2f} ms CPU, {self.queries / self.due:.1f} queries"
        )


def main(*sizes: int) -> int:
    with ExitStack() as ends:
        folder = ends.enter_context(folders.temporary())
        (folder / "valkey").mkdir()
        valkey = ends.enter_context(servers.valkey(folder / "valkey"))
        where = ends.enter_context(databases.fresh())
        ours = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(folder), "REDIS_URL": valkey}
        os.environ |= {"DATABASE_URL": "", "MONGODB_URI": "", "LOG_LEVEL": "WARNING"} | ours | where
        django.setup()
        settle()
        costs = [measured(size, since) for since, size in zip((0, *sizes), sizes, strict=False)]
    return compared(*costs)


def settle() -> None:
    from django.core.management import call_command
    from django.db import connections

    from core import conf

    for alias in connections:
        call_command("migrate", database=alias, verbosity=0)
    conf.change("QUEUE_DEPTH", 100_000, by="benchmark", at=AT)


def measured(size: int, since: int) -> tuple[Cost, Cost]:
    """The best sweep of a catalogue with one in a hundred due, and the best one with nothing due."""
    for first in range(since + 1, size + 1, BATCH):
        add(range(first, min(first + BATCH, size + 1)))
    sweeps, idle = [], []
    for number in range(SWEEPS):
        make_due(size, number)
        sweeps.append(sweep())
        idle.append(sweep())
        work_off()
    best, nothing = min(sweeps, key=spent), min(idle, key=spent)
    assert (best.due, nothing.due) == (size // ONE_IN, 0)
    print(f"{size:>7} movies, {best}\n{'':>14}, {nothing}", flush=True)  # noqa: T201
    return best, nothing


def add(numbers: range) -> None:
    """Movies whose ladder lets them be searched for tomorrow."""
    from streaming.models import Movie

    about = {"discovered_at": AT, "refresh_at": AT + DAY, "matched_at": AT}
    Movie.objects.bulk_create(Movie(id=n, title=f"Movie {n}", overview="x" * 300, **about) for n in numbers)


def make_due(size: int, number: int) -> None:
    """One in a hundred, scattered; others for each sweep, as a movie's slot is made when it comes first."""
    from streaming.models import Movie

    due = list(range(number + 1, size + 1, ONE_IN))
    for first in range(0, len(due), BATCH):
        Movie.objects.filter(pk__in=due[first : first + BATCH]).update(refresh_at=AT)


def sweep() -> Cost:
    from ingestion import refresh, runs
    from ingestion.models import Job

    row, _ = runs.queue(Job.REFRESH, at=AT, trigger="benchmark", publish=False)
    with counted() as queries:
        cpu, began = time.process_time(), time.perf_counter()
        run = runs.execute(row.pk, refresh.refresh, clock=lambda: AT)
        cpu_s, took_s = time.process_time() - cpu, time.perf_counter() - began
    assert run is not None
    assert run.status == run.Status.SUCCEEDED, run.error
    return Cost(run.summary["queued"], cpu_s, took_s, len(queries))


def work_off() -> None:
    """Workers have done all that waited, and found nothing."""
    from ingestion.models import IngestRun, Slot
    from streaming.models import Movie

    IngestRun.objects.filter(status=IngestRun.Status.QUEUED).update(
        status=IngestRun.Status.SUCCEEDED, finished_at=AT
    )
    Slot.objects.update(run_id=None, lease_until=None)
    Movie.objects.filter(refresh_at__lt=AT + DAY).update(refresh_at=AT + DAY)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Every query of SQL that is made meanwhile, in this thread. Those of MongoDB are not counted."""
    from django.db import connections

    made: list[str] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        made.append(sql)
        return execute(sql, params, many, context)

    with ExitStack() as ends:
        for database in connections.all():
            if database.vendor != "mongodb":
                ends.enter_context(database.execute_wrapper(count))
        yield made


def spent(cost: Cost) -> float:
    """What a sweep is judged by: on SQLite our processor does it all, elsewhere a server does its part."""
    elsewhere = os.environ["DATABASE_URL"] or os.environ["MONGODB_URI"]
    return cost.took_s if elsewhere else cost.cpu_s


def compared(small: tuple[Cost, Cost], large: tuple[Cost, Cost]) -> int:
    """Say what the larger catalogue costs for each movie that is due in it; the exit code."""
    each = [spent(cost) / cost.due for cost, _ in (small, large)]
    ratio, idle = each[1] / each[0], [1000 * spent(cost) for _, cost in (small, large)]
    print(  # noqa: T201
        f"a due movie of the large catalogue costs {ratio:.2f} times one of the small, {MOST_RATIO} at most\n"
        f"a sweep with nothing due costs {idle[0]:.1f} ms in the small one, {idle[1]:.1f} ms in the large one"
    )
    return int(ratio > MOST_RATIO)


if __name__ == "__main__":
    sys.exit(main(*(map(int, sys.argv[1:3]) if len(sys.argv) > 2 else SIZES)))
