"""A progressive file: one request and 16 kB when its header comes first, a jump or two when it comes last."""

from __future__ import annotations

from providers.probe.finding import bounded, measure_or_dead
from providers.probe.media import Media
from providers.probe.reader import Reader, RemoteFile, Verdict
from providers.types import ProbeOutcome, ProbeResult

PLAYABLE = frozenset({"MP4", "WebM", "Matroska"})


def probe_progressive(reader: Reader, url: str) -> ProbeResult:
    """Measure an MP4 or WebM file. Raises Verdict when it is none."""
    file = RemoteFile(reader, url)
    media = measure_or_dead(file, "the file")
    if media.container not in PLAYABLE:
        found = media.container or "an unknown format"
        raise Verdict(ProbeOutcome.DEAD, f"the file is {found}, not MP4 or WebM")
    _require_picture(media)
    bitrate = file.size * 8 / media.duration_s if file.size and media.duration_s else 0
    return ProbeResult(
        outcome=ProbeOutcome.OK,
        evidence=f"{media.container} file measured {media.width}x{media.height}",
        width=media.width,
        height=media.height,
        bitrate_bps=bounded(bitrate),
        codecs=media.codecs,
        duration_s=media.duration_s,
    )


def _require_picture(media: Media) -> None:
    if media.measured:
        return
    if media.has_video is False:
        raise Verdict(ProbeOutcome.DEAD, f"{media.container} file without a video track")
    if media.has_video is None:
        raise Verdict(ProbeOutcome.DEAD, f"{media.container} file without a header: no player can start it")
    raise Verdict(ProbeOutcome.INCONCLUSIVE, f"{media.container} file whose picture size cannot be read")
