"""Reading a DASH manifest down to two addresses: an init section and a media segment of the best video.

Pure. Addresses only come out of here, nothing is fetched; a DTD or an entity is refused. ISO/IEC 23009-1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from providers.probe.media import Part

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TRICK_MODE: Final = "http://dashif.org/guidelines/trickmode"
MAX_REPEATS: Final = 10_000_000
_DURATION = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10}(?:\.\d{1,9})?)S)?)?")
_IDENTIFIER = re.compile(r"\$(RepresentationID|Bandwidth|Number|Time|)(?:%0(\d{1,2})d)?\$")
_SEGMENT_TAGS: Final = ("SegmentTemplate", "SegmentList", "SegmentBase")


class NotAManifest(ValueError):
    """The text is no DASH manifest, or one that is refused; the message says why."""


class Unusable(ValueError):
    """A manifest that offers nothing to play; the message says what is missing."""


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


@dataclass(frozen=True, slots=True)
class _Level:
    """What a Representation inherits: attributes, base address, and its segment element's attributes."""

    base: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    parts: Mapping[str, list[Element]] = field(default_factory=dict)
    encrypted: bool = False
    trick: bool = False

    def enter(self, element: Element) -> _Level:
        """The level of a Period, AdaptationSet or Representation inside this one."""
        base = next((child.text or "" for child in _all(element, "BaseURL")), "")
        found = next(((tag, one) for tag in _SEGMENT_TAGS for one in _all(element, tag)), None)
        schemes = (child.get("schemeIdUri") for child in _all(element, "EssentialProperty"))
        return _Level(
            base=_join(self.base, base.strip()) if base.strip() else self.base,
            attributes={**self.attributes, **element.attrib},
            segments={**self.segments, **(found[1].attrib if found else {})},
            kind=found[0] if found else self.kind,
            parts={**self.parts, **(_by_tag(found[1]) if found else {})},
            encrypted=self.encrypted or next(_all(element, "ContentProtection"), None) is not None,
            trick=self.trick or TRICK_MODE in schemes,
        )

    def number(self, name: str) -> int:
        return _int(self.attributes.get(name))


def plan(text: bytes, url: str) -> Plan:
    """Read a manifest. Raises NotAManifest or Unusable.

    Of a live one the newest period counts that can be played yet.
    """
    root = _root(text)
    live = root.get("type") == "dynamic"
    top, periods = _Level(base=url).enter(root), list(_all(root, "Period"))
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
    if _tag(root) != "MPD":
        raise NotAManifest(f"its root element is {_tag(root)[:40]}, not MPD")
    return root


def _representations(period: _Level, element: Element) -> Iterator[_Level]:
    for adaptation in _all(element, "AdaptationSet"):
        level = period.enter(adaptation)
        for representation in _all(adaptation, "Representation"):
            yield level.enter(representation)


def _is_video(level: _Level) -> bool:
    mime = level.attributes.get("mimeType", "").lower()
    content = level.attributes.get("contentType", "").lower() or mime.partition("/")[0]
    return not level.trick and (content == "video" or (not content and level.number("width") > 0))


def _plan(root: Element, level: _Level, period: Element, *, live: bool) -> Plan:
    videos = [one for one in _representations(level, period) if _is_video(one)]
    if not videos:
        raise Unusable("the manifest lists no video")
    best = max(videos, key=lambda one: (one.number("height"), one.number("width"), one.number("bandwidth")))
    init, media = _parts(best, live=live)
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


def _parts(level: _Level, *, live: bool) -> tuple[Part | None, Part | None]:
    """The init section, if there is one, and a media segment: the first, or the newest of a live one."""
    if level.kind == "SegmentTemplate":
        return _template(level, live=live)
    init = _init(level)
    if level.kind != "SegmentList":
        return init, Part(level.base)
    urls = level.parts.get("SegmentURL")
    if not urls:
        raise Unusable("the manifest lists no segments")
    listed = urls[-1 if live else 0]
    address = _join(level.base, listed.get("media", "")) if listed.get("media") else level.base
    return init, _ranged(address, listed.get("mediaRange"))


def _init(level: _Level) -> Part | None:
    elements = level.parts.get("Initialization")
    if not elements:
        return None
    element = elements[0]
    address = element.get("sourceURL", "")
    return _ranged(_join(level.base, address) if address else level.base, element.get("range"))


def _ranged(url: str, told: str | None) -> Part:
    """`first-last`, both included."""
    match = re.fullmatch(r"(\d{1,15})-(\d{1,15})", told or "")
    if match is None or int(match[2]) < int(match[1]):
        return Part(url)
    return Part(url, int(match[1]), int(match[2]) - int(match[1]) + 1)


def _template(level: _Level, *, live: bool) -> tuple[Part | None, Part | None]:
    """Section 5.3.9.4. A live one without a timeline goes by the clock: there, no segment is named."""
    media, named = level.segments.get("media", ""), level.segments.get("initialization", "")
    if not media:
        raise Unusable("the manifest's segment template names no media")
    number, time = _int(level.segments.get("startNumber"), default=1), 0
    timelines = level.parts.get("SegmentTimeline")
    if timelines:
        number, time = _timeline(timelines[0], number, last=live)
    init = Part(_join(level.base, _fill(named, level, number, time))) if named else _init(level)
    if live and not timelines:
        return init, None
    return init, Part(_join(level.base, _fill(media, level, number, time)))


def _timeline(timeline: Element, number: int, *, last: bool) -> tuple[int, int]:
    """The first segment of a SegmentTimeline, or its last."""
    time, entries = 0, list(_all(timeline, "S"))
    if not entries:
        raise Unusable("the manifest's timeline lists no segments")
    for position, entry in enumerate(entries):
        time = _int(entry.get("t"), default=time)
        if not last:
            break
        repeats = min(_int(entry.get("r")), MAX_REPEATS)  # a negative one repeats to an end we don't need
        final = position == len(entries) - 1
        time += _int(entry.get("d")) * (repeats if final else repeats + 1)
        number += repeats if final else repeats + 1
    return number, time


def _fill(template: str, level: _Level, number: int, time: int) -> str:
    values: Mapping[str, str | int] = {
        "RepresentationID": level.attributes.get("id", ""),
        "Bandwidth": level.number("bandwidth"),
        "Number": number,
        "Time": time,
    }

    def value(match: re.Match[str]) -> str:
        if not match[1]:
            return "$"
        return str(values[match[1]]).zfill(int(match[2] or 1))

    return _IDENTIFIER.sub(value, template)


def _presentation_s(root: Element) -> float:
    told = seconds(root.get("mediaPresentationDuration", ""))
    return told or sum(seconds(period.get("duration", "")) for period in _all(root, "Period"))


def seconds(duration: str) -> float:
    """An XML Schema duration without years and months: `PT1H2M3.5S` is 3723.5. Anything else is 0."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        return 0.0
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest


def _int(text: str | None, *, default: int = 0) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,20}", text) else default


def _tag(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _all(element: Element, tag: str) -> Iterator[Element]:
    """Children by local name: manifests in the wild get the namespace wrong."""
    return (child for child in element if _tag(child) == tag)


def _by_tag(element: Element) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for child in element:
        found.setdefault(_tag(child), []).append(child)
    return found


def _join(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError as error:
        raise Unusable(f"the manifest names what is no address: {address[:80]!r}") from error
