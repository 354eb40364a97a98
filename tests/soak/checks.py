"""What has to hold when a soak is over: of rows, of the workers' journal, and of the broker.

Each check yields what it found wrong. The journal is believed, and rows are held against it.
"""

from __future__ import annotations

import json
import traceback
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import redis
from django.conf import settings

from ingestion.models import IngestLog, IngestRun, Job, Slot
from tests.soak.journal import BEGIN, END, OVERLAP, Line
from tests.streaming.invariants import assert_consistent

Status = IngestRun.Status
CLOSING = " offered, "
LOST = "The run is lost: "


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Everything at the end: when each movie was last asked for, the journal, and what the broker holds."""

    asked: Mapping[int, int]
    journal: list[Line]
    queued: int
    unacknowledged: list[str]

    @cached_property
    def runs(self) -> dict[str, IngestRun]:
        return {str(run.pk): run for run in IngestRun.objects.order_by("pk")}

    @cached_property
    def begun(self) -> dict[str, list[Line]]:
        found = defaultdict(list)
        for line in self.journal:
            if line.what == BEGIN:
                found[line.run].append(line)
        return found

    @cached_property
    def ended(self) -> set[str]:
        return {line.run for line in self.journal if line.what == END}


def every_movie_was_matched_after_it_was_asked_for(seen: Seen) -> Iterator[str]:
    last = {
        run.movie_id: seen.begun[key][0].ns
        for key, run in seen.runs.items()
        if run.job == Job.MATCH and run.status == Status.SUCCEEDED and key in seen.begun
    }
    for movie_id, asked in seen.asked.items():
        if last.get(movie_id, 0) < asked:
            yield f"movie {movie_id}: {'not since' if movie_id in last else 'never'}"


def no_slot_was_worked_on_twice_at_the_same_time(seen: Seen) -> Iterator[str]:
    yield from (f"{line.slot}: {line.run}" for line in seen.journal if line.what == OVERLAP)


def each_run_was_worked_on_once(seen: Seen) -> Iterator[str]:
    yield from (f"run {key}: {len(lines)} times" for key, lines in seen.begun.items() if len(lines) > 1)
    for key, run in seen.runs.items():
        if run.status == Status.SUCCEEDED and key not in seen.ended:
            yield f"run {key} succeeded, and its work never ended"


def who_was_killed_at_work_was_found_lost(seen: Seen) -> Iterator[str]:
    for key in seen.begun.keys() - seen.ended:
        if (run := seen.runs.get(key)) is None or run.status != Status.LOST:
            yield f"run {key} broke off, and is {run.status if run else 'not on record'}"


def nothing_is_open(seen: Seen) -> Iterator[str]:
    for key, run in seen.runs.items():
        if run.status in (Status.QUEUED, Status.RUNNING) or run.finished_at is None:
            yield f"run {key} of {run} is {run.status}"
    taken = Slot.objects.exclude(run_id=None).order_by("pk")
    yield from (f"slot {slot.pk} is taken by {slot.run_id}" for slot in taken)


def logs_are_complete(seen: Seen) -> Iterator[str]:
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for run_id, message in IngestLog.objects.values_list("run_id", "message"):
        told[str(run_id)] += Counter(closing=CLOSING in message, lost=message.startswith(LOST))
    for key, run in seen.runs.items():
        wanted = {"closing": int(run.job == Job.MATCH and run.status == Status.SUCCEEDED)}
        if run.status == Status.LOST:
            wanted = {"lost": 1}
        for line, times in wanted.items():
            if told[key][line] != times:
                yield f"run {key} of {run} ({run.status}) has {told[key][line]} lines that say {line}"


def nothing_failed_but_by_being_killed(seen: Seen) -> Iterator[str]:
    for key, run in seen.runs.items():
        if run.status not in (Status.SUCCEEDED, Status.LOST):
            yield f"run {key} of {run} {run.status}: {run.error[-300:]}"


def the_log_of_switches_is_whole(seen: Seen) -> Iterator[str]:
    for movie_id in seen.asked:
        try:
            if len(assert_consistent(movie_id)) != 1:
                yield f"movie {movie_id} was switched more than once"
        except AssertionError as error:
            yield f"movie {movie_id}: {error or traceback.extract_tb(error.__traceback__)[-1].line}"


def the_broker_holds_nothing_to_do(seen: Seen) -> Iterator[str]:
    """What it still waits for are words of workers that were killed: they never came, and need not."""
    if seen.queued:
        yield f"{seen.queued} messages are queued"
    for key in seen.unacknowledged:
        if key not in seen.runs or seen.runs[key].status in (Status.QUEUED, Status.RUNNING):
            yield f"run {key} is with a worker"


ALL: dict[str, Callable[[Seen], Iterator[str]]] = {
    check.__name__.replace("_", " "): check
    for check in (
        every_movie_was_matched_after_it_was_asked_for,
        no_slot_was_worked_on_twice_at_the_same_time,
        each_run_was_worked_on_once,
        who_was_killed_at_work_was_found_lost,
        nothing_is_open,
        logs_are_complete,
        nothing_failed_but_by_being_killed,
        the_log_of_switches_is_whole,
        the_broker_holds_nothing_to_do,
    )
}


def held_by(broker: str) -> tuple[int, list[str]]:
    """Messages in the queues, and the runs of those that no worker has acknowledged."""
    with redis.Redis.from_url(broker, socket_timeout=5, decode_responses=True) as valkey:
        kept = [json.loads(message)[0] for message in valkey.hvals("marquee:unacked")]
        bodies = [json.loads(b64decode(message["body"])) for message in kept]
        queued = sum(valkey.llen(f"marquee:{queue.name}") for queue in settings.CELERY_TASK_QUEUES)
        return queued, [args[0] for args, *_ in bodies if args]
