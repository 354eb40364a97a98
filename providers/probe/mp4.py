"""ISO base media (MP4, CMAF, QuickTime): find `moov`, wherever it is, and read the picture's size.

Pure: reads through a Source, jumping over what it does not need. ISO/IEC 14496-12.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from providers.probe.codecs import codec_string
from providers.probe.media import Media, Source
from providers.probe.sps import Size, h264_size, hevc_size

FIRST_BOXES: Final = frozenset(
    {
        b"ftyp",
        b"styp",
        b"moov",
        b"moof",
        b"sidx",
        b"emsg",
        b"prft",
        b"mdat",
        b"free",
        b"skip",
        b"wide",
        b"uuid",
    }
)
PICTURES: Final = frozenset({b"jpeg", b"png ", b"mjpa", b"mjpb"})
"""Sample entries of cover art, which sits in a video track too."""
MAX_BOXES: Final = 256
MAX_TRACKS: Final = 16
UNBOUNDED: Final = 1 << 62
_VISUAL_ENTRY: Final = 78
_AUDIO_ENTRY: Final = 28


@dataclass(frozen=True, slots=True)
class Box:
    """A box's type, and where its body starts and ends."""

    kind: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Track:
    """One track: `handler` is `vide` or `soun`; the size is (0, 0) where none was found."""

    handler: bytes
    size: Size = (0, 0)
    codec: str = ""


def recognises(head: bytes) -> bool:
    return head[4:8] in FIRST_BOXES


def measure(source: Source) -> Media:
    """The largest picture of all video tracks, and the duration. Knows nothing when there is no `moov`."""
    end = UNBOUNDED if source.size is None else source.size
    moov = _find(source, 0, end, b"moov")
    if moov is None:
        return Media(container="MP4")
    return _media(source, moov)


def _media(source: Source, moov: Box) -> Media:
    tracks: list[Track] = []
    duration = 0.0
    for box in boxes(source, moov.start, moov.end):
        if box.kind == b"trak" and len(tracks) < MAX_TRACKS:
            tracks.append(_track(source, box))
        elif box.kind == b"mvhd":
            duration = _duration(source, box)
    pictures = [track for track in tracks if track.handler == b"vide"]
    best = max(pictures, key=lambda track: track.size[0] * track.size[1], default=Track(b""))
    sounds = (track.codec for track in tracks if track.handler == b"soun")
    codecs = [codec for codec in (best.codec, *sounds) if codec]
    return Media(
        container="MP4",
        width=best.size[0],
        height=best.size[1],
        codecs=",".join(dict.fromkeys(codecs)),
        duration_s=duration,
        has_video=bool(pictures),
    )


def boxes(source: Source, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets. Stops at whatever is no box."""
    for _ in range(MAX_BOXES):
        header = source.read(start, min(16, end - start))
        if len(header) < 8:
            return
        size, kind = struct.unpack_from(">I4s", header)
        body = start + 8
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack_from(">Q", header, 8)
            body = start + 16
        elif size == 0:
            size = end - start
        if start + size < body:
            return
        yield Box(kind, body, min(start + size, end))
        start += size


def _find(source: Source, start: int, end: int, *path: bytes) -> Box | None:
    """The first box at this path of types."""
    for box in boxes(source, start, end):
        if box.kind == path[0]:
            return _find(source, box.start, box.end, *path[1:]) if path[1:] else box
    return None


def _duration(source: Source, mvhd: Box) -> float:
    """Seconds. All ones means unknown (section 8.2.2)."""
    data = source.read(mvhd.start, 32)
    wide = data[:1] == b"\x01"
    if len(data) < (32 if wide else 20):
        return 0.0
    scale, duration = struct.unpack_from(">IQ" if wide else ">II", data, 20 if wide else 12)
    unknown = (1 << (64 if wide else 32)) - 1
    return duration / scale if scale and duration != unknown else 0.0


def _track(source: Source, trak: Box) -> Track:
    mdia = _find(source, trak.start, trak.end, b"mdia")
    if mdia is None:
        return Track(b"")
    hdlr = _find(source, mdia.start, mdia.end, b"hdlr")
    stsd = _find(source, mdia.start, mdia.end, b"minf", b"stbl", b"stsd")
    handler = source.read(hdlr.start + 8, 4) if hdlr else b""
    entry = next(boxes(source, stsd.start + 8, stsd.end), None) if stsd else None
    if entry is None or handler not in {b"vide", b"soun"}:
        return Track(handler)
    if handler == b"soun":
        return Track(handler, codec=_codec(source, entry, _AUDIO_ENTRY))
    if entry.kind in PICTURES:
        return Track(b"")
    return Track(handler, _picture(source, entry), _codec(source, entry, _VISUAL_ENTRY))


def _configs(source: Source, entry: Box, header: int) -> dict[bytes, bytes]:
    """The boxes inside a sample entry, by type."""
    inside = boxes(source, entry.start + header, entry.end)
    return {box.kind: source.read(box.start, min(box.end - box.start, 4096)) for box in inside}


def _codec(source: Source, entry: Box, header: int) -> str:
    kind = entry.kind
    if kind in {b"encv", b"enca"}:
        frma = _find(source, entry.start + header, entry.end, b"sinf", b"frma")
        kind = source.read(frma.start, 4) if frma else kind
    return codec_string(kind.decode("latin-1"), _configs(source, entry, header))


def _picture(source: Source, entry: Box) -> Size:
    """The size in the SPS if there is one, else the sample entry's own."""
    configs = _configs(source, entry, _VISUAL_ENTRY)
    measured = _avc_size(configs.get(b"avcC", b"")) or _hevc_size(configs.get(b"hvcC", b""))
    sides = source.read(entry.start + 24, 4)
    if measured or len(sides) < 4:
        return measured or (0, 0)
    width, height = struct.unpack(">HH", sides)
    return width, height


def _avc_size(config: bytes) -> Size | None:
    """ISO/IEC 14496-15 section 5.3.3.1."""
    if len(config) < 8 or not config[5] & 0x1F:
        return None
    return h264_size(config[8 : 8 + int.from_bytes(config[6:8], "big")])


def _hevc_size(config: bytes) -> Size | None:
    """ISO/IEC 14496-15 section 8.3.3.1: arrays of NAL units, of which type 33 is the SPS."""
    at = 23
    for _ in range(config[22] if len(config) > 22 else 0):
        kind, count = config[at : at + 1], int.from_bytes(config[at + 1 : at + 3], "big")
        at += 3
        for _ in range(count):
            length = int.from_bytes(config[at : at + 2], "big")
            if not kind or at + 2 > len(config):
                return None
            if kind[0] & 0x3F == 33:
                return hevc_size(config[at + 2 : at + 2 + length])
            at += 2 + length
    return None
