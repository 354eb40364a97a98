"""Every job and its work, and the one way to run it. What a job does is in the module named beside it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from ingestion import discovery, maintenance, matching, prune, refresh, reverify, runs
from ingestion.models import IngestRun, Job
from ingestion.runs import Report


def match(report: Report) -> dict[str, Any]:
    """One movie, or all that are due."""
    movie_id = report.run.movie_id
    return refresh.match_due(report) if movie_id is None else matching.match(report, movie_id)


WORK: dict[Job, Callable[[Report], dict[str, Any]]] = {
    Job.DISCOVER: discovery.discover,
    Job.MATCH: match,
    Job.REFRESH: refresh.refresh,
    Job.REVERIFY: reverify.reverify,
    Job.TICK: maintenance.tick,
    Job.PRUNE: prune.prune,
}


def execute(run_id: uuid.UUID) -> IngestRun | None:
    """Do the work of a queued run. None when it is not queued (any more)."""
    run = IngestRun.objects.filter(pk=run_id).first()
    return None if run is None else runs.execute(run.pk, WORK[Job(run.job)])


def run_now(job: Job, *, at: datetime, trigger: str, movie_id: int | None = None) -> IngestRun | None:
    """Run a job here, unless it is active already: then None."""
    run, created = runs.queue(job, movie_id=movie_id, at=at, trigger=trigger, again=False, publish=False)
    return execute(run.pk) if created else None
