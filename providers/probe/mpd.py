"""Reading a DASH manifest: what its best video claims to be, and where to measure it (ISO/IEC 23009-1).

Pure. Addresses come out of here, nothing is fetched; a DTD or an entity is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from providers.probe.media import Part
from providers.probe.mpd_address import addresses
from providers.probe.mpd_level import Level, Unusable, children, local_name

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["NotAManifest", "Plan", "Unusable", "plan", "seconds"]

_DURATION = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10}(?:\.\d{1,9})?)S)?)?")


class NotAManifest(ValueError):
    """The text is no DASH manifest, or one that is refused; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The best video of a manifest as it claims to be, and where to measure it."""

    width: int
    height: int
    bandwidth: int
    codecs: str
    duration_s: float
    live: bool
    encrypted: bool
    representations: int
    init: Part | None
    media: Part | None


def plan(text: bytes, url: str) -> Plan:
    """Read a manifest. Raises NotAManifest or Unusable.

    Of a live one the newest period counts that can be played yet.
    """
    root = _root(text)
    live = root.get("type") == "dynamic"
    top, periods = Level(base=url).enter(root), list(children(root, "Period"))
    problem = Unusable("the manifest has no period")
    for period in reversed(periods) if live else periods:
        try:
            return _plan(root, top.enter(period), period, live=live)
        except Unusable as error:
            problem = error
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


def _is_video(level: Level) -> bool:
    mime = level.attributes.get("mimeType", "").lower()
    content = level.attributes.get("contentType", "").lower() or mime.partition("/")[0]
    return not level.trick and (content == "video" or (not content and level.number("width") > 0))


def _plan(root: Element, level: Level, period: Element, *, live: bool) -> Plan:
    videos = [one for one in _representations(level, period) if _is_video(one)]
    if not videos:
        raise Unusable("the manifest lists no video")
    best = max(videos, key=lambda one: (one.number("height"), one.number("width"), one.number("bandwidth")))
    init, media = addresses(best, live=live)
    return Plan(
        width=best.number("width"),
        height=best.number("height"),
        bandwidth=best.number("bandwidth"),
        codecs=best.attributes.get("codecs", "")[:200],
        duration_s=0.0 if live else _presentation_s(root),
        live=live,
        encrypted=best.encrypted,
        representations=len(videos),
        init=init,
        media=media,
    )


def _presentation_s(root: Element) -> float:
    told = seconds(root.get("mediaPresentationDuration", ""))
    return told or sum(seconds(period.get("duration", "")) for period in children(root, "Period"))


def seconds(duration: str) -> float:
    """An XML Schema duration without years and months: `PT1H2M3.5S` is 3723.5. Anything else is 0."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        return 0.0
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest
