"""What happens in a soak: movies are queued, asked for again, and workers and the broker die meanwhile.

Faults are due by how much has been done, so that a slow machine has them at the same points as a fast one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

from django.utils import timezone

from ingestion import runs
from ingestion.models import IngestRun, Job
from streaming.models import Movie
from tests.soak.stage import Stage

BATCH = 25
LOOK_EVERY_S = 0.2
BROKER_AWAY_S = 3.0
HURRIED_TICK_S = 4.0
OPEN = (IngestRun.Status.QUEUED, IngestRun.Status.RUNNING)


class Stuck(Exception):
    """Nothing has come to an end for far too long."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How large a soak is, and what is to happen in it."""

    movies: int
    workers: int
    kills: int
    restarts: int
    seed: int
    hurry: bool

    @property
    def patience_s(self) -> float:
        """Longer than it takes to miss a message, send it again, and lose its worker some times."""
        return 90.0 if self.hurry else 1500.0


class Story:
    """One soak. `asked` says when each movie was last asked for (ns, as in the journal)."""

    def __init__(self, plan: Plan, stage: Stage, say: Callable[[str], None]) -> None:
        self.plan, self.stage, self.say = plan, stage, say
        self.chance = Random(plan.seed)
        self.asked: dict[int, int] = {}
        self.ended_by_itself: list[str] = []
        self._two = ThreadPoolExecutor(2)
        faults = [*[self._kill] * plan.kills, *[self._stop_broker] * plan.restarts]
        points = (self.chance.uniform(0.02, 0.9) * plan.movies for _ in faults)
        self._faults = sorted(zip(points, faults, strict=True), key=lambda fault: fault[0])
        self._broker_back_at: float | None = None
        self._done, self._news_at = -1, time.monotonic()
        self._tick_at = self._news_at if plan.hurry else math.inf

    def play(self) -> None:
        """From the first movie to the last run's end. Raises Stuck."""
        for _ in range(self.plan.workers):
            self.stage.start_worker()
        with self.stage.beat():
            while self._goes_on():
                self._queue_some()
                self._tick_sooner_than_beat()
                self._let_happen()
                time.sleep(LOOK_EVERY_S)
            self.say("all is done; beat stops")
        self._until_nothing_is_open()
        self.stage.stop_workers()

    def _goes_on(self) -> bool:
        matches = IngestRun.objects.filter(job=Job.MATCH)
        done = matches.filter(status=IngestRun.Status.SUCCEEDED).count()
        if done != self._done:
            self._done, self._news_at = done, time.monotonic()
        elif time.monotonic() - self._news_at > self.plan.patience_s:
            raise Stuck(f"no match has succeeded for {self.plan.patience_s:.0f} s; {done} have")
        to_come = len(self.asked) < self.plan.movies or self._faults or self._broker_back_at
        return bool(to_come) or matches.filter(status__in=OPEN).exists()

    def _queue_some(self) -> None:
        """The next movies; and, by two at once, one of those that were asked for already, whatever has become
        of it."""
        first = len(self.asked) + 1
        for movie_id in range(first, min(first + BATCH, self.plan.movies + 1)):
            Movie.objects.create(id=movie_id, title=f"Film {movie_id}", discovered_at=timezone.now())
            self._ask(movie_id)
        if self._done < self.plan.movies:
            list(self._two.map(self._ask, [self.chance.randint(1, len(self.asked))] * 2))

    def _tick_sooner_than_beat(self) -> None:
        if time.monotonic() > self._tick_at:
            runs.queue(Job.TICK, at=timezone.now(), trigger="soak", again=False)
            self._tick_at = time.monotonic() + HURRIED_TICK_S

    def _ask(self, movie_id: int) -> None:
        self.asked[movie_id] = time.monotonic_ns()
        runs.queue(Job.MATCH, at=timezone.now(), trigger="soak", movie_id=movie_id)

    def _let_happen(self) -> None:
        for what in self.stage.bury_dead():  # as the supervisor does
            self.stage.start_worker()
            self.ended_by_itself.append(what)
            self._tell(what)
        if self._broker_back_at and time.monotonic() > self._broker_back_at:
            self.stage.valkey.start()
            self._broker_back_at = None
            self._tell("the broker is back")
        while self._faults and self._faults[0][0] <= self._done:
            self._faults.pop(0)[1]()

    def _kill(self) -> None:
        time.sleep(self.chance.uniform(0, LOOK_EVERY_S))  # else always right after a look
        name = self.chance.choice(sorted(self.stage.workers))
        self.stage.kill_worker(name)
        self.stage.start_worker()
        self._tell(f"{name} is killed")

    def _stop_broker(self) -> None:
        """By SIGKILL or by SIGTERM, for some seconds."""
        if self._broker_back_at is not None:
            return  # it is away already
        stop = self.chance.choice((self.stage.valkey.kill, self.stage.valkey.end))
        stop()
        self._broker_back_at = time.monotonic() + self.chance.uniform(0.2, BROKER_AWAY_S)
        self._tell(f"the broker is {'killed' if stop == self.stage.valkey.kill else 'stopped'}")

    def _until_nothing_is_open(self) -> None:
        """Ticks that were on their way when beat ended. One of a worker that was killed stays open: a tick
        finds it, so here is one more."""
        give_up = time.monotonic() + self.plan.patience_s
        while IngestRun.objects.filter(status__in=OPEN).exists():
            if time.monotonic() > give_up:
                raise Stuck("runs are open, and nobody works on them")
            runs.find_lost(at=timezone.now())
            time.sleep(LOOK_EVERY_S)

    def _tell(self, what: str) -> None:
        self.say(f"{self._done:>6} done: {what}")
