"""What the demo's library offers at a given second: pure functions of a film and the seconds since the start.

No clock, no file, no network in here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from demo.catalogue import Film, Rendition


class Serving(StrEnum):
    """How a rendition's files are answered."""

    MEDIA = "media"
    MISSING = "missing"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Offer:
    """A rendition that the library lists, and the quality it claims. `take`: how often it came back."""

    rendition: Rendition
    quality: str
    take: int


def offers(film: Film, seconds: float) -> tuple[Offer, ...]:
    """What the library lists for `film`, in the order of `films.json`."""
    return tuple(
        Offer(each, claim(each), take(each, seconds)) for each in film.renditions if is_listed(each, seconds)
    )


def is_listed(rendition: Rendition, seconds: float) -> bool:
    """Whether the library lists it at that second."""
    phase = _phase(rendition, seconds)
    listed = rendition.starts <= phase < _or_never(rendition.ends)
    return listed and not (rendition.breaks_as == "withdrawn" and _is_broken(rendition, phase))


def serving(rendition: Rendition, seconds: float) -> Serving:
    """How its files are answered. A listed one that isn't broken plays; one past its end still does."""
    phase = _phase(rendition, seconds)
    if phase < rendition.starts:
        return Serving.MISSING
    if not _is_broken(rendition, phase):
        return Serving.MEDIA
    return Serving.PAGE if rendition.breaks_as == "page" else Serving.MISSING


def claim(rendition: Rendition) -> str:
    """The library's word on the quality: its claim, if it makes one, else the truth."""
    return rendition.claims or f"{rendition.height}p"


def take(rendition: Rendition, seconds: float) -> int:
    """How many times its life has started over."""
    return int(seconds // rendition.every) if rendition.every else 0


def seconds_to_change(film: Film, seconds: float) -> float | None:
    """Seconds until anything of `film` changes, above 0. None when nothing ever will."""
    waits = [wait for each in film.renditions for wait in _waits(each, seconds)]
    return min(waits, default=None)


def _waits(rendition: Rendition, seconds: float) -> list[float]:
    phase = _phase(rendition, seconds)
    times = (rendition.starts, rendition.ends, rendition.breaks_at, rendition.mends_at)
    ahead = [time - phase for time in times if time is not None and time > phase]
    return [*ahead, rendition.every - phase] if rendition.every else ahead


def _phase(rendition: Rendition, seconds: float) -> float:
    return seconds % rendition.every if rendition.every else seconds


def _is_broken(rendition: Rendition, phase: float) -> bool:
    return rendition.breaks_at is not None and rendition.breaks_at <= phase < _or_never(rendition.mends_at)


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds
