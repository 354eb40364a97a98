"""What every job is doing, and whether there is anybody to do it: one snapshot. Nothing is written."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.db.models import Count
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from ingestion import progress, schedule
from ingestion.models import IngestRun, Job
from ingestion.registry import JOBS
from providers import health
from providers.models import Provider

logger = logging.getLogger(__name__)

Status = IngestRun.Status

ENDED = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED, Status.LOST)
PING_S = 0.5
COUNTED = timedelta(days=1)
BEAT_SILENT = timedelta(minutes=3)
"""The tick is due every minute: three without one mean that beat, or every worker, is gone."""


def snapshot(at: datetime) -> dict[str, Any]:
    """The state of all jobs at `at`. `succeeded`, `failed`, `cancelled` and `lost` count the last 24 hours.

    `workers` and `queue_depth` are None when the broker does not answer.
    """
    planned = schedule.next_runs(at)
    return {
        "at": at,
        "jobs": {name: _job(name, planned.get(name), at) for name in JOBS},
        "providers": {provider.slug: _provider(provider, at) for provider in Provider.objects.all()},
        "workers": _workers(),
        "beat_alive": _beat_alive(at),
        "queue_depth": _queue_depth(),
    }


def _job(job: str, next_at: datetime | None, at: datetime) -> dict[str, Any]:
    of_job = IngestRun.objects.filter(job=job)
    over = of_job.filter(finished_at__gte=at - COUNTED).values_list("status").annotate(count=Count("pk"))
    counts = dict(over.order_by())
    running = of_job.filter(status=Status.RUNNING).order_by("-id")
    return {
        "about": JOBS[job].about,
        "queued": of_job.filter(status=Status.QUEUED).count(),
        "running": [_progress(run, at) for run in running[:100]],
        **{status.value: counts.get(status.value, 0) for status in ENDED},
        "last": _last(of_job.filter(finished_at__isnull=False).order_by("-id").first()),
        "next_at": next_at,
    }


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


def _workers() -> int | None:
    """How many workers answer within half a second."""
    try:
        return len(current_app.control.ping(timeout=PING_S) or [])
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("the broker does not answer: %s", error)
        return None


def _queue_depth() -> int | None:
    """Messages that wait for a worker."""
    try:
        with current_app.connection_for_read() as connection:
            channel: Any = connection.default_channel
            return sum(int(channel.client.llen(queue.name)) for queue in current_app.conf.task_queues)
    except (OperationalError, RedisError, OSError) as error:
        logger.warning("the broker does not answer: %s", error)
        return None


def _beat_alive(at: datetime) -> bool:
    ticks = IngestRun.objects.filter(job=Job.TICK, trigger="schedule").order_by("-id")
    newest = ticks.values_list("queued_at", flat=True).first()
    return newest is not None and newest >= at - BEAT_SILENT
