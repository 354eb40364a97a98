"""The time of a DASH manifest: when its periods begin, and how far a live one has come (ISO/IEC 23009-1).

Pure: the time is an argument, in seconds since the epoch. UTCTiming is ignored: our own clock is kept right.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from providers.probe.mpd_level import Unclear, children

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

BEHIND_S: Final = 10.0
"""Seconds behind the live edge at which to look, or more if the manifest asks for it: clocks differ."""
_DURATION = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10}(?:\.\d{1,9})?)S)?)?")


@dataclass(frozen=True, slots=True)
class Span:
    """A period, when it starts, and for how long it lasts if that is known; seconds of the presentation."""

    period: Element
    start_s: float
    duration_s: float | None


def spans(root: Element) -> list[Span]:
    """The periods with their times (section 5.3.2.1): one that does not say goes on where the last ended."""
    found: list[Span] = []
    for period in children(root, "Period"):
        after = found[-1].start_s + (found[-1].duration_s or 0.0) if found else 0.0
        start = seconds(period.get("start", "")) if period.get("start") else after
        found.append(Span(period, start, seconds(period.get("duration", "")) or None))
    total = seconds(root.get("mediaPresentationDuration", ""))
    ends = [*(span.start_s for span in found[1:]), total]
    return [
        Span(
            span.period, span.start_s, span.duration_s or (end - span.start_s if end > span.start_s else None)
        )
        for span, end in zip(found, ends, strict=False)
    ]


def edge(root: Element, span: Span, now: float) -> float:
    """Seconds into a live period up to which its segments can be had, with a margin.

    Raises Unclear for a period that has not begun, or of which the manifest does not say when it does.
    """
    began = _instant(root.get("availabilityStartTime", ""))
    if began is None:
        raise Unclear("a live manifest does not say when it began")
    window = seconds(root.get("timeShiftBufferDepth", "")) or math.inf
    behind = min(max(seconds(root.get("suggestedPresentationDelay", "")), BEHIND_S), window / 2)
    into = now - began - span.start_s
    if into < 0:
        raise Unclear("a live presentation that has not begun")
    return min(max(into - behind, 0.0), span.duration_s or math.inf)


def _instant(text: str) -> float | None:
    """An XML Schema dateTime; without a zone it is UTC."""
    try:
        told = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()


def seconds(duration: str) -> float:
    """An XML Schema duration without years and months: `PT1H2M3.5S` is 3723.5. Anything else is 0."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        return 0.0
    days, hours, minutes, rest = (float(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + rest
