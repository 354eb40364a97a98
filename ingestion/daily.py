"""One row for each day: what it came to. Today's is rewritten by the hour, a day's that is over just once.

A day's key is its date, and what logs tell of it may be counted again: to keep it twice is to keep it once.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from ingestion import figures
from ingestion.figures import Figures
from ingestion.models import DailyStats, Job
from ingestion.retention import DAYS_KEPT, TICKS_KEPT

DAY = timedelta(days=1)
REWRITTEN_AFTER = timedelta(hours=1)
DAYS = DAYS_KEPT // DAY
AT_ONCE = 5
"""After an outage so many days are made up for in one go, the latest first."""


def last(at: datetime) -> list[date]:
    """The days for which rows are kept, that of `at` first."""
    return [at.astimezone(UTC).date() - DAY * ago for ago in range(DAYS)]


def measure(at: datetime) -> DailyStats:
    """Today as far as it has come, but for the databases. Nothing is written."""
    start = start_of(at.astimezone(UTC).date())
    return DailyStats(
        day=start.date().isoformat(),
        start=start,
        at=at,
        counted=figures.counted(start, start + DAY),
        standing=figures.catalogue(),
    )


def keep(at: datetime) -> int:
    """Write the rows that are due; how many. Costs one look-up by keys if none is."""
    keys = {day.isoformat(): day for day in last(at)}
    kept = dict(DailyStats.objects.filter(pk__in=keys).values_list("day", "at"))
    due = [day for key, day in keys.items() if _is_due(day, kept.get(key), at)][:AT_ONCE]
    for day in due:
        _keep(day, at)
    return len(due)


def history(at: datetime) -> dict[date, DailyStats]:
    """The rows that there are of the last days."""
    keys = {day.isoformat(): day for day in last(at)}
    return {keys[row.day]: row for row in DailyStats.objects.filter(pk__in=keys)}


def start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _is_due(day: date, kept_at: datetime | None, at: datetime) -> bool:
    """A day that is over is counted once more after its end."""
    end = start_of(day) + DAY
    return kept_at is None or kept_at < (end if end <= at else at - REWRITTEN_AFTER)


def _keep(day: date, at: datetime) -> None:
    """The newer word wins, whoever comes last."""
    start = start_of(day)
    row = DailyStats.objects.filter(pk=day.isoformat())
    columns = {"at": at, "counted": _counted(start, at, before=row.values_list("counted", flat=True).first())}
    if at < start + DAY:
        columns["standing"] = figures.standing()
    if not row.filter(at__lt=at).update(**columns):
        DailyStats.objects.get_or_create(day=day.isoformat(), defaults={"start": start, **columns})


def _counted(start: datetime, at: datetime, *, before: Figures | None) -> Figures:
    """What logs tell, and of routine ticks, which go after a day, what was counted while most were there."""
    counted = figures.counted(start, start + DAY)
    found = counted["jobs"].pop(Job.TICK, None)
    if at >= start + DAY + TICKS_KEPT:
        found = None
    if known := [ticks for ticks in (found, before and before["jobs"].get(Job.TICK)) if ticks]:
        counted["jobs"][Job.TICK.value] = max(known, key=lambda ticks: int(ticks["succeeded"]))
    return counted
