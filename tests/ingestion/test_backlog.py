"""A queue that grows says so: once when it becomes too long, once when it no longer is."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from ingestion import backlog, runs
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.runs import Report
from tests.ingestion.conftest import AT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def tick(at: datetime) -> None:
    def work(report: Report) -> dict[str, int]:
        return backlog.watch(report, report.now())

    run, created = runs.queue(Job.TICK, at=at, trigger="test")
    assert created
    runs.execute(run.pk, work, clock=lambda: at)


def lines() -> list[tuple[str, str]]:
    return list(IngestLog.objects.order_by("id").values_list("status", "message"))


def test_it_is_said_once_and_once_that_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ingestion.backlog")
    waiting, _ = runs.queue(Job.MATCH, movie_id=1, at=AT, trigger="test")
    for minutes in range(28, 35):
        tick(AT + timedelta(minutes=minutes))
    grown = "Work comes in faster than it is done: 1 runs wait, the oldest for 31 minutes."
    assert lines() == [("WARNING", grown)]
    assert [record.message for record in caplog.records] == [f"{grown} More workers would help."]
    IngestRun.objects.filter(pk=waiting.pk).update(status="succeeded")
    for minutes in (36, 37):
        tick(AT + timedelta(minutes=minutes))
    assert lines()[1:] == [("OK", "The queue has caught up: 0 runs wait.")]
    assert len(caplog.records) == 2


def test_a_tick_that_failed_in_between_does_not_make_it_say_so_again() -> None:
    runs.queue(Job.MATCH, movie_id=1, at=AT, trigger="test")
    tick(AT + timedelta(minutes=31))

    def fail(report: Report) -> dict[str, int]:
        raise LookupError

    failed, _ = runs.queue(Job.TICK, at=AT + timedelta(minutes=32), trigger="test")
    runs.execute(failed.pk, fail, clock=lambda: AT + timedelta(minutes=32))
    IngestLog.objects.filter(run_id=failed.pk).delete()
    tick(AT + timedelta(minutes=50))
    assert [status for status, _ in lines()] == ["WARNING"]


def test_what_waits_for_its_retry_waits_on_purpose() -> None:
    run, _ = runs.queue(Job.MATCH, movie_id=1, at=AT, trigger="test")
    IngestRun.objects.filter(pk=run.pk).update(trigger="retry")
    assert backlog.measure(AT + timedelta(hours=9)) == (0, timedelta(0))


def test_an_empty_queue_is_no_age() -> None:
    assert backlog.measure(AT) == (0, timedelta(0))
