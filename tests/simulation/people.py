"""Editors, viewers and operators of a simulated day, who act as the admin and the API let them.

What is refused is counted and borne: a refusal is an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from core import conf
from ingestion import editors, runs
from ingestion.models import Job
from providers.models import Provider
from streaming import switching, verification
from streaming.errors import SwitchError
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.plans import Actor
from streaming.quality import Quality
from tests.simulation.clock import Clock, chance
from tests.simulation.journal import Journal
from tests.simulation.world import HOUSES, World

T = TypeVar("T")

ADA = Actor("7", "ada")
ACTS_PER_MINUTE = 0.35
OPENING = {
    "RATE_LIMIT_RPS": 1000,
    "TMDB_RATE_LIMIT_RPS": 1000,
    "DISCOVER_PAGES": 14,
    "TARGET_QUALITY": "1080p",
    "GRACE_PERIOD_HOURS": 3,
}
COURSE: tuple[tuple[float, str, object], ...] = (
    (0.20, "TERRITORY", "DE"),
    (0.28, "MIN_QUALITY_TO_PUBLISH", "1080p"),
    (0.33, "MIN_QUALITY_TO_PUBLISH", "SD"),
    (0.36, "lantern", False),
    (0.44, "lantern", True),
    (0.45, "MIN_QUALITY_TO_PUBLISH", "720p"),
    (0.50, "ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", False),
    (0.55, "INGEST_DISCOVER_CRON", "*/20 * * * *"),
    (0.60, "ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", True),
    (0.62, "TARGET_QUALITY", "2160p"),
    (0.64, "TARGET_QUALITY", "1080p"),
    (0.66, "meridian", False),
    (0.70, "meridian", True),
    (0.75, "TERRITORY", ""),
    (0.80, "MAX_RETRY_ATTEMPTS", 2),
)
"""At which part of the day an operator changes what: a setting, or whether a house is enabled."""


@dataclass
class People:
    """Acts by `chance` alone, minute by minute."""

    world: World
    clock: Clock
    journal: Journal

    def open(self) -> None:
        """Set up the installation: houses and settings."""
        for house in HOUSES:
            Provider.objects.create(
                slug=house.slug,
                label=house.slug.title(),
                adapter=house.adapter,
                enabled=True,
                priority=house.priority,
                trust_claims=house.trust_claims,
                config={"base_url": house.base_url},
            )
        for name, value in OPENING.items():
            conf.change(name, value, by="ops", at=self.clock.now())

    def act(self) -> None:
        """What everybody does in this minute."""
        minute = self.clock.minute
        for part, name, value in COURSE:
            if round(part * self.world.minutes) == minute:
                self._operate(name, value)
        if self._chance("acts") < ACTS_PER_MINUTE:
            self._edit()

    def _operate(self, name: str, value: object) -> None:
        at = self.clock.now()
        if name.isupper():
            conf.change(name, value, by="ops", at=at)
        else:
            Provider.objects.filter(pk=name).update(enabled=value)
            self.journal.disabled = {**self.journal.disabled, name: at}
            if value:
                del self.journal.disabled[name]
        self.journal.rules_changed.append(at)
        self.journal.counts["operators' acts"] += 1

    def _edit(self) -> None:
        acts: tuple[Callable[[datetime], object], ...] = (
            *[self._rollback] * 6,
            *[self._activate] * 4,
            *[self._suppress] * 4,
            *[self._release] * 2,
            *[self._word] * 5,
            self._withdraw,
            self._restore,
            *[self._complain] * 2,
            self._recheck,
        )
        act = self._pick("which act", acts)
        name = act.__name__.strip("_")
        try:
            act(self.clock.now())
            self.journal.counts[f"editors: {name}"] += 1
        except (SwitchError, _NothingThere) as error:
            self.journal.counts[f"refused: {name} ({type(error).__name__.strip('_')})"] += 1

    def _rollback(self, at: datetime) -> None:
        since = StreamSwitch.objects.filter(
            at__gte=at - timedelta(hours=2), reason__in=["upgrade", "failover"]
        )
        row = self._pick(
            "rollback", list(since.order_by("at", "movie_id").values_list("movie_id", flat=True))
        )
        how = self._pick("how long", ("forever", "until", "none"))
        until = at + timedelta(minutes=90) if how == "until" else None
        editors.rollback(row, actor=ADA, comment="Worse.", at=at, suppress=how, until=until)

    def _activate(self, at: datetime) -> None:
        version = self._version("activate", StreamVersion.objects.filter(state="healthy"))
        pin = self._chance("pin") < 0.4
        editors.activate(version.movie_id, version.pk, actor=ADA, comment="Better.", at=at, pin=pin)

    def _suppress(self, at: datetime) -> None:
        active = Movie.objects.published().order_by("pk").values_list("active_stream_id", flat=True)
        key = self._pick("suppress", list(active))
        until = at + timedelta(minutes=45) if self._chance("until") < 0.5 else None
        switching.suppress(key, actor=ADA, comment="Out of sync.", at=at, until=until)

    def _release(self, at: datetime) -> None:
        version = self._version("release", StreamVersion.objects.filter(suppressed_at__isnull=False))
        switching.unsuppress(version.pk, actor=ADA, comment="Mended.", at=at)

    def _word(self, at: datetime) -> None:
        """Hide, show, pin, unpin, or another target."""
        movie = self._pick("edit", list(Movie.objects.present().order_by("pk")))
        words: tuple[dict[str, Any], ...] = (
            {"hidden": not movie.hidden},
            {"pinned": not movie.pinned},
            {"target_quality": Quality.P2160},
            {"target_quality": None},
        )
        word = self._pick("word", words)
        switching.edit(movie.pk, actor=ADA, comment="So be it.", at=at, **word)

    def _withdraw(self, at: datetime) -> None:
        movie_id = self._pick(
            "withdraw", list(Movie.objects.present().order_by("pk").values_list("pk", flat=True))
        )
        switching.withdraw(movie_id, actor=ADA, comment="A claim.", at=at)

    def _restore(self, at: datetime) -> None:
        """As POST does: back, and searched for."""
        gone = Movie.objects.filter(removed_at__isnull=False).order_by("pk").values_list("pk", flat=True)
        movie_id = self._pick("restore", list(gone))
        switching.restore(movie_id, actor=ADA, comment="Settled.", at=at)
        runs.queue(Job.MATCH, movie_id=movie_id, at=at, trigger="api", requested_by=ADA.name)

    def _complain(self, at: datetime) -> None:
        active = Movie.objects.published().order_by("pk").values_list("active_stream_id", flat=True)
        verification.look_soon(self._pick("complain", list(active)), at=at)

    def _recheck(self, at: datetime) -> None:
        movie_id = self._pick(
            "recheck", list(Movie.objects.present().order_by("pk").values_list("pk", flat=True))
        )
        runs.queue(Job.MATCH, movie_id=movie_id, at=at, trigger="api", requested_by=ADA.name)

    def _version(self, what: str, among: Any) -> StreamVersion:
        keys = list(among.order_by("pk").values_list("pk", flat=True))
        return StreamVersion.objects.get(pk=self._pick(what, keys))

    def _pick(self, what: str, among: list[T] | tuple[T, ...]) -> T:
        if not among:
            raise _NothingThere
        return among[int(self._chance(what) * len(among))]

    def _chance(self, what: str) -> float:
        return chance(self.world.seed, "people", what, self.clock.minute)


class _NothingThere(Exception):
    """There is nothing yet to act on."""
