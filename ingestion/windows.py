"""When a schedule was due, and whether it fired: pure, on values.

A *window* is a moment that the cron columns name. Nothing here asks a clock or a database.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

SLACK = timedelta(minutes=2)
"""How late a window may fire before anybody is told: beat looks every few seconds."""
SKEW = timedelta(minutes=5)
"""How far the clocks of two machines may be apart. What fired later than that in the future never did."""
FARTHEST = timedelta(days=41 * 366)
"""No two windows lie further apart: 29 February falls on a given weekday every 28 years, 40 around 2100."""


class Cron(NamedTuple):
    """Cron columns as the numbers that they name, and the time zone in which they do. Sunday is weekday 0."""

    minutes: Set[int]
    hours: Set[int]
    days: Set[int]
    months: Set[int]
    weekdays: Set[int]
    zone: tzinfo


class Timed(NamedTuple):
    """A schedule that is switched on: its columns, when it last fired, and when its row was last touched."""

    cron: Cron
    fired_at: datetime | None
    changed_at: datetime


def latest(cron: Cron, at: datetime) -> datetime:
    """The last moment that the columns name, `at` included. Raises ValueError where they name none at all."""
    day, end = at.astimezone(cron.zone).replace(second=0, microsecond=0), at - FARTHEST
    while day > end:
        if _names(cron, day) and (moment := _last_of_day(cron, day)):
            return moment
        day = day.replace(hour=23, minute=59) - timedelta(days=1)
    raise ValueError(f"No moment is named by {cron!r}.")


def owed(schedule: Timed, at: datetime) -> datetime | None:
    """The window that has come and did not fire. Of several that were missed it is the last: one makes up for
    all. A schedule that never fired owes what came after its row was written."""
    window = latest(schedule.cron, at)
    fired_at = schedule.fired_at or schedule.changed_at
    return window if fired_at < window or fired_at > at + SKEW else None


def overdue(schedule: Timed, at: datetime) -> datetime | None:
    """The window that should have fired by now, SLACK included. A row that was just touched has not been
    waited for yet, whatever it missed while it was switched off."""
    window = owed(schedule, at - SLACK)
    return window if window and window > schedule.changed_at else None


def alive(schedules: Iterable[Timed], at: datetime) -> bool:
    """Whether somebody fires schedules at all: one that was due lately did, or is not waited for yet."""
    expected = [(latest(each.cron, at - SLACK), each) for each in schedules]
    newest = max((window for window, _ in expected), default=None)
    return newest is not None and any((each.fired_at or each.changed_at) >= newest for _, each in expected)


def _names(cron: Cron, day: datetime) -> bool:
    """Whether it has windows on that day. Celery wants all three columns to name it, unlike cron(5)."""
    return day.month in cron.months and day.day in cron.days and day.isoweekday() % 7 in cron.weekdays


def _last_of_day(cron: Cron, until: datetime) -> datetime | None:
    """The last window of the day of `until` that is not after it."""
    this_hour = [minute for minute in cron.minutes if minute <= until.minute]
    if until.hour in cron.hours and this_hour:
        return until.replace(minute=max(this_hour))
    hours = [hour for hour in cron.hours if hour < until.hour]
    return until.replace(hour=max(hours), minute=max(cron.minutes)) if hours else None
