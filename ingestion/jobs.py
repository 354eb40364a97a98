"""Our own jobs, and the one way to run any. What a job does is in the module named beside it.

Their names, their times and what they take are said here and nowhere else.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ingestion import applying, discovery, maintenance, matching, prune, refresh, reverify, runs, slots
from ingestion.models import IngestRun, Job
from ingestion.registry import JOBS, job
from ingestion.reports import Failed, Report

Summary = dict[str, Any]

GONE_AT_ONCE = 100


@job(
    Job.DISCOVER,
    "Reads what TMDB lists, takes in new movies and queues their searches.",
    cron="INGEST_DISCOVER_CRON",
)
def discover(report: Report) -> Summary:
    return discovery.discover(report)


@job(
    Job.MATCH,
    "Finds, measures and switches the streams of one movie, or queues all that are due.",
    takes_movie=True,
    time_limit=timedelta(hours=1),  # at the slowest pace a search and its probes take half of it
)
def match(report: Report) -> Summary:
    movie_id = report.run.movie_id
    return refresh.match_due(report) if movie_id is None else matching.match(report, movie_id)


@job(
    Job.REFRESH,
    "Queues a search for movies below their target whose back-off has ended.",
    cron="INGEST_REFRESH_CRON",
)
def refresh_due(report: Report) -> Summary:
    return refresh.refresh(report)


@job(Job.REVERIFY, "Probes the streams that are due, active ones first.", cron="INGEST_REVERIFY_CRON")
def reverify_due(report: Report) -> Summary:
    return reverify.reverify(report)


@job(
    Job.APPLY,
    "Switches to what the settings now allow, and searches again where the target was raised.",
    cron="41 3 * * *",  # queued by every change of them; this is for one whose process died before that
    time_limit=timedelta(days=1),
)
def apply_policy(report: Report) -> Summary:
    return applying.apply(report)


@job(
    Job.ENFORCE,
    "Does what policy.apply does, and leaves streams that play but that the settings now forbid.",
    time_limit=timedelta(days=1),
)
def enforce_policy(report: Report) -> Summary:
    return applying.enforce(report)


@job(
    Job.TICK,
    "Does whatever has just fallen due.",
    cron="* * * * *",
    time_limit=timedelta(minutes=15),  # who finds what hangs must not hang for long himself
)
def tick(report: Report) -> Summary:
    gone = partial(close_gone, at=report.now())
    return maintenance.tick(report, ("The sweep of runs whose job is no more", gone))


@job(Job.PRUNE, "Deletes what nobody needs any more: old versions, logs and runs.", cron="17 * * * *")
def prune_old(report: Report) -> Summary:
    return prune.prune(report)


def execute(run_id: uuid.UUID) -> IngestRun | None:
    """Do the work of a queued run. None when it is not queued (any more)."""
    return runs.execute(run_id, _work)


def close_gone(*, at: datetime) -> dict[str, int]:
    """Fail the runs that wait for a job which is no more: no worker has a task of its name.

    Only those that have waited a while: during an update, other workers may know more jobs than this one.
    """
    waiting = IngestRun.objects.filter(status=IngestRun.Status.QUEUED, queued_at__lte=at - slots.QUEUED_LEASE)
    for run in waiting.exclude(job__in=list(JOBS)).order_by("pk")[:GONE_AT_ONCE]:
        execute(run.pk)
    return {}


def _work(report: Report) -> Summary:
    """What the job of this run does."""
    if (spec := JOBS.get(report.run.job)) is None:
        raise Failed(f"There is no job {report.run.job} any more. There are: {', '.join(JOBS)}.")
    return spec.work(report)
