"""The values that cross the boundary between a provider and the rest of Marquee.

Frozen, free of Django, and dumb: an adapter or a probe makes them, nobody changes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Delivery(StrEnum):
    """How a stream is delivered to a player."""

    HLS = "hls"
    DASH = "dash"
    PROGRESSIVE = "progressive"
    EMBED = "embed"


class ProbeOutcome(StrEnum):
    """What a probe found out. Only `dead`, `forbidden` and `unembeddable` speak against the stream."""

    OK = "ok"
    DEAD = "dead"
    FORBIDDEN = "forbidden"
    UNEMBEDDABLE = "unembeddable"
    THROTTLED = "throttled"
    PROVIDER_DOWN = "provider_down"
    INCONCLUSIVE = "inconclusive"


STRIKES = frozenset({ProbeOutcome.DEAD, ProbeOutcome.FORBIDDEN, ProbeOutcome.UNEMBEDDABLE})
UNPROVEN = frozenset({ProbeOutcome.THROTTLED, ProbeOutcome.INCONCLUSIVE})
"""Probes that could not tell whether a stream plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovieRef:
    """What a provider may know of a movie in order to find it."""

    tmdb_id: int
    title: str
    imdb_id: str | None = None
    original_title: str = ""
    year: int | None = None
    runtime_min: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the licence of one stream allows. Empty `territories` (ISO 3166-1 alpha-2) means everywhere."""

    licence: str = ""
    licence_url: str = ""
    attribution: str = ""
    territories: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCandidate:
    """One rendition that a provider offers for a movie.

    `ref` is the provider's own id of this one rendition ("" when it has none). `claimed` is the
    provider's own words on quality ("4K UHD", "WEB-DL 1080p"); it is parsed by whoever needs a rung.
    `languages` and `subtitles` are BCP 47 tags.
    """

    url: str
    delivery: Delivery
    ref: str = ""
    claimed: str = ""
    edition: str = ""
    languages: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()
    rights: Rights = field(default_factory=Rights)
    url_expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What one URL really served: pixels, bits per second, seconds, milliseconds, bytes.

    `evidence` is one sentence for an editor ("variant 1920x804 of 4; first segment 200, 18 kB of MP4").
    Zero means "not measured".
    """

    outcome: ProbeOutcome
    evidence: str
    width: int = 0
    height: int = 0
    bitrate_bps: int = 0
    codecs: str = ""
    duration_s: float = 0.0
    latency_ms: int = 0
    bytes_read: int = 0
    live: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAnswer:
    """A complete, successful answer of one provider for one movie.

    `fresh_for_s` is the provider's own word (HTTP `Cache-Control: max-age`) on when it is worth asking
    again; None when it gave none. `skipped` counts rows that could not be read: unless it is zero, the
    answer proves nothing about streams that it does not list.
    """

    candidates: tuple[StreamCandidate, ...]
    fresh_for_s: int | None = None
    skipped: int = 0
