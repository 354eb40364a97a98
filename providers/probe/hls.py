"""HLS: master playlist, best variant, its playlist, and the media itself, measured; and the sound apart.

Media playlists are read from their beginning: a film's is long, and its first lines suffice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from providers.messages import NOTHING
from providers.probe.finding import bounded, join, measure_stream, require_media, size_found
from providers.probe.measure import what_else
from providers.probe.playlist import MalformedPlaylist, NotAPlaylist, Playlist, Segment, Variant, parse
from providers.probe.reader import BLOCK, Reader, Verdict
from providers.types import ProbeOutcome, ProbeResult

MAX_PLAYLIST: Final = 131_072
LISTED: Final = 8_192
"""Bytes of a variant's playlist that are read at first: its first segments are there."""
_TRIED: Final = 2
"""Variants: where one is dead, a player goes on to the next."""


@dataclass(frozen=True, slots=True)
class Found:
    """A playlist, the address it came from, and whether it was read to its end."""

    playlist: Playlist
    url: str
    whole: bool

    @property
    def live(self) -> bool:
        listed = self.playlist
        return not (listed.ended or listed.vod or (not self.whole and listed.media_sequence == 0))

    def segment(self) -> Segment:
        """The one to look at: the newest of a live window, else the first of the longest unbroken run.

        The oldest of a live window may go while it is asked for; a run by itself may be an advertisement.
        """
        if self.playlist.only_key_frames:
            raise Verdict(ProbeOutcome.DEAD, "the playlist holds nothing but key frames to seek by")
        if not self.playlist.segments:
            outcome = ProbeOutcome.INCONCLUSIVE if self.playlist.has_parts else ProbeOutcome.DEAD
            raise Verdict(outcome, "the playlist lists no segments")
        if self.live:
            return self.playlist.segments[-1]
        runs: dict[int, float] = {}
        for segment in self.playlist.segments:
            runs[segment.run] = runs.get(segment.run, 0.0) + segment.duration_s
        longest = max(runs, key=lambda run: runs[run])
        return next(segment for segment in self.playlist.segments if segment.run == longest)


def probe_hls(reader: Reader, url: str) -> ProbeResult:
    """Measure the best variant of a master playlist, or a media playlist itself. Raises Verdict."""
    found = _fetch(reader, url, at_first=BLOCK)
    if not found.playlist.is_master:
        return _measured(reader, found, Variant(uri=url), "")
    variants = ranked(found.playlist.variants)
    told = f"best of {len(variants)} variants, " if len(variants) > 1 else "the only variant, "
    dead = None
    for variant in variants[:_TRIED]:
        try:
            return _variant(reader, found, variant, told)
        except Verdict as verdict:
            if verdict.outcome is not ProbeOutcome.DEAD:
                raise
            dead = dead or verdict
            told = f"second best of {len(variants)} variants ({dead.evidence}), "
    raise dead or Verdict(ProbeOutcome.DEAD, "the master playlist lists no variants")


def ranked(variants: list[Variant]) -> list[Variant]:
    """By lines, columns and bits, the best first; sound alone comes last."""
    return sorted(
        variants, key=lambda one: (not one.sound_alone, one.height, one.width, one.bandwidth), reverse=True
    )


def _variant(reader: Reader, master: Found, variant: Variant, told: str) -> ProbeResult:
    variables = master.playlist.variables
    listed = _fetch(reader, join(master.url, variant.uri), at_first=LISTED, inherited=variables)
    result = _measured(reader, listed, variant, told)
    if sound := master.playlist.sounds.get(variant.audio):
        _require_sound(reader, join(master.url, sound), variables)
    return result


def _measured(reader: Reader, found: Found, variant: Variant, told: str) -> ProbeResult:
    if found.playlist.is_master:
        raise Verdict(ProbeOutcome.INCONCLUSIVE, "a master playlist inside a master playlist")
    segment = found.segment()
    protection = segment.protection
    media, size = measure_stream(
        reader, segment.init, segment.media, base=found.url, opaque=protection.opaque
    )
    bitrate = size * 8 / segment.duration_s if size and segment.duration_s else 0
    picture, how = size_found(media, (variant.width, variant.height), encryption=str(protection))
    return ProbeResult(
        outcome=ProbeOutcome.OK,
        evidence=f"{told}{how}{'; live' if found.live else ''}",
        width=picture[0],
        height=picture[1],
        bitrate_bps=bounded(variant.bandwidth or bitrate),
        codecs=variant.codecs or media.codecs,
        duration_s=found.playlist.duration_s if found.whole else 0.0,
        live=found.live,
    )


def _require_sound(reader: Reader, url: str, variables: Mapping[str, str]) -> None:
    """Players stop where the sound that belongs to a picture is gone."""
    try:
        found = _fetch(reader, url, at_first=LISTED, inherited=variables)
        require_media(reader, found.segment().media, base=found.url)
    except Verdict as verdict:
        raise Verdict(verdict.outcome, f"the sound apart: {verdict.evidence}") from verdict


def _fetch(reader: Reader, url: str, *, at_first: int, inherited: Mapping[str, str] = NOTHING) -> Found:
    """The playlist at an address. A master playlist must be read whole, another until a segment comes."""
    for limit in (at_first, MAX_PLAYLIST):
        body, place, whole = reader.beginning(url, limit)
        text = body.decode("utf-8", "replace")
        if not whole:
            text = text.rpartition("\n")[0] or text
        playlist = _parsed(text, body, place, inherited)
        if whole or playlist.segments:
            return Found(playlist, place, whole)
    what = "a master playlist" if playlist.is_master else "a playlist without a segment in it"
    raise Verdict(ProbeOutcome.INCONCLUSIVE, f"{what} of more than {MAX_PLAYLIST // 1024} kB")


def _parsed(text: str, body: bytes, url: str, inherited: Mapping[str, str]) -> Playlist:
    try:
        return parse(text, url=url, inherited=inherited)
    except NotAPlaylist as error:
        what = what_else(body) or "of unknown content"
        raise Verdict(ProbeOutcome.DEAD, f"{error}; it is {what}") from error
    except MalformedPlaylist as error:
        raise Verdict(ProbeOutcome.INCONCLUSIVE, str(error)) from error
