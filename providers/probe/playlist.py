"""Reading an HLS playlist, master or media: the few tags that a probe needs (RFC 8216, rfc8216bis).

Pure. A slip in any other tag (a bad date, say) costs nothing. One pass over the lines: a film has a thousand
of them, and a run reads a thousand films; a general parser took most of a probe's time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from providers.messages import NOTHING
from providers.probe.media import Part
from providers.probe.protection import CLEAR, Protection
from providers.probe.variables import substituted

_ATTRIBUTE = re.compile(r'(?:^|,)[ \t]*([A-Z0-9-]+)=("[^"]*"|[^",]*)')
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.IGNORECASE)
_BYTE_RANGE = re.compile(r"(\d{1,15})(?:@(\d{1,15}))?")
_SOUND = re.compile(r"(?:mp4a|ac-[34]|ec-3|opus|flac|mp3|vorbis)[^,]*", re.IGNORECASE)


class NotAPlaylist(ValueError):
    """The text is no HLS playlist at all."""


class MalformedPlaylist(ValueError):
    """It means to be a playlist but cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One line-up of a master playlist, as it claims to be. `audio` names its group of sound apart."""

    uri: str
    width: int = 0
    height: int = 0
    bandwidth: int = 0
    codecs: str = ""
    audio: str = ""

    @property
    def sound_alone(self) -> bool:
        return bool(self.codecs) and all(map(_SOUND.fullmatch, re.split(r"\s*,\s*", self.codecs.strip())))


class Segment(NamedTuple):
    """`run` counts discontinuities: an advertisement before the film is a run of its own."""

    media: Part
    init: Part | None
    duration_s: float
    protection: Protection
    run: int


@dataclass(slots=True)
class Playlist:
    """A master playlist (`variants`, `sounds` by group) or a media playlist (`segments`)."""

    is_master: bool = False
    variants: list[Variant] = field(default_factory=list)
    sounds: dict[str, str] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    ended: bool = False
    vod: bool = False
    media_sequence: int = 0
    has_parts: bool = False
    only_key_frames: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        return sum(segment.duration_s for segment in self.segments) if self.ended else 0.0


def parse(text: str, *, url: str = "", inherited: Mapping[str, str] = NOTHING) -> Playlist:
    """Read a playlist that came from `url`; `inherited` are the variables of its master playlist.

    Raises NotAPlaylist or MalformedPlaylist.
    """
    text = text.lstrip("\ufeff \t\r\n")
    if not text.startswith("#EXTM3U"):
        raise NotAPlaylist("no HLS playlist: it does not begin with #EXTM3U")
    try:
        text, variables = substituted(text, url, inherited)
        reading = _Reading(Playlist(variables=variables))
        for line in text.split("\n"):
            reading.take(line.strip())
    except ValueError as error:
        raise MalformedPlaylist(f"a malformed playlist ({str(error)[:120]})") from error
    return reading.playlist


@dataclass(slots=True)
class _Reading:
    """What has been read so far, and what the lines before say of the next address. Raises ValueError."""

    playlist: Playlist
    variant: dict[str, str] | None = None
    duration_s: float | None = None
    byte_range: str = ""
    gap: bool = False
    init: Part | None = None
    protection: Protection = CLEAR
    run: int = 0
    ends: dict[str, int] = field(default_factory=dict)

    def take(self, line: str) -> None:
        if not line.startswith("#"):
            if line:
                self._address(line)
        elif line.startswith("#EXT"):
            tag, _, told = line.partition(":")
            if act := _TAGS.get(tag):
                act(self, told)

    def _address(self, uri: str) -> None:
        if self.variant is not None:
            self.playlist.variants.append(_variant(uri, self.variant))
            self.variant = None
        elif self.duration_s is not None:
            media = _part(uri, self.byte_range, self.ends.get(uri, 0))
            if media.length is not None:
                self.ends[uri] = media.start + media.length
            if not self.gap:
                self._segment(media, self.duration_s)
            self.duration_s, self.byte_range, self.gap = None, "", False

    def _segment(self, media: Part, duration_s: float) -> None:
        self.playlist.segments.append(Segment(media, self.init, duration_s, self.protection, self.run))

    def stream_inf(self, told: str) -> None:
        self.playlist.is_master = True
        self.variant = attributes(told)

    def media(self, told: str) -> None:
        """Sound apart: of each group the default one, else the first; one without an address is no file."""
        self.playlist.is_master = True
        named = attributes(told)
        group, uri = named.get("GROUP-ID", ""), named.get("URI", "")
        if named.get("TYPE") == "AUDIO" and (
            named.get("DEFAULT") == "YES" or group not in self.playlist.sounds
        ):
            self.playlist.sounds[group] = uri

    def extinf(self, told: str) -> None:
        duration = float(told.partition(",")[0])
        self.duration_s = duration if math.isfinite(duration) and duration > 0 else 0.0

    def key(self, told: str) -> None:
        named = attributes(told)
        self.protection = self.protection.and_key(named.get("METHOD", "NONE"), named.get("KEYFORMAT", ""))

    def map(self, told: str) -> None:
        named = attributes(told)
        self.init = _part(named["URI"], named.get("BYTERANGE", ""), 0) if named.get("URI") else None

    def set_byte_range(self, told: str) -> None:
        self.byte_range = told.strip()

    def set_gap(self, told: str) -> None:
        self.gap = True

    def discontinuity(self, told: str) -> None:
        self.run += 1

    def master(self, told: str) -> None:
        self.playlist.is_master = True

    def endlist(self, told: str) -> None:
        self.playlist.ended = True

    def playlist_type(self, told: str) -> None:
        self.playlist.vod = told.strip().upper() == "VOD"

    def media_sequence(self, told: str) -> None:
        self.playlist.media_sequence = int(told)

    def part(self, told: str) -> None:
        self.playlist.has_parts = True

    def key_frames(self, told: str) -> None:
        self.playlist.only_key_frames = True


_TAGS: Final[Mapping[str, Callable[[_Reading, str], None]]] = {
    "#EXTINF": _Reading.extinf,
    "#EXT-X-BYTERANGE": _Reading.set_byte_range,
    "#EXT-X-DISCONTINUITY": _Reading.discontinuity,
    "#EXT-X-ENDLIST": _Reading.endlist,
    "#EXT-X-GAP": _Reading.set_gap,
    "#EXT-X-I-FRAMES-ONLY": _Reading.key_frames,
    "#EXT-X-I-FRAME-STREAM-INF": _Reading.master,
    "#EXT-X-KEY": _Reading.key,
    "#EXT-X-MAP": _Reading.map,
    "#EXT-X-MEDIA": _Reading.media,
    "#EXT-X-MEDIA-SEQUENCE": _Reading.media_sequence,
    "#EXT-X-PART": _Reading.part,
    "#EXT-X-PLAYLIST-TYPE": _Reading.playlist_type,
    "#EXT-X-PRELOAD-HINT": _Reading.part,
    "#EXT-X-STREAM-INF": _Reading.stream_inf,
}


def attributes(told: str) -> dict[str, str]:
    """An attribute list (section 4.2), quotes dropped."""
    return {name: value.strip().strip('"') for name, value in _ATTRIBUTE.findall(told)}


def _variant(uri: str, named: Mapping[str, str]) -> Variant:
    size = _SIZE.fullmatch(named.get("RESOLUTION", ""))
    bandwidth = named.get("BANDWIDTH", "")
    return Variant(
        uri=uri,
        width=int(size[1]) if size else 0,
        height=int(size[2]) if size else 0,
        bandwidth=int(bandwidth[:12]) if bandwidth.isascii() and bandwidth.isdecimal() else 0,
        codecs=named.get("CODECS", "")[:200],
        audio=named.get("AUDIO", ""),
    )


def _part(uri: str, byte_range: str, follows: int) -> Part:
    """A sub-range `<length>[@<start>]`; without a start it follows the one before (section 4.3.2.2)."""
    if not byte_range:
        return Part(uri)
    told = _BYTE_RANGE.fullmatch(byte_range.strip('"'))
    if told is None:
        raise ValueError(f"a byte range {byte_range[:40]!r}")
    return Part(uri, follows if told[2] is None else int(told[2]), int(told[1]))
