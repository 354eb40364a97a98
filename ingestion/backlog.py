"""How much work waits for a worker, and for how long; the tick says so once when it becomes too long."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Min

from ingestion.models import IngestLog, IngestRun, Job
from ingestion.reports import Report

logger = logging.getLogger(__name__)

TOO_LONG = timedelta(minutes=30)
"""A run that waits longer, while workers answer, means that more comes in than they can do."""


class Backlog(NamedTuple):
    """Queued runs, and for how long the oldest of them has waited."""

    runs: int
    oldest: timedelta

    @property
    def too_long(self) -> bool:
        return self.oldest > TOO_LONG


def measure(at: datetime) -> Backlog:
    """Without retries: those wait on purpose, the later ones for more than an hour."""
    queued = IngestRun.objects.filter(status=IngestRun.Status.QUEUED).exclude(trigger="retry")
    seen = queued.aggregate(runs=Count("pk"), since=Min("queued_at"))
    return Backlog(seen["runs"], max(at - (seen["since"] or at), timedelta(0)))


def watch(report: Report, at: datetime) -> dict[str, int]:
    """Part of the tick, so it runs only where there are workers: say when the queue becomes too long, and
    when it no longer is. The tick before remembers how it was, in its summary.
    """
    backlog = measure(at)
    if backlog.too_long != _was_too_long():
        _say(report, backlog)
    return {"queue": backlog.runs, "queue_too_long": int(backlog.too_long)}


def _was_too_long() -> bool:
    ticks = IngestRun.objects.filter(job=Job.TICK, status=IngestRun.Status.SUCCEEDED).order_by("-id")
    before = ticks.values_list("summary", flat=True).first() or {}
    return bool(before.get("queue_too_long"))


def _say(report: Report, backlog: Backlog) -> None:
    minutes = backlog.oldest // timedelta(minutes=1)
    if backlog.too_long:
        waits = f"{backlog.runs} runs wait, the oldest for {minutes} minutes"
        words = f"Work comes in faster than it is done: {waits}."
        logger.warning("%s More workers would help.", words)
        report.log(IngestLog.Status.WARNING, words)
    else:
        words = f"The queue has caught up: {backlog.runs} runs wait."
        logger.info(words)
        report.log(IngestLog.Status.OK, words)
