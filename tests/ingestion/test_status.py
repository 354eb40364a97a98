"""The snapshot that operators see: what runs, what ran, what comes, and whether anybody is there to do it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from rest_framework.test import APIClient

from core.api import health
from ingestion import runs, schedule, status
from ingestion.models import Job
from tests.ingestion.conftest import AT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PING_S", 0.01)


def test_an_idle_system_with_nobody_to_do_anything(valkey: Any) -> None:
    schedule.initialize()
    PeriodicTask.objects.update(date_changed=AT - timedelta(minutes=5))
    seen = status.snapshot(AT)
    assert set(seen["jobs"]) == set(Job)
    assert (seen["workers"], seen["beat_alive"], seen["queue_depth"]) == (0, False, 0)
    job = seen["jobs"][Job.DISCOVER]
    assert (job["queued"], job["running"], job["succeeded"], job["last"]) == (0, [], 0, None)
    assert job["next_at"] == AT + timedelta(minutes=30)
    assert seen["jobs"][Job.MATCH]["next_at"] is None


def test_queued_running_and_ended_runs_are_told_apart(valkey: Any) -> None:
    for movie_id in (1, 2, 3):
        runs.queue(Job.MATCH, movie_id=movie_id, at=AT, trigger="test")
    assert status.snapshot(AT)["queue_depth"] == 3
    first, second, _ = (
        run for run, _ in (runs.queue(Job.MATCH, movie_id=n, at=AT, trigger="t") for n in (1, 2, 3))
    )

    def work(report: runs.Report) -> dict[str, Any]:
        report.progress(1, 3)
        job = status.snapshot(AT)["jobs"][Job.MATCH]
        assert job["queued"] == 2
        (running,) = job["running"]
        assert running["movie"] == 1
        assert running["progress"] == {"done": 1, "total": 3, "per_minute": None, "left_s": None}
        return {"found": 1}

    def bug(report: runs.Report) -> dict[str, Any]:
        raise LookupError

    runs.execute(first.pk, work, clock=lambda: AT)
    runs.execute(second.pk, bug, clock=lambda: AT)
    job = status.snapshot(AT + timedelta(hours=1))["jobs"][Job.MATCH]
    assert (job["queued"], job["succeeded"], job["failed"]) == (1, 1, 1)
    assert (job["last"]["movie"], job["last"]["status"]) == (2, "failed")
    assert status.snapshot(AT + timedelta(days=2))["jobs"][Job.MATCH]["succeeded"] == 0


def test_beat_is_alive_for_as_long_as_its_schedules_fire(valkey: Any) -> None:
    schedule.initialize()
    PeriodicTask.objects.update(last_run_at=AT, date_changed=AT)
    assert status.snapshot(AT + timedelta(minutes=2))["beat_alive"]
    assert not status.snapshot(AT + timedelta(minutes=4))["beat_alive"]


def test_a_schedule_that_did_not_fire_is_overdue_unless_it_is_switched_off(valkey: Any) -> None:
    schedule.initialize()
    PeriodicTask.objects.update(last_run_at=AT, date_changed=AT)
    PeriodicTask.objects.filter(name=Job.REFRESH).update(enabled=False)
    seen = status.snapshot(AT + timedelta(hours=7))["jobs"]
    assert {job for job, each in seen.items() if each["overdue"]} == {Job.DISCOVER, Job.TICK, Job.PRUNE}
    assert seen[Job.DISCOVER]["overdue_since"] == AT + timedelta(hours=6, minutes=30)
    assert seen[Job.REFRESH]["overdue_since"] is None


@pytest.mark.django_db(transaction=True)
def test_whoever_asks_whether_we_are_ready_hears_of_a_schedule_that_stands_still(
    valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ANSWER_WITHIN_S", 30.0)
    now = timezone.now()
    schedule.initialize()
    PeriodicTask.objects.update(last_run_at=now, date_changed=now - timedelta(days=9))
    assert APIClient().get("/readyz").json()["status"] == "ok"
    PeriodicTask.objects.filter(name=Job.REVERIFY).update(last_run_at=now - timedelta(days=3))
    response = APIClient().get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "degraded")
    (warning,) = response.json()["warnings"]
    assert warning.startswith("schedule content.reverify should have run at ")


def test_the_queue_says_how_long_its_oldest_run_has_waited(valkey: Any) -> None:
    assert status.snapshot(AT)["queue"] == {"runs": 0, "oldest_s": 0, "too_long": False}
    for minutes in (0, 20):
        runs.queue(Job.MATCH, movie_id=minutes + 1, at=AT + timedelta(minutes=minutes), trigger="test")
    later = AT + timedelta(minutes=31)
    assert status.snapshot(later)["queue"] == {"runs": 2, "oldest_s": 1860, "too_long": True}


def test_without_a_broker_the_snapshot_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import Celery

    away = Celery("away", broker="redis+socket:///nowhere/at-all.sock", set_as_current=False)
    away.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(status, "current_app", away)
    seen = status.snapshot(AT)
    assert (seen["workers"], seen["queue_depth"]) == (None, None)
