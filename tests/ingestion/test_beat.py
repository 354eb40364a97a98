"""Beat: every window fires once, whoever else runs, dies, or is away at that moment."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import OperationalError
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import OperationalError as BrokerAway

from config import celery
from ingestion import beat, jobs, runs, schedule, timetable, windows
from ingestion.beat import Beat
from ingestion.models import IngestRun, Job, Slot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

SIX = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
"""When every job but prune and reverify is due: discover, refresh, tick."""
DUE = ["content.refresh", "maintenance.tick", "tmdb.discover"]


@pytest.fixture(autouse=True)
def fired_until_six() -> None:
    """A schedule of which every window fired but those of six o'clock."""
    schedule.initialize()
    PeriodicTask.objects.filter(name=Job.REVERIFY).update(last_run_at=SIX)
    PeriodicTask.objects.exclude(name=Job.REVERIFY).update(last_run_at=SIX - timedelta(seconds=30))


def row(job: str) -> PeriodicTask:
    return PeriodicTask.objects.select_related("crontab").get(name=job)


def window(job: str, at: datetime) -> datetime:
    return windows.latest(timetable.timed(row(job)).cron, at)


def runs_of(job: str) -> list[IngestRun]:
    return list(IngestRun.objects.filter(job=job).order_by("-id"))


def test_what_is_due_fires_and_nothing_else() -> None:
    assert beat.fire_due(SIX) == DUE
    assert {run.job: (run.status, run.trigger) for run in IngestRun.objects.all()} == dict.fromkeys(
        DUE, ("queued", "schedule")
    )
    fired = row(Job.DISCOVER)
    assert (fired.last_run_at, fired.total_run_count) == (SIX, 1)
    assert row(Job.PRUNE).total_run_count == 0


def test_looking_again_fires_nothing_more() -> None:
    beat.fire_due(SIX)
    for seconds in (0, 5, 59):
        assert beat.fire_due(SIX + timedelta(seconds=seconds)) == []
    jobs.execute(runs_of(Job.TICK)[0].pk)
    assert beat.fire_due(SIX + timedelta(seconds=60)) == [Job.TICK]


def test_one_that_is_slow_finds_that_another_fired_while_it_decided() -> None:
    as_it_was = row(Job.TICK)
    assert beat.fire(row(Job.TICK), SIX, SIX)
    jobs.execute(runs_of(Job.TICK)[0].pk)
    assert not beat.fire(as_it_was, SIX, SIX + timedelta(seconds=40))
    assert len(runs_of(Job.TICK)) == 1
    assert (row(Job.TICK).last_run_at, row(Job.TICK).total_run_count) == (SIX, 1)


