"""DASH: the manifest, then the best video's init section and one of its segments, measured."""

from __future__ import annotations

from typing import Final

from providers.probe import mpd
from providers.probe.finding import bounded, measure_stream, require_media, size_found
from providers.probe.measure import what_else
from providers.probe.media import Part
from providers.probe.reader import Reader, Verdict
from providers.types import ProbeOutcome, ProbeResult

MAX_MANIFEST: Final = 524_288


def probe_dash(reader: Reader, url: str, *, now: float) -> ProbeResult:
    """Measure the best video of a manifest, at `now` (seconds since the epoch). Raises Verdict."""
    plan = _fetch(reader, url, now)
    media, _ = measure_stream(reader, plan.init, plan.media)
    size, how = size_found(media, (plan.width, plan.height), encryption=str(plan.protection))
    _require_sound(reader, plan.sound)
    live = "; live" if plan.live else ""
    return ProbeResult(
        outcome=ProbeOutcome.OK,
        evidence=f"best of {plan.representations} video representations, {how}{live}",
        width=size[0],
        height=size[1],
        bitrate_bps=bounded(plan.bandwidth),
        codecs=plan.codecs or media.codecs,
        duration_s=plan.duration_s,
        live=plan.live,
    )


def _require_sound(reader: Reader, sound: Part | None) -> None:
    """Players stop where the sound that belongs to a picture is gone."""
    try:
        require_media(reader, sound)
    except Verdict as verdict:
        raise Verdict(verdict.outcome, f"the sound apart: {verdict.evidence}") from verdict


def _fetch(reader: Reader, url: str, now: float) -> mpd.Plan:
    response = reader.get(url, max_bytes=MAX_MANIFEST)
    if response.truncated:
        raise Verdict(ProbeOutcome.INCONCLUSIVE, f"a manifest of more than {MAX_MANIFEST // 1024} kB")
    try:
        return mpd.plan(response.body, response.url, now=now)
    except mpd.Unclear as error:
        raise Verdict(ProbeOutcome.INCONCLUSIVE, str(error)) from error
    except mpd.Unusable as error:
        raise Verdict(ProbeOutcome.DEAD, str(error)) from error
    except mpd.NotAManifest as error:
        looks_right = b"<MPD" in response.body[:4096]
        what = "" if looks_right else f"; it is {what_else(response.body) or 'of unknown content'}"
        outcome = ProbeOutcome.INCONCLUSIVE if looks_right else ProbeOutcome.DEAD
        raise Verdict(outcome, f"no DASH manifest: {error}{what}") from error
