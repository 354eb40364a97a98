"""The settings as rows of django-celery-beat. A cron setting owns the time; the row owns only `enabled`."""

from __future__ import annotations

from datetime import UTC, datetime

from celery.schedules import crontab
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from core import conf
from core.options import Options
from ingestion.models import Job

EVERY_MINUTE = "* * * * *"
HOURLY = "17 * * * *"


def crons(options: Options) -> dict[Job, str]:
    """When each job runs: five cron columns, UTC. `content.match` runs only when queued."""
    return {
        Job.DISCOVER: options.ingest_discover_cron,
        Job.REFRESH: options.ingest_refresh_cron,
        Job.REVERIFY: options.ingest_reverify_cron,
        Job.TICK: EVERY_MINUTE,
        Job.PRUNE: HOURLY,
    }


def initialize() -> dict[str, str]:
    """Bring beat's rows in line with the settings, and return each job's cron columns.

    Twice is the same as once, and nothing that an operator disabled is enabled again.
    """
    wanted = crons(conf.current())
    for job, cron in wanted.items():
        _schedule(job, cron)
    return {job.value: cron for job, cron in wanted.items()}


def next_runs(at: datetime) -> dict[str, datetime]:
    """When beat starts each job next; what is disabled is left out."""
    enabled = PeriodicTask.objects.filter(name__in=Job.values, enabled=True)
    rows = enabled.order_by("name").select_related("crontab")
    return {row.name: _next(row, at) for row in rows if row.crontab is not None}


def _schedule(job: Job, cron: str) -> None:
    minute, hour, day_of_month, month_of_year, day_of_week = cron.split()
    columns = {
        "minute": minute,
        "hour": hour,
        "day_of_month": day_of_month,
        "month_of_year": month_of_year,
        "day_of_week": day_of_week,
        "timezone": UTC,
    }
    # `first`, because nothing in the library keeps two equal rows from being made.
    crontab_row = CrontabSchedule.objects.filter(**columns).first() or CrontabSchedule.objects.create(
        **columns
    )
    row = PeriodicTask.objects.filter(name=job.value).first() or PeriodicTask(name=job.value)
    if (row.crontab_id, row.task) != (crontab_row.pk, job.value):
        row.crontab, row.task, row.interval = crontab_row, job.value, None
        row.save()


def _next(row: PeriodicTask, at: datetime) -> datetime:
    """The first moment after `at` that the columns name. (`remaining_estimate` would ask the clock.)"""
    schedule: crontab = row.crontab.schedule
    start, until_due, _ = schedule.remaining_delta(at)
    moment: datetime = start + until_due
    return moment
