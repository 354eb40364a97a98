"""The world of a simulated day: what TMDB lists, what each house offers of each film, and what becomes of it.

Everything follows from the seed and the minute. Nothing here knows HTTP or Marquee's rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random

from providers.types import Delivery

HOUR = 60
DAY = 24 * HOUR
NEVER = 10**6
RUNGS = ("CAM", "SD", "720p", "1080p", "2160p")


@dataclass(frozen=True, kw_only=True)
class House:
    """A provider: how much it has and how well, its `adapter`, and how long an answer of its stays fresh.

    `boasts` is the share of its claims that are a rung too high, `weights` how often it has each of RUNGS.
    """

    slug: str
    priority: int
    coverage: float
    weights: tuple[int, int, int, int, int]
    boasts: float = 0.05
    adapter: str = "library"
    trust_claims: bool = False
    max_age_s: int | None = None

    @property
    def base_url(self) -> str:
        return f"http://api.{self.slug}.example/catalogue"


HOUSES = (
    House(slug="harbour", priority=10, coverage=0.85, weights=(0, 1, 2, 9, 2), max_age_s=8 * 3600),
    House(slug="lantern", priority=20, coverage=0.5, weights=(1, 2, 3, 9, 4), boasts=0.2),
    House(slug="meridian", priority=20, coverage=0.35, weights=(0, 0, 3, 6, 8), max_age_s=12 * 3600),
    House(slug="fairground", priority=40, coverage=0.2, weights=(6, 3, 3, 2, 0), boasts=0.5),
    House(slug="frames", priority=50, coverage=0.2, weights=(1, 2, 4, 5, 2), adapter="frames"),
    House(
        slug="ledger",
        priority=60,
        coverage=0.15,
        weights=(0, 1, 3, 5, 2),
        adapter="frames",
        trust_claims=True,
    ),
)
BY_SLUG = {house.slug: house for house in HOUSES}


@dataclass(frozen=True, kw_only=True)
class Outage:
    """Minutes of the day in which a house fails all calls in one way."""

    begins: int
    ends: int
    kind: str


@dataclass(frozen=True, kw_only=True)
class Rendition:
    """One stream of one film at one house, over the day. All times are minutes of the day.

    `pictures` are what it really shows from when on; `gone` is when it answers with a status instead;
    `moves` are when it gets a new address; `token_h` is how long an address lasts, 0 for ever.
    """

    name: str
    delivery: Delivery
    claim: str
    pictures: tuple[tuple[int, str], ...]
    listed: tuple[int, int]
    gone: tuple[tuple[int, int, int], ...] = ()
    moves: tuple[int, ...] = ()
    rights: tuple[int, int] = (-NEVER, NEVER)
    territories: tuple[str, ...] = ()
    token_h: int = 0
    has_ref: bool = True

    def picture(self, minute: int) -> str:
        return [picture for since, picture in self.pictures if since <= minute][-1]

    def generation(self, minute: int) -> int:
        return sum(move <= minute for move in self.moves)

    def status(self, minute: int) -> int:
        """What its address answers with: 200, or why it is gone."""
        return next((status for since, until, status in self.gone if since <= minute < until), 200)


@dataclass(frozen=True, kw_only=True)
class Film:
    """A movie as TMDB has it: on its lists since a minute of the day."""

    id: int
    listed_at: int
    popularity: float
    known: bool = True
    adult: bool = False


class World:
    """What there is, for one seed."""

    def __init__(self, seed: int, *, movies: int, minutes: int) -> None:
        self.seed, self.minutes = seed, minutes
        self.films = {film.id: film for film in self._films(movies)}
        self.outages = {house.slug: tuple(self._outages(house.slug)) for house in HOUSES}
        self.renditions = cache(self._renditions)

    def _random(self, *about: object) -> Random:
        return Random("/".join(map(str, (self.seed, *about))))

    def _films(self, movies: int) -> Iterator[Film]:
        spare = movies // 25  # some are for adults, without details, or listed too late to be taken in
        for number in range(movies + spare):
            r = self._random("film", number)
            yield Film(
                id=1000 + number,
                listed_at=0 if number < 0.9 * movies else r.randrange(self.minutes),
                popularity=round(r.expovariate(0.05), 1),
                known=r.random() > 0.005,
                adult=r.random() < 0.005,
            )

    def _outages(self, slug: str) -> Iterator[Outage]:
        r = self._random("outages", slug)
        kinds = ["refused", "dns", "timeout", "500", "429", "503"]
        for _ in range(max(1, self.minutes // DAY)):
            begins = r.randrange(10, self.minutes)
            yield Outage(begins=begins, ends=begins + r.randrange(10, 60), kind=r.choice(kinds))

    def outage(self, slug: str, minute: int) -> str:
        """How a house fails now, or ""."""
        now = (o.kind for o in self.outages.get(slug, ()) if o.begins <= minute < o.ends)
        return next(now, "")

    def listed(self, slug: str, movie_id: int, minute: int) -> list[Rendition]:
        """What a house offers of a film now."""
        mine = self.renditions(slug, movie_id)
        return [one for one in mine if one.listed[0] <= minute < one.listed[1]]

    def rendition(self, slug: str, movie_id: int, name: str) -> Rendition | None:
        return next((one for one in self.renditions(slug, movie_id) if one.name == name), None)

    def _renditions(self, slug: str, movie_id: int) -> tuple[Rendition, ...]:
        house, r = BY_SLUG[slug], self._random("renditions", slug, movie_id)
        if movie_id not in self.films or r.random() > house.coverage:
            return ()
        count = r.choices((1, 2, 3), (6, 3, 1))[0]
        return tuple(self._rendition(house, f"r{number}", r) for number in range(count))

    def _rendition(self, house: House, name: str, r: Random) -> Rendition:
        rung = r.choices(RUNGS, house.weights)[0]
        boast = rung not in ("CAM", "2160p") and r.random() < house.boasts
        claim = RUNGS[RUNGS.index(rung) + boast]
        picture = r.choice(("720p", "1080p")) if rung == "CAM" else rung
        deliveries = [Delivery.HLS, Delivery.DASH, Delivery.PROGRESSIVE]
        has_ref = r.random() < 0.8
        return Rendition(
            name=name,
            delivery=Delivery.EMBED if house.adapter == "frames" else r.choice(deliveries),
            claim=claim if r.random() > 0.03 else "",
            pictures=((-NEVER, picture), *self._remastered(picture, r)),
            listed=self._listed(r),
            gone=tuple(self._gone(r)),
            moves=tuple(r.randrange(self.minutes) for _ in range(r.random() < 0.05)),
            rights=self._rights(r),
            territories=r.choice((("DE", "FR"), ("US",))) if r.random() < 0.1 else (),
            token_h=r.choice((60, 60, 20)) if has_ref and r.random() < 0.1 else 0,
            has_ref=has_ref,
        )

    def _remastered(self, picture: str, r: Random) -> Iterator[tuple[int, str]]:
        if r.random() < 0.06:
            at, step = r.randrange(self.minutes), r.choice((-1, 1))
            yield at, RUNGS[min(max(RUNGS.index(picture) + step, 1), len(RUNGS) - 1)]

    def _listed(self, r: Random) -> tuple[int, int]:
        since = r.randrange(self.minutes) if r.random() < 0.2 else -NEVER
        until = r.randrange(self.minutes) if r.random() < 0.1 else NEVER
        return since, until

    def _gone(self, r: Random) -> Iterator[tuple[int, int, int]]:
        if r.random() < 0.15:
            since = r.randrange(self.minutes)
            until = since + r.randrange(20, 6 * HOUR) if r.random() < 0.5 else NEVER
            yield since, until, r.choice((404, 404, 403, 410))

    def _rights(self, r: Random) -> tuple[int, int]:
        kind = r.random()
        if kind < 0.06:
            return -NEVER, r.randrange(self.minutes)
        if kind < 0.10:
            return r.randrange(self.minutes), NEVER
        return -NEVER, NEVER
