"""What jobs, switches, providers, the catalogue and the databases come to in numbers. Nothing is written.

What happened between two moments is found by indexes. How the catalogue stands takes a look at every row of
it: whoever asks keeps the answer for a while.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict
from datetime import datetime
from typing import Any

from django.db import connections
from django.db.models import Count, QuerySet
from django_celery_beat.models import PeriodicTask

from core import databases
from ingestion.models import IngestRun, RunStatus, Slot
from ingestion.status import ENDED
from providers import hours
from providers.models import Provider
from streaming.models import QUALITY_CHOICES, Movie, StreamSwitch, StreamVersion

Figures = dict[str, Any]

WORKED = (RunStatus.SUCCEEDED, RunStatus.FAILED)
"""How a run ends whose end is that of its work: a lost one ends when it is found."""


def counted(start: datetime, end: datetime) -> Figures:
    """What happened from `start` to before `end`, from the logs."""
    return {"jobs": jobs(start, end), "switches": switches(start, end), "calls": hours.totals(start, end)}


def standing() -> Figures:
    """How catalogue, providers and databases stand at this moment."""
    return {**catalogue(), "databases": {alias: database(alias) for alias in connections}}


def jobs(start: datetime, end: datetime) -> dict[str, Figures]:
    """By job, how many of its runs ended how, and in how many seconds those that came to an end did."""
    over = IngestRun.objects.filter(finished_at__gte=start, finished_at__lt=end)
    ended: defaultdict[str, Counter[str]] = defaultdict(Counter)
    took: defaultdict[str, list[float]] = defaultdict(list)
    for job, status, began, done in over.values_list("job", "status", "started_at", "finished_at").iterator():
        ended[job][status] += 1
        if status in WORKED and began is not None and done is not None:
            took[job].append((done - began).total_seconds())
    return {job: {**_ends(ended[job]), **_durations(took[job])} for job in sorted(ended)}


def switches(start: datetime, end: datetime) -> dict[str, int]:
    """How many turns there were for each reason."""
    counts = _tally(StreamSwitch.objects.filter(at__gte=start, at__lt=end), "reason")
    return {reason.value: counts.get(reason.value, 0) for reason in StreamSwitch.Reason}


def catalogue() -> Figures:
    """Movies that the public sees, by quality; those without a stream; versions by what their probes say; how
    providers have been doing."""
    showing = _tally(Movie.objects.published(), "active_quality")
    states = _tally(StreamVersion.objects.all(), "state")
    return {
        "movies": {
            "published": sum(showing.values()),
            "without_stream": Movie.objects.present().filter(active_stream__isnull=True).count(),
            "by_quality": {label: showing.get(value, 0) for value, label in QUALITY_CHOICES},
        },
        "versions": {state.value: states.get(state.value, 0) for state in StreamVersion.State},
        "providers": {each.slug: each.scores for each in Provider.objects.order_by("pk")},
    }


def database(alias: str) -> Figures:
    """Its kind, how long a look-up by key takes, and what it takes of the disk."""
    found = {
        PeriodicTask.objects.db: PeriodicTask.objects.filter(pk=0),
        Slot.objects.db: Slot.objects.filter(pk=""),
    }
    took_s = _seconds(found[alias])
    return {
        "kind": connections[alias].display_name,
        "latency_ms": round(took_s * 1000, 3),
        "bytes": databases.size_bytes(alias),
    }


def _ends(counts: Counter[str]) -> Figures:
    return {status.value: counts[status.value] for status in ENDED}


def _durations(took: list[float]) -> Figures:
    """Sum and maximum may be added up over days. The 95th percentile is that of the nearest rank."""
    took.sort()
    rank = math.ceil(0.95 * len(took)) - 1
    return {
        "timed": len(took),
        "took_s": round(sum(took), 3),
        "p95_s": round(took[rank], 3) if took else None,
        "max_s": round(took[-1], 3) if took else None,
    }


def _tally(rows: QuerySet[Any], column: str) -> dict[Any, int]:
    """How many rows there are of each value."""
    return dict(rows.values_list(column).annotate(n=Count("pk")).order_by())


def _seconds(row: QuerySet[Any]) -> float:
    """How long it takes to look for it on a connection that is there already."""
    row.exists()
    began = time.perf_counter()
    row.exists()
    return time.perf_counter() - began
