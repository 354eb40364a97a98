"""Films as long as real ones, for benchmarks: real headers, tables of two hours, no pictures.

Made from the fixtures of the tests, so no encoder is needed. A probe cannot tell them from the real thing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import count

from tests.providers.media import fragments, media

MB = 1_000_000
SEGMENTS = 1_200
"""Of six seconds: two hours."""
_INSIDE = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}
_TABLES = 900_000
"""Bytes of the sample tables of one track: some for each of 25 samples a second, and chunk offsets."""


def long_tables(film: bytes) -> bytes:
    """An MP4 whose tracks' sample tables are those of two hours: a `free` box after each `stsd` fills in."""
    out, at = b"", 0
    while at + 8 <= len(film):
        size, kind = struct.unpack_from(">I4s", film, at)
        body = film[at + 8 : at + size]
        if kind in _INSIDE:
            body = long_tables(body)
        out += struct.pack(">I4s", len(body) + 8, kind) + body
        if kind == b"stsd":
            out += struct.pack(">I4s", _TABLES, b"free") + bytes(_TABLES - 8)
        at += size
    return out


def with_media(film: bytes, size: int) -> bytes:
    """An MP4 whose `mdat` holds `size` bytes more."""
    at = film.index(b"mdat") - 4
    (length,) = struct.unpack_from(">I", film, at)
    end = at + length
    return film[:at] + struct.pack(">I", length + size) + film[at + 4 : end] + bytes(size) + film[end:]


def hls_cmaf() -> Mapping[str, bytes]:
    """Six variants with sound apart, one file a segment: how Apple's examples and most packagers have it."""
    init, rest = fragments("fmp4-1920x1080.mp4")
    sizes = ["640x360", "960x540", "1280x720", "1920x1080", "1920x1080", "1920x1080"]
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for language in ("en", "de", "fr"):
        lines.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="{language}",LANGUAGE="{language}",'
            f'DEFAULT={"YES" if language == "en" else "NO"},AUTOSELECT=YES,URI="sound/{language}.m3u8"'
        )
    for number, size in enumerate(sizes):
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={(number + 1) * 1_500_000},RESOLUTION={size},"
            'CODECS="avc1.640028,mp4a.40.2",AUDIO="sound"',
            f"v{number}/list.m3u8",
        ]
    sound = media("sound.mp4")
    return {
        "master.m3u8": "\n".join(lines).encode(),
        "v5/list.m3u8": playlist("segment-{:05}.m4s", '#EXT-X-MAP:URI="init.mp4"\n'),
        "v5/init.mp4": init,
        "v5/segment-00000.m4s": rest + bytes(4 * MB),
        "sound/en.m3u8": playlist("en-{:05}.m4s", '#EXT-X-MAP:URI="en-init.mp4"\n'),
        "sound/en-init.mp4": sound,
        "sound/en-00000.m4s": rest[:64] + bytes(MB // 10),
    }


def hls_ts() -> Mapping[str, bytes]:
    """One line-up of transport streams under a master playlist."""
    master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=6000000,RESOLUTION=1920x1080\nlist.m3u8\n"
    segment = media("segment-1920x1080.ts")
    return {
        "master.m3u8": master.encode(),
        "list.m3u8": playlist("film_{}.ts"),
        "film_0.ts": segment + segment[-188:] * (4 * MB // 188),
    }


def playlist(name: str, head: str = "") -> bytes:
    lines = "".join(f"#EXTINF:6.000000,\n{name.format(number)}\n" for number in range(SEGMENTS))
    return f"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n{head}{lines}#EXT-X-ENDLIST\n".encode()


def dash() -> Mapping[str, bytes]:
    init, rest = fragments("fmp4-1920x1080.mp4")
    heights = zip(count(1), (360, 540, 720, 1080))
    videos = "".join(
        f'<Representation id="v{number}" bandwidth="{number * 1_500_000}" codecs="avc1.640028" '
        f'width="{height * 16 // 9}" height="{height}"/>'
        for number, height in heights
    )
    return {
        "manifest.mpd": (
            '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2H">'
            '<Period><AdaptationSet mimeType="video/mp4"><SegmentTemplate timescale="1" duration="6" '
            'initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number%05d$.m4s"/>'
            f"{videos}</AdaptationSet></Period></MPD>"
        ).encode(),
        "v4/init.mp4": init,
        "v4/00001.m4s": rest + bytes(4 * MB),
    }


def mp4_moov_first() -> Mapping[str, bytes]:
    return {"film.mp4": with_media(long_tables(media("moov-first-1920x804.mp4")), 8 * MB)}


def mp4_moov_last() -> Mapping[str, bytes]:
    return {"film.mp4": long_tables(with_media(media("moov-last-1280x720.mp4"), 8 * MB))}


def webm() -> Mapping[str, bytes]:
    return {"film.webm": media("vp9-640x360.webm") + bytes(8 * MB)}
