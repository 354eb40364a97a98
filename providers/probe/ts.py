"""MPEG transport streams: the picture's size from the first sequence header in a segment.

Pure. ISO/IEC 13818-1: PAT -> PMT -> the video's packets -> its SPS (or MPEG-2 sequence header).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from providers.probe.codecs import avc
from providers.probe.media import Media, Source
from providers.probe.sps import Size, h264_size, hevc_size

PACKET: Final = 188
SYNC: Final = 0x47
READ_BYTES: Final = (16_384, 131_072)
"""How much of a segment is read: first little, then more if the header has not come."""
H264: Final = frozenset({0x1B, 0xDB})  # 0xDB: the same under SAMPLE-AES, which leaves the SPS in the clear
HEVC: Final = frozenset({0x24})
MPEG2: Final = frozenset({0x01, 0x02})
VIDEO: Final = H264 | HEVC | MPEG2 | {0x10, 0x33, 0xEA}
_START_CODE = re.compile(rb"\x00\x00\x01")


def recognises(head: bytes) -> bool:
    return _first_packet(head) is not None


def measure(source: Source) -> Media:
    media = Media(container="MPEG-TS")
    for length in READ_BYTES:
        data = source.read(0, length)
        media = _measure(data)
        if media.measured or media.has_video is False or len(data) < length:
            break
    return media


def _measure(data: bytes) -> Media:
    streams: dict[int, int] = {}
    payloads: dict[int, bytearray] = {}
    tables = {0}
    for pid, starts, payload in packets(data):
        if pid in tables and starts:
            if pid == 0:
                tables |= _program_tables(payload)
            else:
                streams |= _streams(payload)
        elif pid in streams or not streams:
            payloads.setdefault(pid, bytearray()).extend(payload)
    for pid, kind in streams.items():
        if kind in VIDEO:
            size, codec = _picture(kind, bytes(payloads.get(pid, b"")))
            return Media(container="MPEG-TS", width=size[0], height=size[1], codecs=codec, has_video=True)
    return Media(container="MPEG-TS", has_video=False if streams else None)


def _first_packet(data: bytes) -> int | None:
    """Where packets start: some streams carry a few bytes (ID3, a cut packet) before the first."""
    for at in range(min(PACKET, len(data))):
        syncs = data[at : at + 3 * PACKET : PACKET]
        if syncs == bytes([SYNC]) * 3 or (at == 0 and len(data) <= 2 * PACKET and set(syncs) == {SYNC}):
            return at
    return None


def packets(data: bytes) -> Iterator[tuple[int, bool, bytes]]:
    """PID, whether a payload unit starts here, and the payload, of each whole packet that has one."""
    first = _first_packet(data)
    for at in range(len(data) if first is None else first, len(data) - PACKET + 1, PACKET):
        packet = data[at : at + PACKET]
        if packet[0] != SYNC:
            return
        pid = (packet[1] & 0x1F) << 8 | packet[2]
        body = 5 + packet[4] if packet[3] & 0x20 else 4
        if packet[3] & 0x10:
            yield pid, bool(packet[1] & 0x40), packet[body:]


def _section(payload: bytes) -> bytes:
    """A table section without pointer and CRC (section 2.4.4)."""
    section = payload[1 + payload[0] :] if payload else b""
    length = int.from_bytes(section[1:3], "big") & 0x0FFF
    return section[: max(3 + length - 4, 0)]


def _program_tables(payload: bytes) -> set[int]:
    """PIDs of the program map tables; program 0 is the network's."""
    section = _section(payload)
    found = set()
    for at in range(8, len(section) - 3, 4):
        if section[at : at + 2] != b"\0\0":
            found.add(int.from_bytes(section[at + 2 : at + 4], "big") & 0x1FFF)
    return found


def _streams(payload: bytes) -> dict[int, int]:
    """Elementary PID -> stream type."""
    section = _section(payload)
    at = 12 + (int.from_bytes(section[10:12], "big") & 0x0FFF)
    found = {}
    while at + 5 <= len(section):
        found[int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF] = section[at]
        at += 5 + (int.from_bytes(section[at + 3 : at + 5], "big") & 0x0FFF)
    return found


def _picture(kind: int, data: bytes) -> tuple[Size, str]:
    for start in _START_CODE.finditer(data):
        at = start.end()
        nal = data[at : at + 1024]
        if kind in H264 and nal[:1] and nal[0] & 0x1F == 7:
            return h264_size(nal) or (0, 0), avc(nal[1:4])
        if kind in HEVC and nal[:1] and nal[0] >> 1 & 0x3F == 33:
            return hevc_size(nal) or (0, 0), ""
        if kind in MPEG2 and nal[:1] == b"\xb3" and len(nal) > 3:
            return (nal[1] << 4 | nal[2] >> 4, (nal[2] & 0x0F) << 8 | nal[3]), ""
    return (0, 0), ""
