"""What every job is doing, and whether there is anybody to do it: one snapshot. Nothing is written."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db.models import Count
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from ingestion import backlog, progress, schedule, timetable
from ingestion.backlog import Backlog
from ingestion.models import IngestRun
from ingestion.registry import JOBS
from providers import health
from providers.models import Provider

logger = logging.getLogger(__name__)

Status = IngestRun.Status

ENDED = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.LOST)
PING_S = 0.5
COUNTED = timedelta(days=1)


def snapshot(at: datetime) -> dict[str, Any]:
    """The state of all jobs at `at`. `succeeded`, `failed`, `cancelled` and `lost` count the last 24 hours.

    `workers` and `queue_depth`, in messages, are None when the broker does not answer. `queue` is of runs.
    `overdue_since` is the moment at which a schedule should have fired, and did not.
    """
    planned, timed = schedule.next_runs(at), timetable.read()
    overdue = timed.overdue(at)
    return {
        "at": at,
        "jobs": {name: _job(name, at) | _due(name, planned, overdue) for name in JOBS},
        "providers": {provider.slug: _provider(provider, at) for provider in Provider.objects.all()},
        "workers": workers(),
        "beat_alive": timed.beat_alive(at),
        "queue": _queue(backlog.measure(at)),
        "queue_depth": queue_depth(),
    }


def ended(job: str, at: datetime) -> dict[str, int]:
    """How many of its runs ended how in the last 24 hours."""
    over = IngestRun.objects.filter(job=job, finished_at__gte=at - COUNTED).values_list("status")
    counts = dict(over.annotate(count=Count("pk")).order_by())
    return {status.value: counts.get(status.value, 0) for status in ENDED}


def workers() -> int | None:
    """How many workers answer within half a second."""
    try:
        return len(current_app.control.ping(timeout=PING_S) or [])
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("the broker does not answer: %s", error)
        return None


def queue_depth() -> int | None:
    """Messages that wait for a worker."""
    try:
        with current_app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            return sum(int(channel.client.llen(name)) for name in current_app.amqp.queues)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("the broker does not answer: %s", error)
        return None


def _job(job: str, at: datetime) -> dict[str, Any]:
    of_job = IngestRun.objects.filter(job=job)
    running = of_job.filter(status=Status.RUNNING).order_by("-id")
    return {
        "about": JOBS[job].about,
        "queued": of_job.filter(status=Status.QUEUED).count(),
        "running": [_progress(run, at) for run in running[:100]],
        **ended(job, at),
        "last": _last(of_job.filter(finished_at__isnull=False).order_by("-id").first()),
    }


def _due(job: str, planned: Mapping[str, datetime], overdue: Mapping[str, datetime]) -> dict[str, Any]:
    return {"next_at": planned.get(job), "overdue": job in overdue, "overdue_since": overdue.get(job)}


def _queue(seen: Backlog) -> dict[str, Any]:
    return {"runs": seen.runs, "oldest_s": round(seen.oldest.total_seconds()), "too_long": seen.too_long}


def _provider(provider: Provider, at: datetime) -> dict[str, Any]:
    return {
        "label": provider.label,
        "state": health.state(provider, at).value,
        "reliability": provider.reliability,
        "backoff_until": provider.backoff_until,
        "blamed_at": provider.blamed_at,
        "blame": provider.blame,
    }


def _progress(run: IngestRun, at: datetime) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "movie": run.movie_id,
        "started_at": run.started_at,
        "progress": progress.of(run, at).as_json(),
    }


def _last(run: IngestRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    return {
        "id": str(run.pk),
        "movie": run.movie_id,
        "status": run.status,
        "finished_at": run.finished_at,
        "summary": run.summary,
        "error": run.error,
    }
