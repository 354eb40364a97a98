"""A provider's week as a small chart, drawn on the server, with its table; and its state. It only reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import NamedTuple

from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.templatetags.ago import ago
from providers import health, hours
from providers.health import State
from providers.models import Provider, ProviderHour

DAYS, HOURS_A_DAY = 7, 24
HEIGHT = 40
"""Of a bar, in the chart's own units; an hour is one wide."""
NOTHING = "—"
Counted = Callable[[ProviderHour], tuple[int, int]]


class Bar(NamedTuple):
    """One hour: how high it stands (all went well: HEIGHT), and what of it is lacking above."""

    x: int
    good: int
    bad: int


class Strip(NamedTuple):
    """What was counted, and the bars of the hours that have any."""

    label: str
    bars: list[Bar]


class Day(NamedTuple):
    """One line of the table; what was not counted is a dash."""

    day: date
    searches: str
    latency: str
    streams: str
    claims: str


def week(provider: Provider, at: datetime) -> SafeString:
    """The last seven days of UTC, today included: what was asked, how fast it answered, what proved true."""
    end = at.astimezone(UTC).replace(hour=HOURS_A_DAY - 1)
    counted = hours.last(provider.slug, end, hours=DAYS * HOURS_A_DAY)
    context = {
        "strips": [
            _strip("Searches answered", counted, _searches),
            _strip("Streams that played", counted, _streams),
        ],
        "days": [_day(day, list(rows)) for day, rows in groupby(counted, key=lambda row: row.hour.date())],
        "width": len(counted),
        "height": HEIGHT,
        "lines": range(HOURS_A_DAY, len(counted), HOURS_A_DAY),
    }
    return render_to_string("admin/providers/provider/_week.html", context)


def state(provider: Provider, at: datetime) -> SafeString:
    """How it stands, with what an operator has to know of it."""
    match health.state(provider, at):
        case State.OFF:
            return _tag("off", "")
        case State.BLAMED:
            return _told(_tag(f"blamed {ago(provider.blamed_at or at)}", "bad"), provider.blame)
        case State.BACKING_OFF:
            return _told(_tag("backing off", "warn"), f"asked again {ago(provider.backoff_until or at)}")
        case State.ON_TRIAL:
            return _told(_tag("on trial", "warn"), "the next search finds out whether it is back")
        case State.FAILING:
            return _told(_tag("failing", "warn"), "see its last error")
    return _tag("on", "good")


def _told(tag: SafeString, what: str) -> SafeString:
    return format_html("{} {}", tag, what)


def _searches(row: ProviderHour) -> tuple[int, int]:
    """How many went well, of how many."""
    return row.answered, row.answered + row.failed


def _streams(row: ProviderHour) -> tuple[int, int]:
    return row.probes - row.probes_failed, row.probes


def _claims(row: ProviderHour) -> tuple[int, int]:
    return row.claims_kept, row.claims


def _strip(label: str, counted: Sequence[ProviderHour], of: Counted) -> Strip:
    """What is a little bad shows: a failure in a thousand is one unit high."""
    bars = []
    for x, row in enumerate(counted):
        well, total = of(row)
        if total:
            bad = math.ceil(HEIGHT * (total - well) / total)
            bars.append(Bar(x, HEIGHT - bad, bad))
    return Strip(label, bars)


def _day(day: date, rows: Sequence[ProviderHour]) -> Day:
    answered, latency_ms = sum(row.answered for row in rows), sum(row.latency_ms for row in rows)
    latency = f"{latency_ms / answered:.0f} ms" if answered else NOTHING
    return Day(day, _share(rows, _searches), latency, _share(rows, _streams), _share(rows, _claims))


def _share(rows: Iterable[ProviderHour], of: Counted) -> str:
    well, total = (sum(numbers) for numbers in zip(*map(of, rows), strict=True))
    return f"{well} of {total}" if total else NOTHING


def _tag(text: str, tone: str) -> SafeString:
    return format_html('<span class="tag{}">{}</span>', f" tag-{tone}" if tone else "", text)
