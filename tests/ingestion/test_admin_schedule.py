"""What the admin says when jobs stand still: on its first page, and beside each schedule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from ingestion import runs, schedule, status
from ingestion.models import Job
from providers.models import Provider
from tests import clients

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
SCHEDULE = "/admin/django_celery_beat/periodictask/"


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch, settings: Any) -> datetime:
    """A schedule that was kept until now; one worker answers."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    monkeypatch.setattr(status, "workers", lambda: 1)
    schedule.initialize()
    now = timezone.now()
    PeriodicTask.objects.update(last_run_at=now, date_changed=now - timedelta(days=9))
    return now


def page(path: str, role: str = "operator") -> str:
    client = Client()
    client.force_login(clients.user(role, is_staff=True))
    return client.get(path).content.decode()


def stood_still(*jobs: str, since: datetime) -> None:
    PeriodicTask.objects.filter(name__in=jobs).update(last_run_at=since)


def test_nothing_is_said_while_all_is_well() -> None:
    first = page("/admin/")
    assert 'role="alert"' not in first
    assert "schedule runs" in first


def test_one_schedule_that_stands_still_is_named(now: datetime) -> None:
    stood_still(Job.REVERIFY, since=now - timedelta(days=3))
    first = page("/admin/")
    assert "content.reverify was due" in first
    assert "schedule runs" in first


def test_a_beat_that_is_gone_is_one_sentence_and_not_one_for_each_job(now: datetime) -> None:
    PeriodicTask.objects.update(last_run_at=now - timedelta(days=1))
    first = page("/admin/")
    assert "No schedule fires. Is beat running?" in first
    assert "its schedule has not fired" not in first


@pytest.mark.parametrize(
    ("workers", "words"), [(0, "No worker answers"), (None, "The broker does not answer")]
)
def test_nobody_to_do_the_work(monkeypatch: pytest.MonkeyPatch, workers: int | None, words: str) -> None:
    monkeypatch.setattr(status, "workers", lambda: workers)
    assert words in page("/admin/", "viewer")


def test_a_queue_that_grows(now: datetime) -> None:
    runs.queue(Job.MATCH, movie_id=1, at=now - timedelta(minutes=45), trigger="test")
    assert "1 runs wait, the oldest for 45 minutes." in page("/admin/")


def test_a_provider_stands_on_the_first_page_as_on_its_own(now: datetime) -> None:
    Provider.objects.create(
        slug="house",
        label="House",
        adapter="library",
        enabled=True,
        blamed_at=now,
        blame="<i>most</i> failed",
    )
    assert "&lt;i&gt;most&lt;/i&gt; failed" in page("/admin/")


def test_the_list_of_schedules_says_how_each_stands(now: datetime) -> None:
    stood_still(Job.DISCOVER, since=now - timedelta(hours=5))
    PeriodicTask.objects.filter(name=Job.PRUNE).update(enabled=False)
    rows = {row.split("</a>")[0].rpartition(">")[2]: row for row in page(SCHEDULE).split("<tr>")[2:]}
    assert "overdue" in rows[Job.DISCOVER]
    assert "on time" in rows[Job.TICK]
    assert ">off<" in rows[Job.PRUNE]
