"""HLS playlists and DASH manifests over one fragmented MP4 each: pure, bytes in and text out.

The MP4 begins with `ftyp`, `moov` and one `sidx` that lists every fragment (ISO/IEC 14496-12 section 8.16.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

AUDIO_CODEC = "mp4a.40.2"


@dataclass(frozen=True, slots=True)
class Segment:
    """A fragment: first byte, bytes, seconds."""

    first: int
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Index:
    """Where things lie in a fragmented MP4. `init_size`: bytes before the index. `codec`: as in RFC 6381."""

    codec: str
    init_size: int
    index_last: int
    segments: tuple[Segment, ...]

    @property
    def seconds(self) -> float:
        """Length of the whole."""
        return sum(segment.seconds for segment in self.segments)

    @property
    def peak_bps(self) -> int:
        """Bits per second of the heaviest segment: HLS's BANDWIDTH (RFC 8216 section 4.3.4.2)."""
        return max(round(segment.size * 8 / segment.seconds) for segment in self.segments)

    @property
    def average_bps(self) -> int:
        """Bits per second over all."""
        return round(sum(segment.size for segment in self.segments) * 8 / self.seconds)


@dataclass(frozen=True, slots=True)
class Box:
    """A box of an MP4: its kind, first byte and bytes, header included."""

    kind: str
    first: int
    size: int


def boxes(data: bytes, first: int = 0, last: int | None = None) -> Iterator[Box]:
    """The boxes side by side from `first` up to `last`. Raises ValueError at a size that can't be."""
    end = len(data) if last is None else last
    while first + 8 <= end:
        size = int.from_bytes(data[first : first + 4], "big")
        if size < 8 or first + size > end:
            raise ValueError(f"box of {size} bytes at {first}: expected 8 to {end - first}")
        yield Box(data[first + 4 : first + 8].decode("latin-1"), first, size)
        first += size


def read_index(data: bytes) -> Index:
    """Reads a fragmented MP4. Raises ValueError when it has no `moov` and `sidx` at its beginning."""
    found = {box.kind: box for box in boxes(data) if box.kind in ("moov", "sidx")}
    if set(found) != {"moov", "sidx"}:
        raise ValueError(f"expected moov and sidx, found {sorted(found) or 'neither'}")
    moov, sidx = found["moov"], found["sidx"]
    return Index(
        codec=_codec(data[moov.first : moov.first + moov.size]),
        init_size=sidx.first,
        index_last=sidx.first + sidx.size - 1,
        segments=tuple(_segments(data[sidx.first : sidx.first + sidx.size], sidx.first + sidx.size)),
    )


def _segments(sidx: bytes, anchor: int) -> Iterator[Segment]:
    wide = 8 if sidx[8] else 4
    timescale = int.from_bytes(sidx[16:20], "big")
    first = anchor + int.from_bytes(sidx[20 + wide : 20 + 2 * wide], "big")
    row = 24 + 2 * wide
    for start in range(row, row + 12 * int.from_bytes(sidx[row - 2 : row], "big"), 12):
        size = int.from_bytes(sidx[start : start + 4], "big") & 0x7FFFFFFF
        yield Segment(first, size, int.from_bytes(sidx[start + 4 : start + 8], "big") / timescale)
        first += size


def _codec(moov: bytes) -> str:
    avcc = re.search(rb"avcC.(...)", moov, re.DOTALL)
    return f"avc1.{avcc[1].hex()}" if avcc else AUDIO_CODEC


def media_playlist(index: Index, file: str) -> str:
    """An HLS playlist of byte ranges of `file` (RFC 8216 section 4.3)."""
    longest = max(segment.seconds for segment in index.segments)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{round(longest + 0.499)}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        f'#EXT-X-MAP:URI="{file}",BYTERANGE="{index.init_size}@0"',
    ]
    for segment in index.segments:
        lines += [f"#EXTINF:{segment.seconds:.3f},", f"#EXT-X-BYTERANGE:{segment.size}@{segment.first}", file]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def master_playlist(video: Index, audio: Index, *, size: tuple[int, int], fps: int, playlist: str) -> str:
    """An HLS master playlist with one variant and the shared sound."""
    variant = (
        f"BANDWIDTH={video.peak_bps + audio.peak_bps},"
        f"AVERAGE-BANDWIDTH={video.average_bps + audio.average_bps},"
        f'CODECS="{video.codec},{audio.codec}",RESOLUTION={size[0]}x{size[1]},'
        f'FRAME-RATE={fps}.000,AUDIO="sound"'
    )
    sound = (
        'TYPE=AUDIO,GROUP-ID="sound",NAME="Chimes",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="1",'
        'URI="../audio.m3u8"'
    )
    return (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        f"#EXT-X-MEDIA:{sound}\n#EXT-X-STREAM-INF:{variant}\n{playlist}\n"
    )


def dash_manifest(video: Index, audio: Index, *, size: tuple[int, int], fps: int, file: str) -> str:
    """A static DASH manifest of the on-demand profile (ISO/IEC 23009-1 section 8.3), with sound."""
    picture = f'id="video" width="{size[0]}" height="{size[1]}" frameRate="{fps}" sar="1:1"'
    sound = 'id="audio"'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" '
        f'type="static" mediaPresentationDuration="PT{video.seconds:.3f}S" minBufferTime="PT2S">\n'
        "  <Period>\n"
        f"{_adaptation('video', video, picture, file)}"
        f"{_adaptation('audio', audio, sound, '../audio.mp4')}"
        "  </Period>\n</MPD>\n"
    )


def _adaptation(kind: str, index: Index, attributes: str, file: str) -> str:
    return (
        f'    <AdaptationSet contentType="{kind}" mimeType="{kind}/mp4" subsegmentAlignment="true" '
        'subsegmentStartsWithSAP="1">\n'
        f'      <Representation {attributes} codecs={quoteattr(index.codec)} bandwidth="{index.peak_bps}">\n'
        f"        <BaseURL>{file}</BaseURL>\n"
        f'        <SegmentBase indexRange="{index.init_size}-{index.index_last}">\n'
        f'          <Initialization range="0-{index.init_size - 1}"/>\n        </SegmentBase>\n'
        "      </Representation>\n    </AdaptationSet>\n"
    )
