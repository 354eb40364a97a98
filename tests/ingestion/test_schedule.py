"""The schedule: settings own the time, operators own `enabled`, and doing it twice changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from core import conf
from ingestion import beat, schedule
from ingestion.models import Job
from tests.ingestion.conftest import AT

pytestmark = pytest.mark.django_db


def test_every_job_but_those_that_are_asked_for_is_scheduled_by_its_own_name() -> None:
    crons = schedule.initialize()
    assert set(crons) == set(Job) - {Job.MATCH, Job.ENFORCE}
    rows = PeriodicTask.objects.filter(name__in=list(Job))
    assert all(row.name == row.task and row.enabled for row in rows)
    assert {row.name for row in rows} == set(crons)


def test_twice_is_the_same_as_once() -> None:
    schedule.initialize()
    before = list(PeriodicTask.objects.order_by("pk").values()), list(CrontabSchedule.objects.values())
    schedule.initialize()
    assert before == (
        list(PeriodicTask.objects.order_by("pk").values()),
        list(CrontabSchedule.objects.values()),
    )


def test_a_changed_setting_moves_the_job() -> None:
    schedule.initialize()
    conf.change("INGEST_DISCOVER_CRON", "5 4 * * 1", by="test", at=AT)
    schedule.initialize()
    crontab = PeriodicTask.objects.get(name=Job.DISCOVER.value).crontab
    assert crontab is not None
    assert (crontab.minute, crontab.hour, crontab.day_of_week) == ("5", "4", "1")


def test_a_cron_of_the_environment_moves_its_job_with_the_next_setup(settings: Any) -> None:
    schedule.initialize()
    settings.OPTIONS_FROM_ENV = {"INGEST_DISCOVER_CRON": "5 4 * * *"}
    schedule.initialize()
    assert schedule.next_runs(AT)[Job.DISCOVER] == datetime(2026, 11, 23, 4, 5, tzinfo=UTC)


def test_what_an_operator_disabled_stays_disabled() -> None:
    schedule.initialize()
    PeriodicTask.objects.filter(name=Job.REVERIFY.value).update(enabled=False)
    conf.change("INGEST_REVERIFY_CRON", "0 1 * * *", by="test", at=AT)
    schedule.initialize()
    row = PeriodicTask.objects.get(name=Job.REVERIFY.value)
    assert not row.enabled
    assert row.crontab is not None
    assert row.crontab.hour == "1"


def test_two_crontabs_made_by_hand_are_no_obstacle() -> None:
    for _ in range(2):
        CrontabSchedule.objects.create(minute="*/30", timezone=UTC)
    schedule.initialize()


def test_when_each_job_comes_next_leaves_out_what_is_disabled() -> None:
    schedule.initialize()
    PeriodicTask.objects.filter(name=Job.PRUNE.value).update(enabled=False)
    coming = schedule.next_runs(datetime(2026, 11, 22, 12, 10, 30, tzinfo=UTC))
    assert coming[Job.DISCOVER] == datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
    assert coming[Job.TICK] == datetime(2026, 11, 22, 12, 11, tzinfo=UTC)
    assert coming[Job.REFRESH] == datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
    assert Job.PRUNE not in coming


def test_a_setting_that_changes_moves_its_job_without_being_asked() -> None:
    schedule.initialize()
    conf.change("INGEST_DISCOVER_CRON", "5 4 * * *", by="test", at=AT)
    assert schedule.next_runs(AT)[Job.DISCOVER] == datetime(2026, 11, 23, 4, 5, tzinfo=UTC)
    conf.reset("INGEST_DISCOVER_CRON", by="test", at=AT)
    assert schedule.next_runs(AT)[Job.DISCOVER] == datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


@pytest.mark.usefixtures("valkey")
def test_a_changed_cron_reaches_a_beat_that_runs_and_wakes_nothing_that_is_off() -> None:
    schedule.initialize()
    PeriodicTask.objects.update(last_run_at=AT)
    PeriodicTask.objects.filter(name=Job.REVERIFY).update(enabled=False)
    soon = AT + timedelta(minutes=7)
    for setting in ("INGEST_DISCOVER_CRON", "INGEST_REVERIFY_CRON"):
        conf.change(setting, f"{soon.minute} {soon.hour} * * *", by="test", at=AT)
    assert set(beat.fire_due(soon)) == {Job.DISCOVER, Job.TICK}
