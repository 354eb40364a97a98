"""Probes: what a URL really serves, measured from a few kilobytes of it.

A probe never raises for what the network does and never believes what it can measure. All it reads comes
through the guarded session that it is handed; nothing in a manifest is followed any other way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from providers.probe.dash import probe_dash
from providers.probe.embed import probe_embed
from providers.probe.hls import probe_hls
from providers.probe.progressive import probe_progressive
from providers.probe.reader import Fetcher, Reader, Verdict
from providers.types import Delivery, ProbeResult

__all__ = ["Fetcher", "probe"]

_PROBES: Final[Mapping[Delivery, Callable[[Reader, str], ProbeResult]]] = {
    Delivery.HLS: probe_hls,
    Delivery.DASH: probe_dash,
    Delivery.PROGRESSIVE: probe_progressive,
}


def probe(url: str, delivery: Delivery, session: Fetcher, *, site_origin: str = "") -> ProbeResult:
    """What `url` serves, within a budget of time, bytes and requests (see `providers.probe.reader`).

    `site_origin` ("https://tv.example.org") is who would frame an embed; it matters only where a page lists
    who may.
    """
    reader = Reader(session)
    try:
        if delivery is Delivery.EMBED:
            result = probe_embed(reader, url, site_origin=site_origin)
        else:
            result = _PROBES[delivery](reader, url)
    except Verdict as verdict:
        result = ProbeResult(outcome=verdict.outcome, evidence=verdict.evidence)
    return replace(
        result,
        evidence=result.evidence[:500],
        latency_ms=reader.latency_ms,
        bytes_read=reader.bytes_read,
    )
