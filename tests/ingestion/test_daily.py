"""What is kept of each day: counted from the logs, and how things stood. To keep it twice changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections

from core.expiry import expires_by_itself
from core.ids import uuid7
from ingestion import daily, figures
from ingestion.models import DailyStats, IngestRun, Job
from providers import hours
from streaming import switching
from streaming.quality import Quality
from tests.ingestion.world import succeeded
from tests.queries import costs
from tests.streaming import factory
from tests.streaming.factory import EDITOR

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIDNIGHT = AT.replace(hour=0)
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


def ended(job: str, at: datetime, *, status: str = "succeeded", took_s: float = 2.0) -> None:
    began = at - took_s * SECOND
    words = {"job": job, "status": status, "trigger": "test", "queued_at": began}
    IngestRun.objects.create(id=uuid7(), started_at=began, finished_at=at, **words)


def kept(day: str) -> DailyStats:
    return DailyStats.objects.get(pk=day)


def keep_all(at: datetime) -> None:
    while daily.keep(at):
        pass


def test_runs_are_counted_by_job_with_how_long_they_took() -> None:
    for seconds in range(1, 21):
        ended(Job.MATCH, AT, took_s=seconds)
    ended(Job.MATCH, AT, status="failed", took_s=30)
    ended(Job.MATCH, AT, status="lost", took_s=3600)
    ended(Job.PRUNE, AT, status="cancelled")
    assert figures.jobs(MIDNIGHT, MIDNIGHT + DAY) == {
        "content.match": {
            **{"succeeded": 20, "failed": 1, "cancelled": 0, "lost": 1},
            **{"timed": 21, "took_s": 240.0, "p95_s": 20.0, "max_s": 30.0},
        },
        "maintenance.prune": {
            **{"succeeded": 0, "failed": 0, "cancelled": 1, "lost": 0},
            **{"timed": 0, "took_s": 0, "p95_s": None, "max_s": None},
        },
    }


def test_a_day_begins_at_midnight_in_utc_and_ends_before_the_next() -> None:
    for moment in (MIDNIGHT - SECOND, MIDNIGHT, MIDNIGHT + DAY - SECOND, MIDNIGHT + DAY):
        ended(Job.PRUNE, moment)
        hours.count("library", moment, answered=1, latency_ms=40)
    counted = figures.counted(MIDNIGHT, MIDNIGHT + DAY)
    assert counted["jobs"]["maintenance.prune"]["succeeded"] == 2
    assert {name: n for name, n in counted["calls"]["library"].items() if n} == {
        "answered": 2,
        "latency_ms": 80,
    }


def test_switches_are_counted_by_their_reason() -> None:
    movie = factory.movie()
    factory.version(movie, "low", Quality.P720)
    switching.reconsider(movie.pk, at=AT)
    factory.version(movie, "high", Quality.P1080)
    switching.reconsider(movie.pk, at=AT + HOUR)
    switching.edit(movie.pk, hidden=True, actor=EDITOR, comment="", at=AT + DAY)
    seen = figures.switches(MIDNIGHT, MIDNIGHT + DAY)
    assert {reason: n for reason, n in seen.items() if n} == {"first": 1, "upgrade": 1}
    assert set(seen) == {"first", "upgrade", "failover", "rollback", "manual", "withdrawn", "revised"}


def test_how_the_catalogue_stands() -> None:
    movie = factory.movie(1)
    factory.version(movie, "a", Quality.P720)
    factory.version(movie, "b", Quality.SD, state="broken")
    switching.reconsider(1, at=AT)
    factory.movie(2)
    hidden = factory.movie(3)
    factory.version(hidden, "a", Quality.P2160)
    switching.reconsider(3, at=AT)
    switching.edit(3, hidden=True, actor=EDITOR, comment="", at=AT)
    seen = figures.standing()
    assert (seen["movies"]["published"], seen["movies"]["without_stream"]) == (1, 1)
    assert {label: n for label, n in seen["movies"]["by_quality"].items() if n} == {"720p": 1}
    assert seen["versions"] == {"unverified": 0, "healthy": 2, "suspect": 0, "broken": 1}
    perfect = {"reliability": 1.0, "success_rate": 1.0, "honesty": 1.0, "latency_ms": 0}
    assert seen["providers"] == {"library": perfect}
    assert set(seen["databases"]) == set(connections)
    for each in seen["databases"].values():
        assert each["kind"] in ("SQLite", "PostgreSQL", "MongoDB")
        assert each["latency_ms"] > 0
        assert each["bytes"] > 4096


def test_the_tick_keeps_today_by_the_hour_and_yesterday_once_more(valkey: Any) -> None:
    ended(Job.PRUNE, AT)
    keep_all(AT)
    assert len(DailyStats.objects.all()) == daily.DAYS
    ended(Job.PRUNE, AT + 59 * 60 * SECOND)
    assert daily.keep(AT + HOUR) == 0
    assert succeeded(Job.TICK, at=AT + HOUR + SECOND)["days"] == 1
    assert kept("2026-11-22").counted["jobs"]["maintenance.prune"]["succeeded"] == 2
    ended(Job.PRUNE, MIDNIGHT + DAY - SECOND)
    before = kept("2026-11-22").standing
    assert daily.keep(MIDNIGHT + DAY) == 2
    assert kept("2026-11-22").counted["jobs"]["maintenance.prune"]["succeeded"] == 3
    assert kept("2026-11-22").standing == before
    assert daily.keep(MIDNIGHT + DAY + SECOND) == 0


def test_while_nothing_is_due_it_costs_one_look_up() -> None:
    keep_all(AT)
    with costs(1):
        daily.keep(AT + SECOND)


def test_days_that_nobody_kept_are_made_up_for_from_the_logs_the_latest_first() -> None:
    ended(Job.PRUNE, AT - 3 * DAY)
    assert daily.keep(AT) == daily.AT_ONCE
    assert kept("2026-11-19").counted["jobs"]["maintenance.prune"]["succeeded"] == 1
    assert kept("2026-11-19").standing is None
    assert kept("2026-11-22").standing is not None
    assert min(DailyStats.objects.values_list("day", flat=True)) == "2026-11-18"


def test_routine_ticks_that_are_gone_are_remembered_by_their_day() -> None:
    for minute in range(3):
        ended(Job.TICK, AT + minute * 60 * SECOND)
    keep_all(AT + HOUR)
    IngestRun.objects.all().delete()
    ended(Job.TICK, AT + 2 * HOUR, status="failed")
    keep_all(AT + 3 * DAY)
    assert kept("2026-11-22").counted["jobs"]["maintenance.tick"]["succeeded"] == 3


def test_ticks_of_a_day_of_which_only_failures_are_left_are_not_counted() -> None:
    ended(Job.TICK, AT, status="failed")
    keep_all(AT + 3 * DAY)
    assert kept("2026-11-22").counted["jobs"] == {}


def test_an_older_word_does_not_replace_a_newer_one() -> None:
    daily.keep(AT + HOUR)
    ended(Job.PRUNE, AT)
    daily._keep(AT.date(), AT)
    assert kept("2026-11-22").at == AT + HOUR
    assert kept("2026-11-22").counted["jobs"] == {}


def test_old_days_go() -> None:
    keep_all(AT)
    succeeded(Job.PRUNE, at=AT + 2 * DAY)
    left = DailyStats.objects.count()
    assert left == (daily.DAYS if expires_by_itself(DailyStats) else daily.DAYS - 2)
