"""Jobs that have a cron, as rows of django-celery-beat. Job or setting own the time; a row only `enabled`."""

from __future__ import annotations

from datetime import UTC, datetime

from celery.schedules import crontab
from django.db.models import F
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from core import conf
from core.options import Options
from ingestion import timetable
from ingestion.registry import JOBS

GONE = "Nothing schedules this any more. It is disabled until something does."


def crons(options: Options) -> dict[str, str]:
    """When each job runs: five cron columns, UTC. Jobs that run only when asked are left out."""
    return {name: cron for name, spec in JOBS.items() if (cron := spec.cron_under(options))}


def initialize() -> dict[str, str]:
    """Bring beat's rows in line with jobs and settings, and return each job's cron columns.

    Twice is the same as once, and nothing that an operator disabled is enabled again. The row of a job that
    is gone is disabled, and enabled should the job return.
    """
    wanted = crons(conf.current())
    for name, cron in wanted.items():
        _schedule(name, cron)
    for row in _gone(wanted):
        row.enabled, row.description = False, GONE
        row.save()
    return wanted


def follow(setting: str) -> None:
    """Move the jobs whose cron is in this setting, if any."""
    values = conf.current()
    for name, spec in JOBS.items():
        if spec.cron == setting:
            _schedule(name, spec.cron_under(values))


def next_runs(at: datetime) -> dict[str, datetime]:
    """When beat starts each job next; what is disabled is left out."""
    return {row.name: _next(row, at) for row in timetable.rows()}


def _schedule(name: str, cron: str) -> None:
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
    row = PeriodicTask.objects.filter(name=name).first() or PeriodicTask(name=name)
    about = JOBS[name].about
    if (row.crontab_id, row.task, row.description) != (crontab_row.pk, name, about):
        row.enabled = row.enabled or row.description == GONE
        row.crontab, row.task, row.interval, row.description = crontab_row, name, None, about
        row.save()


def _gone(wanted: dict[str, str]) -> list[PeriodicTask]:
    """Enabled rows as we write them, named like their task, for which there is no cron (any more)."""
    # Celery's own are left alone.
    ours = PeriodicTask.objects.filter(name=F("task"), enabled=True).exclude(name__startswith="celery.")
    return list(ours.exclude(name__in=list(wanted)).order_by("name"))


def _next(row: PeriodicTask, at: datetime) -> datetime:
    """The first moment after `at` that the columns name. (`remaining_estimate` would ask the clock.)"""
    schedule: crontab = row.crontab.schedule
    start, until_due, _ = schedule.remaining_delta(at)
    moment: datetime = start + until_due
    return moment
