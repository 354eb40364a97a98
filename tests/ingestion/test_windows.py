"""When a schedule was due: the windows of cron columns, what is owed, and when somebody has to be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from django_celery_beat.tzcrontab import TzAwareCrontab
from hypothesis import given
from hypothesis import strategies as st

from ingestion import timetable, windows
from ingestion.windows import Cron, Timed

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # a Sunday
LONG_AGO = NOON - timedelta(days=400)


def crontab_of(text: str, tz: Any = UTC) -> crontab:
    minute, hour, day_of_month, month_of_year, day_of_week = text.split()
    return TzAwareCrontab(minute, hour, day_of_week, day_of_month, month_of_year, tz=tz)


def cron(text: str, tz: Any = UTC) -> Cron:
    return timetable.cron_of(crontab_of(text, tz))


def timed(text: str, fired_at: datetime | None, changed_at: datetime = LONG_AGO) -> Timed:
    return Timed(cron(text), fired_at, changed_at)


@pytest.mark.parametrize(
    ("columns", "at", "window"),
    [
        ("* * * * *", "2026-11-22 12:00:00", "2026-11-22 12:00"),
        ("* * * * *", "2026-11-22 12:00:59", "2026-11-22 12:00"),
        ("*/30 * * * *", "2026-11-22 12:29:59", "2026-11-22 12:00"),
        ("17 * * * *", "2026-11-22 12:16:00", "2026-11-22 11:17"),
        ("17 * * * *", "2026-11-22 00:16:00", "2026-11-21 23:17"),
        ("0 3 * * *", "2026-11-22 02:59:00", "2026-11-21 03:00"),
        ("30 3,15 * * *", "2026-11-22 15:29:00", "2026-11-22 03:30"),
        ("0 12 * * 1", "2026-11-22 12:00:00", "2026-11-16 12:00"),
        ("0 0 1 1,7 *", "2026-11-22 12:00:00", "2026-07-01 00:00"),
        ("0 0 31 * *", "2026-11-22 12:00:00", "2026-10-31 00:00"),
        ("0 0 29 2 *", "2104-02-28 12:00:00", "2096-02-29 00:00"),
        ("0 0 29 2 0", "2026-11-22 12:00:00", "2004-02-29 00:00"),
        ("59 23 31 12 *", "2026-01-01 00:00:00", "2025-12-31 23:59"),
    ],
)
def test_the_last_window(columns: str, at: str, window: str) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert windows.latest(cron(columns), moment) == datetime.fromisoformat(window).replace(tzinfo=UTC)


def test_columns_hold_in_the_time_zone_of_their_row() -> None:
    berlin = cron("0 3 * * *", ZoneInfo("Europe/Berlin"))
    assert windows.latest(berlin, NOON) == datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


COLUMN = st.sampled_from(["*", "*/7", "0", "3-5", "1,11"])
DAYS = st.sampled_from(["*", "*/9", "1", "29", "31", "2-4"])
MONTHS = st.sampled_from(["*", "*/5", "1", "3,8"])
WEEKDAYS = st.sampled_from(["*", "0", "1-5", "6"])
MOMENTS = st.integers(1_704_067_200, 1_956_528_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
"""From 2024 to 2031."""


@given(st.tuples(COLUMN, COLUMN, DAYS, MONTHS, WEEKDAYS), MOMENTS)
def test_it_is_the_window_that_celery_names_and_none_lies_between(
    parts: tuple[str, ...], at: datetime
) -> None:
    schedule = crontab_of(" ".join(parts))
    window = windows.latest(timetable.cron_of(schedule), at)
    assert window <= at
    assert _following(schedule, window - timedelta(seconds=1)) == window
    assert _following(schedule, window) > at


def _following(schedule: crontab, moment: datetime) -> datetime:
    start, delta, _ = schedule.remaining_delta(moment)
    following: datetime = start + delta
    return following


def test_a_window_is_owed_until_it_fired() -> None:
    assert windows.owed(timed("0 12 * * *", NOON - timedelta(days=1)), NOON) == NOON
    assert windows.owed(timed("0 12 * * *", NOON), NOON) is None
    assert windows.owed(timed("0 12 * * *", NOON - timedelta(days=1)), NOON - timedelta(seconds=1)) is None


def test_of_many_that_were_missed_the_last_is_owed() -> None:
    assert windows.owed(timed("0 3 * * *", NOON - timedelta(days=90)), NOON) == NOON.replace(hour=3)


def test_one_that_never_fired_owes_what_came_since_its_row_was_written() -> None:
    assert windows.owed(timed("*/30 * * * *", None, NOON + timedelta(minutes=1)), NOON) is None
    assert windows.owed(timed("*/30 * * * *", None, NOON - timedelta(minutes=1)), NOON) == NOON


def test_clocks_may_differ_by_minutes_but_what_fired_in_the_future_never_did() -> None:
    assert windows.owed(timed("* * * * *", NOON + timedelta(minutes=4)), NOON) is None
    assert windows.owed(timed("* * * * *", NOON + timedelta(days=4000)), NOON) == NOON


def test_overdue_is_what_did_not_fire_within_the_slack() -> None:
    schedule = timed("* * * * *", NOON)
    assert windows.overdue(schedule, NOON + timedelta(minutes=2, seconds=59)) is None
    assert windows.overdue(schedule, NOON + timedelta(minutes=3)) == NOON + timedelta(minutes=1)


def test_a_row_that_was_just_written_or_switched_on_is_given_time() -> None:
    enabled_now = timed("0 3 * * *", NOON - timedelta(days=9), changed_at=NOON)
    assert windows.owed(enabled_now, NOON) == NOON.replace(hour=3)
    assert windows.overdue(enabled_now, NOON) is None
    assert windows.overdue(timed("* * * * *", None, NOON), NOON + timedelta(minutes=2)) is None
    assert windows.overdue(timed("* * * * *", None, NOON), NOON + timedelta(minutes=3))


def test_beat_lives_while_anything_due_fires() -> None:
    tick, daily = timed("* * * * *", NOON), timed("0 3 * * *", NOON.replace(hour=3))
    assert windows.alive([tick, daily], NOON + timedelta(minutes=2))
    assert not windows.alive([tick, daily], NOON + timedelta(minutes=3))
    assert windows.alive([daily], NOON + timedelta(minutes=3))
    assert windows.alive([tick, timed("0 3 * * *", NOON - timedelta(days=9))], NOON)
    assert not windows.alive([], NOON)
