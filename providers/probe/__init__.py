"""Probes: what a URL really serves, measured from a few kilobytes of it.

A probe never raises for what the network does and never believes what it can measure. All it reads comes
through the guarded session that it is handed; nothing in a manifest is followed any other way.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import replace

from core.redact import redact
from providers.probe.dash import probe_dash
from providers.probe.embed import probe_embed
from providers.probe.hls import probe_hls
from providers.probe.media import MAX_SECONDS
from providers.probe.progressive import probe_progressive
from providers.probe.reader import Fetcher, Reader, Verdict
from providers.types import Delivery, ProbeResult

__all__ = ["Fetcher", "probe"]

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")


def probe(
    url: str,
    delivery: Delivery,
    session: Fetcher,
    *,
    site_origin: str = "",
    clock: Callable[[], float] = time.time,
) -> ProbeResult:
    """What `url` serves, within a budget of time, bytes, requests and redirects (`providers.probe.reader`).

    `site_origin` ("https://tv.example.org") is who would frame an embed; it matters only where a page lists
    who may. `clock` gives seconds since the epoch: which segment of a live stream is the newest goes by it.
    """
    reader = Reader(session)
    try:
        result = _probed(reader, url, delivery, site_origin, clock)
    except Verdict as verdict:
        result = ProbeResult(outcome=verdict.outcome, evidence=verdict.evidence)
    return replace(
        result,
        evidence=_plain(redact(result.evidence, reader.secrets))[:500],
        codecs=_plain(redact(result.codecs, reader.secrets)),
        duration_s=result.duration_s if result.duration_s <= MAX_SECONDS else 0.0,
        latency_ms=reader.latency_ms,
        bytes_read=reader.bytes_read,
    )


def _probed(
    reader: Reader, url: str, delivery: Delivery, site_origin: str, clock: Callable[[], float]
) -> ProbeResult:
    match delivery:
        case Delivery.HLS:
            return probe_hls(reader, url)
        case Delivery.DASH:
            return probe_dash(reader, url, now=clock())
        case Delivery.PROGRESSIVE:
            return probe_progressive(reader, url)
        case Delivery.EMBED:
            return probe_embed(reader, url, site_origin=site_origin)


def _plain(text: str) -> str:
    """What somebody else wrote, fit for a database column and a log's line: no control characters."""
    return _UNPRINTABLE.sub(" ", text)
