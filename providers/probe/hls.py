"""HLS: master playlist, best variant, its playlist, and the media itself, measured (RFC 8216).

`parse` is pure. Only the tags that a probe needs are read, so that a slip in another one (a bad date, say)
costs nothing. Media playlists are read from their beginning: a film's is long, and its first lines suffice.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

import m3u8

from providers.probe.finding import bounded, join, measure_stream, size_found
from providers.probe.measure import what_else
from providers.probe.media import Part
from providers.probe.reader import BLOCK, Reader, Verdict
from providers.types import ProbeOutcome, ProbeResult

MAX_PLAYLIST: Final = 131_072
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.IGNORECASE)
_TAGS: Final = (
    "#EXTINF:",
    "#EXT-X-STREAM-INF:",
    "#EXT-X-KEY:",
    "#EXT-X-MAP:",
    "#EXT-X-BYTERANGE:",
    "#EXT-X-ENDLIST",
    "#EXT-X-PLAYLIST-TYPE:",
    "#EXT-X-MEDIA-SEQUENCE:",
    "#EXT-X-GAP",
)


_BYTE_RANGE = re.compile(r'"?(\d{1,15})(?:@(\d{1,15}))?"?')


class NotAPlaylist(ValueError):
    """The text is no HLS playlist at all."""


class MalformedPlaylist(ValueError):
    """It means to be a playlist but cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One line-up of a master playlist, as it claims to be."""

    uri: str
    width: int = 0
    height: int = 0
    bandwidth: int = 0
    codecs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    media: Part
    init: Part | None
    duration_s: float
    encryption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """A master playlist (`variants`) or a media playlist (`segments`)."""

    is_master: bool
    variants: tuple[Variant, ...] = ()
    segments: tuple[Segment, ...] = ()
    ended: bool = False
    vod: bool = False
    media_sequence: int = 0

    @property
    def duration_s(self) -> float:
        return sum(segment.duration_s for segment in self.segments) if self.ended else 0.0


def probe_hls(reader: Reader, url: str) -> ProbeResult:
    """Measure the best variant of a master playlist, or a media playlist itself. Raises Verdict."""
    playlist, base, whole = _fetch(reader, url)
    variant, told = Variant(uri=url), ""
    if playlist.is_master:
        variant = best(playlist.variants)
        told = f"best of {len(playlist.variants)} variants, "
        playlist, base, whole = _fetch(reader, join(base, variant.uri))
        if playlist.is_master:
            raise Verdict(ProbeOutcome.INCONCLUSIVE, "a master playlist inside a master playlist")
    if not playlist.segments:
        raise Verdict(ProbeOutcome.DEAD, f"{told}the playlist lists no segments")
    live = not (playlist.ended or playlist.vod or (not whole and playlist.media_sequence == 0))
    segment = playlist.segments[-1 if live else 0]  # the oldest of a live window may go while we ask for it
    media, size = measure_stream(reader, segment.init, segment.media, base=base)
    bitrate = size * 8 / segment.duration_s if size and segment.duration_s else 0
    picture, how = size_found(media, (variant.width, variant.height), encryption=segment.encryption)
    return ProbeResult(
        outcome=ProbeOutcome.OK,
        evidence=f"{told}{how}{'; live' if live else ''}",
        width=picture[0],
        height=picture[1],
        bitrate_bps=bounded(variant.bandwidth or bitrate),
        codecs=variant.codecs or media.codecs,
        duration_s=playlist.duration_s if whole else 0.0,
        live=live,
    )


def best(variants: tuple[Variant, ...]) -> Variant:
    """The variant of most lines, columns and bits. Raises Verdict when there is none."""
    if not variants:
        raise Verdict(ProbeOutcome.DEAD, "the master playlist lists no variants")
    return max(variants, key=lambda one: (one.height, one.width, one.bandwidth))


def parse(text: str) -> Playlist:
    """Read a playlist. Raises NotAPlaylist or MalformedPlaylist."""
    if not text.lstrip("\ufeff \t\r\n").startswith("#EXTM3U"):
        raise NotAPlaylist("no HLS playlist: it does not begin with #EXTM3U")
    try:
        data = m3u8.parse(text, custom_tags_parser=_skip_tag)
        return _master(data) if data["is_variant"] else _media_playlist(data)
    except Exception as error:  # m3u8 lets whatever its regular expressions trip over through
        raise MalformedPlaylist(f"a malformed playlist ({type(error).__name__})") from error


def _skip_tag(line: str, *_: object) -> bool:
    return not line.startswith(_TAGS)


def _master(data: dict[str, Any]) -> Playlist:
    return Playlist(is_master=True, variants=tuple(_variant(entry) for entry in data["playlists"]))


def _variant(entry: dict[str, Any]) -> Variant:
    info = entry["stream_info"]
    size = _SIZE.fullmatch(str(info.get("resolution", "")).strip('" '))
    return Variant(
        uri=entry["uri"],
        width=int(size[1]) if size else 0,
        height=int(size[2]) if size else 0,
        bandwidth=bounded(info.get("bandwidth") or 0),
        codecs=str(info.get("codecs") or "")[:200],
    )


def _media_playlist(data: dict[str, Any]) -> Playlist:
    segments, ends = [], dict[str, int]()
    for entry in data["segments"]:
        if "uri" not in entry:
            continue
        media = _part(entry["uri"], entry.get("byterange"), ends.get(entry["uri"], 0))
        ends[media.url] = media.start + (media.length or 0)
        if not entry.get("gap_tag"):
            segments.append(_segment(entry, media))
    return Playlist(
        is_master=False,
        segments=tuple(segments),
        ended=bool(data["is_endlist"]),
        vod=data["playlist_type"] == "vod",
        media_sequence=int(data["media_sequence"] or 0),
    )


def _segment(entry: dict[str, Any], media: Part) -> Segment:
    duration = float(entry.get("duration") or 0)
    method = str((entry.get("key") or {}).get("method") or "NONE")[:40]
    section = entry.get("init_section") or {}
    return Segment(
        media=media,
        init=_part(section["uri"], section.get("byterange"), 0) if section.get("uri") else None,
        duration_s=duration if math.isfinite(duration) and duration > 0 else 0.0,
        encryption="" if method == "NONE" else method,
    )


def _part(uri: str, byte_range: str | None, follows: int) -> Part:
    """A sub-range `<length>[@<start>]`; without a start it follows the one before (section 4.3.2.2)."""
    if not byte_range:
        return Part(uri)
    told = _BYTE_RANGE.fullmatch(byte_range.strip())
    if told is None:
        raise MalformedPlaylist(f"a byte range {byte_range[:40]!r}")
    return Part(uri, follows if told[2] is None else int(told[2]), int(told[1]))


def _fetch(reader: Reader, url: str) -> tuple[Playlist, str, bool]:
    """The playlist, the address it came from, and whether it was read to its end."""
    response = reader.get(url, max_bytes=BLOCK)
    if response.truncated and b"#EXTINF" not in response.body:  # a master playlist must be read whole
        response = reader.get(url, max_bytes=MAX_PLAYLIST)
        if response.truncated:
            raise Verdict(
                ProbeOutcome.INCONCLUSIVE, f"a master playlist of more than {MAX_PLAYLIST // 1024} kB"
            )
    text = response.body.decode("utf-8", "replace")
    if response.truncated:
        text = text.rpartition("\n")[0]
    try:
        return parse(text), response.url, not response.truncated
    except NotAPlaylist as error:
        what = what_else(response.body) or "of unknown content"
        raise Verdict(ProbeOutcome.DEAD, f"{error}; it is {what}") from error
    except MalformedPlaylist as error:
        raise Verdict(ProbeOutcome.INCONCLUSIVE, str(error)) from error
