"""What it costs to be a run: `python -m benchmarks.queue_latency [times]`, on SQLite.

`python -m tests.databases postgres -- python -m benchmarks.queue_latency` has it on PostgreSQL. The worker of
`make run` and a real Valkey; in turns a bare Celery task is sent, and a run is queued, both of which do
nothing. The time is from handing the message to the broker to the first line of the work, and for a run also
from the call. What Marquee adds is rows: the run and its slot before the message, that it runs and holds its
slot after. The slot is there already, as it is of every movie that was searched for before.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import django

from config import env
from config.supervisor import processes
from config.supervisor.children import end, spawn
from tests import databases, folders, servers

if TYPE_CHECKING:
    from ingestion.models import IngestRun

BARE, JOB = "benchmark.bare", "benchmark.nothing"
BARE_TASK, RUN, WITH_ROWS = "a bare task", "a run, once it is queued", "the same with what queues it"
MOST_RATIO = 1.5
MOVIE = 961
WARM_UP = 30
WITHIN_S = 60.0


def settle(where: dict[str, str]) -> None:
    """This process becomes one of Marquee's own, with an empty database."""
    os.environ.update(dict.fromkeys((variable.name for variable in env.VARIABLES), ""))
    os.environ.update({"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(env.BASE_DIR), **where})
    django.setup()
    from django.db import connections

    from core import migrating

    for alias in connections:
        migrating.bring_up_to_date(alias)


def send_bare() -> None:
    from celery import current_app

    current_app.send_task(BARE)


def queued_run() -> IngestRun:
    from django.utils import timezone

    from ingestion import runs

    return runs.queue(JOB, at=timezone.now(), trigger="benchmark", movie_id=MOVIE, publish=False)[0]


def publish(run: IngestRun) -> None:
    from ingestion import ending

    ending.publish(run, at=run.queued_at)


def until_closed() -> None:
    from ingestion.models import Slot

    give_up = time.monotonic() + WITHIN_S
    while Slot.objects.filter(key=f"{JOB}:{MOVIE}", run_id__isnull=False).exists():
        assert time.monotonic() < give_up, "a run was not closed"
        time.sleep(0.002)


def all_succeeded(runs: int) -> None:
    from ingestion.models import IngestRun

    done = IngestRun.objects.filter(job=JOB, status=IngestRun.Status.SUCCEEDED).count()
    assert done == runs, f"{done} of {runs} runs succeeded"


def latency_ms(ask: Callable[[], None], line: socket.socket) -> float:
    asked = time.monotonic_ns()
    ask()
    return (int(line.recv(32)) - asked) / 1e6


def measured(times: int, line: socket.socket) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {BARE_TASK: [], RUN: [], WITH_ROWS: []}
    for _ in range(times + WARM_UP):
        found[BARE_TASK].append(latency_ms(send_bare, line))
        asked = time.monotonic_ns()
        run = queued_run()
        written_ms = (time.monotonic_ns() - asked) / 1e6
        found[RUN].append(latency_ms(partial(publish, run), line))
        found[WITH_ROWS].append(written_ms + found[RUN][-1])
        until_closed()
    all_succeeded(times + WARM_UP)
    return {what: sorted(each[WARM_UP:]) for what, each in found.items()}


def report(found: dict[str, list[float]]) -> None:
    from django.db import connection

    medians = {what: statistics.median(each) for what, each in found.items()}
    print(f"{connection.vendor}, {len(found[RUN])} of each, in turns")  # noqa: T201
    for what, each in found.items():
        p95, ratio = each[int(len(each) * 0.95)], medians[what] / medians[BARE_TASK]
        print(f"{what:<30} {medians[what]:6.2f} ms at the median, {p95:6.2f} at p95, ratio {ratio:.2f}")  # noqa: T201
    ratio = medians[RUN] / medians[BARE_TASK]
    print(f"queued, a run waits {ratio:.2f} times as long as a bare task (at most {MOST_RATIO})")  # noqa: T201


def main(times: int = 500) -> None:
    with ExitStack() as ends:
        folder = ends.enter_context(folders.temporary())
        (folder / "valkey").mkdir()
        valkey = ends.enter_context(servers.valkey(folder / "valkey"))
        line = ends.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        line.bind(str(folder / "line"))
        line.settimeout(WITHIN_S)
        ours = {"DATA_DIR": str(folder), "REDIS_URL": valkey, "LATENCY_SOCKET": str(folder / "line")}
        ours |= {"JOB_MODULES": "benchmarks.nothing", **ends.enter_context(databases.fresh())}
        settle(ours)
        log = ends.enter_context(Path(folder / "worker.log").open("wb"))
        child = spawn(processes.worker(), env=os.environ, cwd=env.BASE_DIR, output=log)
        ends.callback(end, child, (signal.SIGTERM, 10.0))
        report(measured(times, line))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
