"""WebM and Matroska: the picture's size and the duration from the EBML header.

Pure: reads through a Source, jumping over what it does not need. RFC 8794 (EBML), RFC 9559 (Matroska).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from providers.probe.media import Media, Source

EBML: Final = 0x1A45DFA3
DOC_TYPE: Final = 0x4282
SEGMENT: Final = 0x18538067
INFO: Final = 0x1549A966
TIMESTAMP_SCALE: Final = 0x2AD7B1
DURATION: Final = 0x4489
TRACKS: Final = 0x1654AE6B
TRACK_ENTRY: Final = 0xAE
TRACK_TYPE: Final = 0x83
CODEC_ID: Final = 0x86
VIDEO: Final = 0xE0
PIXEL_WIDTH: Final = 0xB0
PIXEL_HEIGHT: Final = 0xBA
CLUSTER: Final = 0x1F43B675

MAX_ELEMENTS: Final = 256
UNBOUNDED: Final = 1 << 62
_VIDEO_TRACK: Final = 1
_CODECS: Final = {b"V_VP8": "vp8", b"A_OPUS": "opus", b"A_VORBIS": "vorbis"}


@dataclass(frozen=True, slots=True)
class Element:
    """An element's id, and where its body starts and ends."""

    id: int
    start: int
    end: int


def recognises(head: bytes) -> bool:
    return head.startswith(EBML.to_bytes(4, "big"))


def measure(source: Source) -> Media:
    """The largest picture of all video tracks, and the duration. Knows nothing when `Tracks` is missing."""
    end = UNBOUNDED if source.size is None else source.size
    container, media = "Matroska", None
    for element in elements(source, 0, end):
        if element.id == EBML and _body(source, element, DOC_TYPE).rstrip(b"\0") == b"webm":
            container = "WebM"
        elif element.id == SEGMENT:
            media = _segment(source, element, container)
            break
    return media or Media(container=container)


def elements(source: Source, start: int, end: int) -> Iterator[Element]:
    """The elements between two offsets. Stops at whatever is none; an unknown size reaches to the end."""
    for _ in range(MAX_ELEMENTS):
        header = source.read(start, min(12, end - start))
        id_length = _vint_length(header, 0, longest=4)
        size_length = _vint_length(header, id_length, longest=8)
        if not id_length or not size_length:
            return
        body = start + id_length + size_length
        size = int.from_bytes(header[id_length : id_length + size_length], "big")
        size &= (1 << 7 * size_length) - 1
        unknown = size == (1 << 7 * size_length) - 1
        stop = end if unknown else min(body + size, end)
        yield Element(int.from_bytes(header[:id_length], "big"), body, stop)
        start = stop


def _vint_length(data: bytes, at: int, *, longest: int) -> int:
    """Bytes of the variable-size integer at `at`; 0 when there is none, or not all of it."""
    if at >= len(data) or not data[at]:
        return 0
    length = 9 - data[at].bit_length()
    return length if length <= longest and at + length <= len(data) else 0


def _segment(source: Source, segment: Element, container: str) -> Media:
    duration = 0.0
    for element in elements(source, segment.start, segment.end):
        if element.id == INFO:
            duration = _duration(source, element)
        elif element.id == TRACKS:
            return _tracks(source, element, container, duration)
        elif element.id == CLUSTER:
            break
    return Media(container=container, duration_s=duration)


def _tracks(source: Source, tracks: Element, container: str, duration: float) -> Media:
    width = height = 0
    has_video = False
    codecs = []
    for entry in elements(source, tracks.start, tracks.end):
        if entry.id != TRACK_ENTRY:
            continue
        codecs.append(_CODECS.get(_body(source, entry, CODEC_ID), ""))
        if _number(source, entry, TRACK_TYPE) == _VIDEO_TRACK:
            has_video = True
            width, height = max((width, height), _picture(source, entry), key=math.prod)
    return Media(
        container=container,
        width=width,
        height=height,
        codecs=",".join(codecs) if all(codecs) else "",
        duration_s=duration,
        has_video=has_video,
    )


def _picture(source: Source, entry: Element) -> tuple[int, int]:
    for video in elements(source, entry.start, entry.end):
        if video.id == VIDEO:
            return _number(source, video, PIXEL_WIDTH), _number(source, video, PIXEL_HEIGHT)
    return 0, 0


def _duration(source: Source, info: Element) -> float:
    """Seconds: `Duration` is in units of `TimestampScale` nanoseconds (a million by default)."""
    data = _body(source, info, DURATION)
    if len(data) not in {4, 8}:
        return 0.0
    (units,) = struct.unpack(">f" if len(data) == 4 else ">d", data)
    seconds = units * (_number(source, info, TIMESTAMP_SCALE) or 1_000_000) / 1e9
    return seconds if math.isfinite(seconds) and seconds > 0 else 0.0


def _body(source: Source, parent: Element, wanted: int) -> bytes:
    """The bytes of one small child element; b"" when it is not there."""
    for element in elements(source, parent.start, parent.end):
        if element.id == wanted:
            return source.read(element.start, min(element.end - element.start, 64))
    return b""


def _number(source: Source, parent: Element, wanted: int) -> int:
    return int.from_bytes(_body(source, parent, wanted)[:8], "big")
