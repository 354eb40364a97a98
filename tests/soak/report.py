"""What a soak came to, as lines for a terminal."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping

from ingestion.models import IngestRun, Job
from tests.soak.checks import Seen

SHOWN = 5


def table(seen: Seen, violations: Mapping[str, list[str]], took_s: float) -> str:
    return "\n".join([*_figures(seen, took_s), "", *_verdicts(violations)])


def _figures(seen: Seen, took_s: float) -> Iterator[str]:
    matches = [run for run in seen.runs.values() if run.job == Job.MATCH]
    ended = Counter(run.status for run in matches)
    asked_by = Counter(run.trigger for run in matches)
    ticks = [run for run in seen.runs.values() if run.job == Job.TICK]
    published = sum(run.summary.get("published", 0) for run in ticks)
    yield f"\n{took_s:.0f} s, {ended[IngestRun.Status.SUCCEEDED] / took_s:.1f} matches a second"
    yield "matches: " + ", ".join(f"{count} {status}" for status, count in sorted(ended.items()))
    yield "asked by: " + ", ".join(f"{count} {trigger}" for trigger, count in sorted(asked_by.items()))
    longest = max(_seconds(ticks), default=0)
    yield f"{len(ticks)} ticks of {longest:.0f} s at most; {published} runs were published again"
    yield f"{len(seen.unacknowledged)} messages were with workers that died"
    if seconds := sorted(_seconds(matches)):
        yield f"a match takes {statistics.median(seconds):.2f} s at the median, {seconds[-1]:.2f} s at most"


def _seconds(runs: list[IngestRun]) -> Iterator[float]:
    for run in runs:
        if run.status == IngestRun.Status.SUCCEEDED and run.started_at and run.finished_at:
            yield (run.finished_at - run.started_at).total_seconds()


def _verdicts(violations: Mapping[str, list[str]]) -> Iterator[str]:
    for name, found in violations.items():
        yield f"{'ok' if not found else len(found):>6}  {name}"
        yield from (f"          {what}" for what in found[:SHOWN])
