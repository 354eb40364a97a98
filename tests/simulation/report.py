"""A simulated day as a table: what it asked of Marquee, and what held."""

from __future__ import annotations

import time
from collections import Counter

from ingestion.models import IngestRun
from streaming.models import Movie, StreamSwitch
from tests.simulation.day import Day


def switches(day: Day) -> Counter[str]:
    """The turns of the day by reason."""
    return Counter(StreamSwitch.objects.values_list("reason", flat=True))


def table(day: Day, seconds: float) -> str:
    """All figures, one to a line."""
    by_reason = switches(day)
    rows: list[tuple[str, object]] = [
        ("seed", day.seed),
        ("simulated hours", round(day.minutes / 60, 1)),
        ("movies", f"{Movie.objects.count()}, {Movie.objects.published().count()} published at the end"),
        ("calls", f"{day.wire.calls.total()}, {day.wire.failing:.1%} failing"),
        *((f"  {kind}", count) for kind, count in day.wire.calls.most_common()),
        ("switches", by_reason.total()),
        *((f"  {reason}", count) for reason, count in by_reason.most_common()),
        ("kills", day.kills.total()),
        *((f"  {where}", count) for where, count in day.kills.most_common()),
        ("runs", IngestRun.objects.count()),
        *(
            (f"  {s}", n)
            for s, n in Counter(IngestRun.objects.values_list("status", flat=True)).most_common()
        ),
        ("people", day.journal.counts.total()),
        *((f"  {what}", count) for what, count in sorted(day.journal.counts.items())),
        ("invariants", f"{len(day.checked)}, checked {day.checked.total()} times in all"),
        *((f"  {name}", f"{count} times") for name, count in day.checked.items()),
        ("digest of the log", day.digest()),
        ("violations", len(day.violations)),
        ("wall time", f"{seconds:.0f} s, {time.process_time():.0f} s of the processor"),
    ]
    return "\n".join(f"{name:<42} {value}" for name, value in rows)
