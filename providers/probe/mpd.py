"""Reading a DASH manifest: what its best video claims to be, and where to measure it (ISO/IEC 23009-1).

Pure: the time is an argument. Addresses come out of here, nothing is fetched; a DTD or an entity is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from providers.probe.media import Part
from providers.probe.mpd_address import addresses
from providers.probe.mpd_level import Level, Unclear, Unusable, children, local_name
from providers.probe.mpd_time import Span, edge, seconds, spans
from providers.probe.protection import Protection

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["NotAManifest", "Plan", "Unclear", "Unusable", "plan"]

MOST_PERIODS: Final = 50
"""Periods that are tried: a manifest of half a megabyte can list 60,000 empty ones."""
_REMOTE = "{http://www.w3.org/1999/xlink}href"


class NotAManifest(ValueError):
    """The text is no DASH manifest, or one that is refused; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The best video of a manifest as it claims to be, and where to measure it; and the sound beside it."""

    width: int
    height: int
    bandwidth: int
    codecs: str
    duration_s: float
    live: bool
    protection: Protection
    representations: int
    init: Part | None
    media: Part | None
    sound: Part | None


def plan(text: bytes, url: str, *, now: float) -> Plan:
    """Read a manifest at `now`, in seconds since the epoch. Raises NotAManifest, Unusable or Unclear.

    Of several periods the longest counts, as a short one may be an advertisement; of a live presentation the
    newest that has begun.
    """
    root = _root(text)
    live = root.get("type") == "dynamic"
    top, periods = Level(base=url).enter(root), spans(root)
    if live:
        periods.reverse()
    else:
        periods.sort(key=lambda span: -(span.duration_s or 0.0))
    problem: Unusable | Unclear = Unusable("the manifest has no period")
    for span in periods[:MOST_PERIODS]:
        try:
            edge_s = edge(root, span, now) if live else None
            return _plan(root, top.enter(span.period), span, edge_s)
        except (Unusable, Unclear) as error:
            problem = problem if isinstance(problem, Unclear) else error
    raise problem


def _root(text: bytes) -> Element:
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise NotAManifest("refused: it declares a DTD or entities") from error
    except (ParseError, ValueError, LookupError) as error:
        raise NotAManifest("not well-formed XML") from error
    if local_name(root) != "MPD":
        raise NotAManifest(f"its root element is {local_name(root)[:40]}, not MPD")
    return root


def _representations(period: Level, element: Element) -> Iterator[Level]:
    for adaptation in children(element, "AdaptationSet"):
        level = period.enter(adaptation)
        for representation in children(adaptation, "Representation"):
            yield level.enter(representation)


def _kind(level: Level) -> str:
    """`video`, `audio` and so on; "" for what only plays fast."""
    mime = level.attributes.get("mimeType", "").lower()
    content = level.attributes.get("contentType", "").lower() or mime.partition("/")[0]
    if level.trick:
        return ""
    return content or ("video" if level.number("width") else "")


def _size(level: Level) -> tuple[int, int, int]:
    return level.number("height"), level.number("width"), level.number("bandwidth")


def _plan(root: Element, level: Level, span: Span, edge_s: float | None) -> Plan:
    found = list(_representations(level, span.period))
    videos = [one for one in found if _kind(one) == "video"]
    if not videos:
        elsewhere = any(one.get(_REMOTE) for one in (span.period, *children(span.period, "AdaptationSet")))
        raise (
            Unclear("its periods are in another file")
            if elsewhere
            else Unusable("the manifest lists no video")
        )
    best = max(videos, key=_size)
    sound = max((one for one in found if _kind(one) == "audio"), key=_size, default=None)
    init, media = addresses(best, edge_s=edge_s)
    return Plan(
        width=best.number("width"),
        height=best.number("height"),
        bandwidth=best.number("bandwidth"),
        codecs=best.attributes.get("codecs", "")[:200],
        duration_s=_presentation_s(root) if edge_s is None else 0.0,
        live=edge_s is not None,
        protection=best.protection,
        representations=len(videos),
        init=init,
        media=media,
        sound=addresses(sound, edge_s=edge_s)[1] if sound else None,
    )


def _presentation_s(root: Element) -> float:
    told = seconds(root.get("mediaPresentationDuration", ""))
    return told or sum(seconds(period.get("duration", "")) for period in children(root, "Period"))