def test_one_that_was_killed_between_run_and_note_leaves_nothing_to_fire(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    due = row(Job.DISCOVER)
    with monkeypatch.context() as dying:
        dying.setattr(type(PeriodicTask.objects.all()), "update", killed)
        with pytest.raises(KeyboardInterrupt):
            beat.fire(due, SIX, SIX)
    assert row(Job.DISCOVER).last_run_at == SIX - timedelta(seconds=30)
    jobs.execute(runs_of(Job.DISCOVER)[0].pk)
    assert Job.DISCOVER not in beat.fire_due(SIX + timedelta(minutes=5))
    assert len(runs_of(Job.DISCOVER)) == 1
    assert row(Job.DISCOVER).last_run_at == SIX + timedelta(minutes=5)


@pytest.mark.parametrize("ahead", [timedelta(seconds=20), timedelta(minutes=2)])
def test_clocks_that_differ_fire_no_window_twice(ahead: timedelta) -> None:
    """One machine's clock is ahead of the other's; both look every five seconds, for ten minutes."""
    fired = []
    for seconds in range(0, 600, 5):
        at = SIX + timedelta(seconds=seconds)
        for clock in (at + ahead, at):
            for job in beat.fire_due(clock):
                fired.append((job, window(job, clock)))
                jobs.execute(runs_of(job)[0].pk)
    assert len(fired) == len(set(fired))
    ticks = [at for job, at in fired if job == Job.TICK]
    first, last = window(Job.TICK, SIX + ahead), window(Job.TICK, SIX + ahead + timedelta(seconds=595))
    assert ticks == [first + timedelta(minutes=n) for n in range((last - first) // timedelta(minutes=1) + 1)]


def test_windows_that_were_missed_fire_once_for_all() -> None:
    back = SIX + timedelta(days=3, hours=7)
    for late in (timedelta(0), timedelta(seconds=5)):
        beat.fire_due(back + late)
    assert {job: len(runs_of(job)) for job in timetable.read().schedules} == dict.fromkeys(
        schedule.initialize(), 1
    )


def test_a_window_of_half_a_year_ago_is_not_lost() -> None:
    PeriodicTask.objects.filter(name=Job.REFRESH).update(last_run_at=SIX - timedelta(days=200))
    PeriodicTask.objects.filter(name=Job.REFRESH).update(crontab=_half_yearly())
    assert Job.REFRESH in beat.fire_due(SIX)
    assert runs_of(Job.REFRESH)[0].queued_at == SIX


def _half_yearly() -> Any:
    crontab = row(Job.REFRESH).crontab
    assert crontab is not None
    crontab.pk, crontab.hour, crontab.day_of_month, crontab.month_of_year = None, "0", "1", "1,7"
    crontab.save()
    return crontab


def test_a_fresh_schedule_waits_for_its_first_window() -> None:
    PeriodicTask.objects.update(last_run_at=None, date_changed=SIX + timedelta(seconds=1))
    assert beat.fire_due(SIX + timedelta(seconds=59)) == []
    assert beat.fire_due(SIX + timedelta(seconds=60)) == [Job.TICK]


def test_what_is_switched_off_or_no_job_does_not_fire() -> None:
    PeriodicTask.objects.filter(name=Job.DISCOVER).update(enabled=False)
    other = row(Job.PRUNE)
    other.pk, other.name, other.last_run_at = None, "somebody.elses", SIX - timedelta(days=1)
    other.save(force_insert=True)
    assert beat.fire_due(SIX) == [Job.REFRESH, Job.TICK]


def test_a_job_at_work_is_not_asked_again_and_its_window_counts_as_fired() -> None:
    run, _ = runs.queue(Job.DISCOVER, at=SIX, trigger="api")
    assert Job.DISCOVER not in beat.fire_due(SIX)
    assert [each.pk for each in runs_of(Job.DISCOVER)] == [run.pk]
    assert row(Job.DISCOVER).last_run_at == SIX
    assert not Slot.objects.get(run_id=run.pk).again


@pytest.mark.parametrize(("minutes", "soon"), [(9, True), (70, False)])
def test_a_window_does_not_wait_behind_a_long_pause_before_a_retry(
    valkey: Any, minutes: int, soon: bool
) -> None:
    """It would count as fired, and nothing would be done for an hour. What comes soon is left to it."""
    run, _ = runs.queue(Job.DISCOVER, at=SIX, trigger="api", publish=False)
    IngestRun.objects.filter(pk=run.pk).update(trigger="retry", attempts=6)
    Slot.objects.update(lease_until=SIX + timedelta(minutes=minutes))
    for _ in range(2):
        beat.fire_due(SIX)
        PeriodicTask.objects.filter(name=Job.DISCOVER).update(last_run_at=SIX - timedelta(days=1))
    messages = [json.loads(each) for each in valkey.lrange("marquee:marquee", 0, -1)]
    published = [each for each in messages if each["headers"]["task"] == Job.DISCOVER]
    assert len(published) == (0 if soon else 1)
    assert [each.pk for each in runs_of(Job.DISCOVER)] == [run.pk]


def test_a_broker_that_is_away_costs_no_window(monkeypatch: pytest.MonkeyPatch, valkey: Any) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise BrokerAway("nobody there")

    with monkeypatch.context() as outage:
        outage.setattr(current_app._get_current_object(), "send_task", away)
        assert beat.fire_due(SIX) == DUE
        assert beat.fire_due(SIX + timedelta(minutes=1)) == []
    assert valkey.llen("marquee:marquee") == 0
    beat.fire_due(SIX + timedelta(minutes=2))
    jobs.execute(runs_of(Job.TICK)[0].pk)
    assert {run.status for job in (Job.DISCOVER, Job.REFRESH) for run in runs_of(job)} == {"queued"}
    assert valkey.llen("marquee:marquee") == len(DUE)


def test_one_bad_row_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    crontab = _half_yearly()
    type(crontab).objects.filter(pk=crontab.pk).update(minute="sixty")
    PeriodicTask.objects.filter(name=Job.REFRESH).update(crontab=crontab)
    assert beat.fire_due(SIX) == [Job.TICK, Job.DISCOVER]
    assert "content.refresh" in caplog.text


@pytest.fixture
def scheduler() -> Beat:
    return Beat(celery.app, max_interval=5)


def test_a_database_that_goes_away_ends_nothing_and_is_said_once(
    scheduler: Beat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "ingestion.beat")

    def away(at: datetime) -> None:
        raise OperationalError("the server closed the connection")

    with monkeypatch.context() as outage:
        outage.setattr(beat, "fire_due", away)
        assert [0 < scheduler.tick() <= 5 for _ in range(3)] == [True] * 3
    monkeypatch.setattr(beat, "fire_due", lambda at: [])
    scheduler.tick()
    scheduler.tick()
    ours = [record for record in caplog.records if record.name == "ingestion.beat"]
    assert [record.message.partition(":")[0] for record in ours] == [
        "Schedules wait",
        "The database answers again; what was missed fires once.",
    ]


def test_a_bug_in_one_look_does_not_end_beat(
    scheduler: Beat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(beat, "fire_due", lambda at: 1 / 0)
    assert 0 < scheduler.tick() <= 5
    assert "ZeroDivisionError" in caplog.text


def test_it_wakes_at_the_full_minute() -> None:
    assert beat._until_next_minute(SIX + timedelta(seconds=59, milliseconds=250)) == pytest.approx(0.75)
    assert beat._until_next_minute(SIX) == 60
