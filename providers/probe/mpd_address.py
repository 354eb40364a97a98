"""From the best Representation of a DASH manifest to two addresses: its init section and one media segment.

Pure. SegmentBase, SegmentList and SegmentTemplate (ISO/IEC 23009-1 section 5.3.9); nothing is fetched here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import TYPE_CHECKING

from providers.probe.media import Part
from providers.probe.mpd_level import (
    MAX_ADDRESS,
    Level,
    Unclear,
    Unusable,
    bounded,
    children,
    join_address,
    whole_number,
)

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_IDENTIFIER = re.compile(r"\$(RepresentationID|Bandwidth|Number|Time|)(?:%0(\d{1,2})d)?\$")


def addresses(level: Level, *, edge_s: float | None) -> tuple[Part | None, Part | None]:
    """The init section, if there is one, and a media segment.

    `edge_s` is how far a live period has come, in seconds: its newest segment is wanted. None is a period
    that is all there: its first one is. Raises Unusable or Unclear.
    """
    if level.kind == "SegmentTemplate":
        return _template(level, edge_s)
    init = _init(level)
    if level.kind != "SegmentList":
        return init, Part(level.base)
    urls = level.parts.get("SegmentURL")
    if not urls:
        raise Unusable("the manifest lists no segments")
    listed = urls[0 if edge_s is None else -1]
    address = join_address(level.base, listed.get("media", "")) if listed.get("media") else level.base
    return init, _ranged(address, listed.get("mediaRange"))


def _init(level: Level) -> Part | None:
    elements = level.parts.get("Initialization")
    if not elements:
        return None
    element = elements[0]
    address = element.get("sourceURL", "")
    return _ranged(join_address(level.base, address) if address else level.base, element.get("range"))


def _ranged(url: str, told: str | None) -> Part:
    """`first-last`, both included."""
    match = re.fullmatch(r"(\d{1,15})-(\d{1,15})", told or "")
    if match is None or int(match[2]) < int(match[1]):
        return Part(url)
    return Part(url, int(match[1]), int(match[2]) - int(match[1]) + 1)


def _template(level: Level, edge_s: float | None) -> tuple[Part | None, Part | None]:
    """Section 5.3.9.4. Each segment has a number and a time."""
    media, named = level.segments.get("media", ""), level.segments.get("initialization", "")
    if not media:
        raise Unusable("the manifest's segment template names no media")
    number, time = _position(level, edge_s)
    init = Part(join_address(level.base, _fill(named, level, number, time))) if named else _init(level)
    return init, Part(join_address(level.base, _fill(media, level, number, time)))


def _position(level: Level, edge_s: float | None) -> tuple[int, int]:
    first = whole_number(level.segments.get("startNumber"), default=1)
    offset = whole_number(level.segments.get("presentationTimeOffset"))
    timelines = level.parts.get("SegmentTimeline")
    if edge_s is None:
        return first, _beginning(timelines[0]) if timelines else offset
    edge = int(edge_s * (whole_number(level.segments.get("timescale")) or 1)) + offset
    if timelines:
        return _newest(timelines[0], first, edge)
    duration = whole_number(level.segments.get("duration"))
    passed = _whole_ones(offset, edge, duration)
    if not passed:
        raise Unclear("a live period without a whole segment yet")
    return first + passed - 1, offset + (passed - 1) * duration


def _entries(timeline: Element) -> list[Element]:
    entries = list(children(timeline, "S"))
    if not entries:
        raise Unusable("the manifest's timeline lists no segments")
    return entries


def _beginning(timeline: Element) -> int:
    return whole_number(_entries(timeline)[0].get("t"))


def _newest(timeline: Element, number: int, edge: int) -> tuple[int, int]:
    """The last segment of a SegmentTimeline, and so the newest. `edge` ends one that repeats without end."""
    entries, time, length, count = _entries(timeline), 0, 0, 0
    for entry, following in zip_longest(entries, entries[1:]):
        number, time = number + count, whole_number(entry.get("t"), default=time + count * length)
        length = whole_number(entry.get("d"))
        count = 1 + whole_number(entry.get("r"))
        if entry.get("r", "").startswith("-"):
            until = edge if following is None else whole_number(following.get("t"), default=edge)
            count = max(_whole_ones(time, until, length), 1)
    return number + count - 1, time + (count - 1) * length


def _whole_ones(start: int, end: int, length: int) -> int:
    """How many segments of this length there are between two times."""
    if length <= 0:
        raise Unclear("a live manifest does not say how long its segments are")
    return max((end - start) // length, 0)


def _fill(template: str, level: Level, number: int, time: int) -> str:
    values: Mapping[str, str | int] = {
        "RepresentationID": level.attributes.get("id", ""),
        "Bandwidth": level.number("bandwidth"),
        "Number": number,
        "Time": time,
    }

    def value(match: re.Match[str]) -> str:
        if not match[1]:
            return "$"
        return str(values[match[1]])[:MAX_ADDRESS].zfill(int(match[2] or 1))

    return bounded(_IDENTIFIER.sub(value, bounded(template)))
