"""From the best Representation of a DASH manifest to two addresses: its init section and one media segment.

Pure. SegmentBase, SegmentList and SegmentTemplate (ISO/IEC 23009-1 section 5.3.9); nothing is fetched here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from providers.probe.media import Part
from providers.probe.mpd_level import Level, Unusable, children, join_address, whole_number

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_ADDRESS: Final = 2048
"""Characters of a template, and of what it fills in: a short manifest must not make gigabytes of address."""
MAX_REPEATS: Final = 10_000_000
_IDENTIFIER = re.compile(r"\$(RepresentationID|Bandwidth|Number|Time|)(?:%0(\d{1,2})d)?\$")


def addresses(level: Level, *, live: bool) -> tuple[Part | None, Part | None]:
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


def _template(level: Level, *, live: bool) -> tuple[Part | None, Part | None]:
    """Section 5.3.9.4. A live one without a timeline goes by the clock: there, no segment is named."""
    media, named = level.segments.get("media", ""), level.segments.get("initialization", "")
    if not media:
        raise Unusable("the manifest's segment template names no media")
    number, time = whole_number(level.segments.get("startNumber"), default=1), 0
    timelines = level.parts.get("SegmentTimeline")
    if timelines:
        number, time = _timeline(timelines[0], number, last=live)
    init = Part(join_address(level.base, _fill(named, level, number, time))) if named else _init(level)
    if live and not timelines:
        return init, None
    return init, Part(join_address(level.base, _fill(media, level, number, time)))


def _timeline(timeline: Element, number: int, *, last: bool) -> tuple[int, int]:
    """The first segment of a SegmentTimeline, or its last."""
    time, entries = 0, list(children(timeline, "S"))
    if not entries:
        raise Unusable("the manifest's timeline lists no segments")
    for position, entry in enumerate(entries):
        time = whole_number(entry.get("t"), default=time)
        if not last:
            break
        # A negative one repeats to an end that is not needed here: it counts as none.
        repeats = min(whole_number(entry.get("r")), MAX_REPEATS)
        final = position == len(entries) - 1
        time += whole_number(entry.get("d")) * (repeats if final else repeats + 1)
        number += repeats if final else repeats + 1
    return number, time


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

    if len(template) > MAX_ADDRESS or len(filled := _IDENTIFIER.sub(value, template)) > MAX_ADDRESS:
        raise Unusable(f"the manifest's template makes an address of more than {MAX_ADDRESS} characters")
    return filled
