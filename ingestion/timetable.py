"""Beat's rows as they stand: which jobs have a schedule, and which of them should have fired and did not.

The dead-man's switch: it needs nobody alive but the one who looks. Nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django_celery_beat.models import PeriodicTask

from ingestion import windows
from ingestion.registry import JOBS
from ingestion.windows import Cron, Timed


@dataclass(frozen=True, slots=True)
class Timetable:
    """The schedules that are switched on, by job."""

    schedules: dict[str, Timed]

    def overdue(self, at: datetime) -> dict[str, datetime]:
        """By job, the window that should have fired by now."""
        found = {job: windows.overdue(timed, at) for job, timed in self.schedules.items()}
        return {job: window for job, window in found.items() if window}

    def beat_alive(self, at: datetime) -> bool:
        """Whether anybody fires schedules. False as well where none is switched on."""
        return windows.alive(self.schedules.values(), at)


def read() -> Timetable:
    return Timetable({row.name: timed(row) for row in rows()})


def in_words(at: datetime) -> str:
    """ "ok", or which schedules are overdue."""
    overdue = read().overdue(at)
    late = ", ".join(
        f"{job} should have run at {window:%Y-%m-%d %H:%M} UTC" for job, window in overdue.items()
    )
    return late or "ok"


def rows() -> list[PeriodicTask]:
    """The rows that beat fires: of a job that there is, switched on."""
    ours = PeriodicTask.objects.filter(name__in=list(JOBS), enabled=True, crontab__isnull=False)
    return list(ours.select_related("crontab").order_by("name"))


def timed(row: PeriodicTask) -> Timed:
    """Raises ValueError where the columns make no sense."""
    assert row.crontab is not None  # `rows` sees to that
    return Timed(cron_of(row.crontab.schedule), fired_at=row.last_run_at, changed_at=row.date_changed)


def cron_of(schedule: Any) -> Cron:
    """Of Celery's crontab, whose columns its stubs do not know."""
    days, months, weekdays = schedule.day_of_month, schedule.month_of_year, schedule.day_of_week
    return Cron(schedule.minute, schedule.hour, days, months, weekdays, schedule.tz)
