"""Runs: one active per slot, closed whatever happens, found again when their worker is gone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.db import OperationalError, connections

from core import conf
from ingestion import ending, lost, runs, slots
from ingestion.models import IngestLog, IngestRun, Job, Slot
from ingestion.reports import Failed
from ingestion.runs import Report, Stopped
from providers.errors import ProviderPermanent, ProviderTransient

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
Status = IngestRun.Status

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was published, by run id. (What Celery does with it: test_worker.py.)"""
    published: list[str] = []

    def send_task(job: str, args: list[str], **options: Any) -> None:
        published.append(args[0])

    monkeypatch.setattr(ending.current_app, "send_task", send_task)
    return published


def queue(
    job: Job = Job.MATCH, *, movie_id: int | None = 7, at: datetime = AT, **more: Any
) -> tuple[IngestRun, bool]:
    return runs.queue(job, movie_id=movie_id, trigger="test", at=at, **more)


def nothing(report: Report) -> dict[str, Any]:
    return {}


def clock(at: datetime = AT) -> slots.Clock:
    return lambda: at


def test_a_queued_run_is_a_row_before_it_is_published(broker: list[str]) -> None:
    run, created = queue()
    assert created
    assert IngestRun.objects.get(pk=run.pk).status == Status.QUEUED
    assert broker == [str(run.pk)]


def test_asking_twice_before_it_starts_is_one_run(broker: list[str]) -> None:
    first, _ = queue()
    second, created = queue()
    assert (second.pk, created) == (first.pk, False)
    assert IngestRun.objects.count() == len(broker) == 1
    runs.execute(first.pk, nothing, clock=clock())
    assert IngestRun.objects.count() == 1


def test_movies_have_slots_of_their_own() -> None:
    assert queue(movie_id=1)[1]
    assert queue(movie_id=2)[1]
    assert queue(movie_id=None)[1]


def test_asking_while_it_runs_has_it_followed_by_one_more(broker: list[str]) -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        asked = [queue(), queue()]
        assert [(r.pk, created) for r, created in asked] == [(run.pk, False)] * 2
        return {}

    runs.execute(run.pk, work, clock=clock())
    follower = IngestRun.objects.get(status=Status.QUEUED)
    assert follower.trigger == "again"
    assert broker == [str(run.pk), str(follower.pk)]
    runs.execute(follower.pk, nothing, clock=clock())
    assert Slot.objects.get().run_id is None


def test_the_schedule_does_not_ask_for_one_more() -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        queue(again=False)
        return {}

    runs.execute(run.pk, work, clock=clock())
    assert IngestRun.objects.count() == 1


def test_a_run_delivered_twice_is_worked_on_once() -> None:
    run, _ = queue()
    done: list[int] = []

    def work(report: Report) -> dict[str, Any]:
        done.append(1)
        assert runs.execute(run.pk, work, clock=clock()) is None
        return {}

    runs.execute(run.pk, work, clock=clock())
    assert runs.execute(run.pk, work, clock=clock()) is None
    assert done == [1]


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_with_the_same_message_one_does_the_work() -> None:
    run, _ = queue()
    done: list[int] = []
    together = threading.Barrier(6)

    def work(report: Report) -> dict[str, Any]:
        done.append(1)
        return {}

    def worker(_: int) -> None:
        together.wait()
        try:
            runs.execute(run.pk, work, clock=clock())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(worker, range(6)))
    assert done == [1]


def test_a_database_that_is_too_slow_for_the_work_is_tried_again_later_and_not_for_ever() -> None:
    """It answers all the rest, so waiting for it would be waiting for nothing."""
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        raise OperationalError("canceling statement due to statement timeout")

    for attempt in range(1, conf.current().max_retry_attempts + 2):
        closed = runs.execute(run.pk, work, clock=clock())
        assert closed is not None
        assert (closed.status, closed.attempts) == (Status.FAILED, attempt)
        assert closed.error.startswith("The database did not answer: ")
        run = IngestRun.objects.filter(status=Status.QUEUED).first() or run
    assert not IngestRun.objects.filter(status=Status.QUEUED).exists()
    assert Slot.objects.get().run_id is None


def test_a_database_that_is_away_is_waited_for_and_costs_no_attempt(
    monkeypatch: pytest.MonkeyPatch, broker: list[str]
) -> None:
    """Away for real: tests/faults. Here it is the lease that hears nothing, twice."""
    run, _ = queue()
    silences = iter([False, False])
    renew = slots.Lease.renew
    monkeypatch.setattr(slots, "TRY_AGAIN_S", 0.0)

    def work(report: Report) -> dict[str, Any]:
        monkeypatch.setattr(slots.Lease, "renew", lambda lease: next(silences, None) is None and renew(lease))
        raise OperationalError("the connection is closed")

    assert runs.execute(run.pk, work, clock=clock()).status == Status.FAILED  # type: ignore[union-attr]
    retry = IngestRun.objects.get(status=Status.QUEUED)
    assert (retry.trigger, retry.attempts) == ("retry", 0)
    assert broker == [str(run.pk), str(retry.pk)]  # at once: nobody waits for a tick


def test_a_lost_run_is_retried_once_also_if_whoever_found_it_came_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, _ = queue()
    runs._start(run.pk, at=AT)

    def away(*args: Any, **options: Any) -> bool:
        raise OperationalError("the connection was lost")

    with monkeypatch.context() as outage:
        outage.setattr(ending, "pass_on", away)
        with pytest.raises(OperationalError):
            runs.find_lost(at=LATER)
    assert IngestRun.objects.get().status == Status.LOST
    assert runs.find_lost(at=LATER).retried == 1
    assert IngestRun.objects.get(status=Status.QUEUED).trigger == "retry"
    assert runs.find_lost(at=LATER) == (0, 0, 0)


@pytest.mark.parametrize("step", ["log", "pass_on"])
def test_a_lost_run_is_said_to_be_lost_once_also_if_whoever_found_it_came_no_further(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = queue()
    runs._start(run.pk, at=AT)

    def away(*args: Any, **options: Any) -> bool:
        raise OperationalError("the connection was lost")

    with monkeypatch.context() as outage:
        outage.setattr(lost if step == "log" else ending, step, away)
        with pytest.raises(OperationalError):
            runs.find_lost(at=LATER)
    assert IngestRun.objects.get().status == Status.LOST
    assert runs.find_lost(at=LATER).retried == 1
    assert [line.message for line in IngestLog.objects.filter(run_id=run.pk)] == [
        "The run is lost: Its worker went away without closing it."
    ]


@pytest.mark.parametrize("applied", [True, False])
def test_how_a_run_ended_is_on_record_even_if_an_answer_was_lost(
    monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    run, _ = queue()
    close = ending.close
    lost = iter([True])

    def closing(*args: Any, **columns: Any) -> bool:
        if not next(lost, False):
            return close(*args, **columns)
        if applied:
            close(*args, **columns)
        raise OperationalError("the connection was lost")

    monkeypatch.setattr(ending, "close", closing)
    monkeypatch.setattr(slots, "TRY_AGAIN_S", 0.0)

    def work(report: Report) -> dict[str, Any]:
        raise ProviderTransient("time-out")

    assert runs.execute(run.pk, work, clock=clock()).status == Status.FAILED  # type: ignore[union-attr]
    assert IngestRun.objects.get(status=Status.QUEUED).attempts == 1
    assert IngestLog.objects.count() == 1


def test_what_follows_a_run_is_as_young_as_its_row_however_long_the_database_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a slot of its own yet, an old one would be taken for a stray, and deleted (`find_lost`)."""
    run, _ = queue()
    follow, now = ending._follow, [AT]

    def following(*args: Any, **options: Any) -> bool:
        if now == [AT]:
            now[0] = LATER
            raise OperationalError("the connection was lost")
        return follow(*args, **options)

    monkeypatch.setattr(ending, "_follow", following)
    monkeypatch.setattr(slots, "TRY_AGAIN_S", 0.0)

    def work(report: Report) -> dict[str, Any]:
        raise ProviderTransient("time-out")

    runs.execute(run.pk, work, clock=lambda: now[0])
    assert IngestRun.objects.get(status=Status.QUEUED).queued_at == LATER
    assert IngestRun.objects.get(status=Status.FAILED).finished_at == AT


def test_success_keeps_summary_progress_and_times() -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        report.progress(3, 4)
        report.log(IngestLog.Status.OK, "said")
        return {"found": 3}

    closed = runs.execute(run.pk, work, clock=clock(LATER))
    assert closed is not None
    assert (closed.status, closed.summary) == (Status.SUCCEEDED, {"found": 3})
    assert (closed.progress_done, closed.progress_total, closed.attempts) == (3, 4, 1)
    assert (closed.queued_at, closed.started_at, closed.finished_at) == (AT, LATER, LATER)
    line = IngestLog.objects.get()
    assert (line.run_id, line.job, line.movie_id, line.message) == (run.pk, Job.MATCH, 7, "said")


def test_what_may_go_wrong_is_explained_without_a_traceback() -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        raise ProviderPermanent("the key is refused", provider="tmdb")

    closed = runs.execute(run.pk, work, clock=clock())
    assert closed is not None
    assert (closed.status, closed.error) == (Status.FAILED, "tmdb: the key is refused")
    line = IngestLog.objects.get()
    assert (line.status, line.error) == (IngestLog.Status.FAILED, "")


def test_a_bug_is_closed_with_its_traceback() -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        return {"x": 1 // 0}

    closed = runs.execute(run.pk, work, clock=clock())
    assert closed is not None
    assert closed.status == Status.FAILED
    assert closed.error == "ZeroDivisionError: integer division or modulo by zero"
    assert "test_runs.py" in closed.traceback
    assert "ZeroDivisionError" in IngestLog.objects.get(status=IngestLog.Status.ERROR).message
    assert Slot.objects.get().run_id is None


def test_an_interrupted_run_is_closed_and_the_interrupt_goes_on() -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.execute(run.pk, work, clock=clock())
    assert IngestRun.objects.get().status == Status.CANCELLED
    assert Slot.objects.get().run_id is None


def test_a_passing_failure_is_retried_later_as_often_as_the_setting_says(broker: list[str]) -> None:
    conf.change("MAX_RETRY_ATTEMPTS", 1, by="test", at=AT)
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        raise ProviderTransient("time-out")

    runs.execute(run.pk, work, clock=clock())
    retry = IngestRun.objects.get(status=Status.QUEUED)
    assert (retry.trigger, retry.attempts) == ("retry", 1)
    assert broker == [str(run.pk)], "a retry waits for a tick"
    assert runs.find_lost(at=AT + timedelta(seconds=30)).published == 0
    assert runs.find_lost(at=LATER).published == 1
    assert broker[1:] == [str(retry.pk)]
    runs.execute(retry.pk, work, clock=clock(LATER))
    assert not IngestRun.objects.filter(status=Status.QUEUED).exists()


@pytest.mark.parametrize("error", [ProviderPermanent("gone"), Failed("no such folder"), LookupError("a bug")])
def test_what_will_not_pass_is_not_retried(error: Exception) -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        raise error

    runs.execute(run.pk, work, clock=clock())
    assert IngestRun.objects.get().status == Status.FAILED
    assert Slot.objects.get().run_id is None


def test_a_cancelled_run_in_the_queue_never_starts() -> None:
    run, _ = queue()
    assert runs.cancel(run.pk, by="ann", at=AT).status == Status.CANCELLED
    assert runs.execute(run.pk, nothing, clock=clock()) is None
    assert queue()[1], "the slot is free again"


def test_a_cancelled_run_stops_at_its_next_step_and_keeps_its_slot_until_then() -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        runs.cancel(run.pk, by="ann", at=AT)
        assert Slot.objects.get().run_id == run.pk
        with pytest.raises(Stopped):
            report.progress(1, 2)
        raise Stopped

    closed = runs.execute(run.pk, work, clock=clock())
    assert closed is not None
    assert (closed.status, closed.error) == (Status.CANCELLED, "Cancelled by ann.")
    assert Slot.objects.get().run_id is None


def test_a_cancelled_run_that_fails_on_its_way_out_is_not_retried() -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        runs.cancel(run.pk, by="ann", at=AT)
        raise ProviderTransient("time-out")

    runs.execute(run.pk, work, clock=clock())
    assert [run.status for run in IngestRun.objects.all()] == [Status.CANCELLED]
    assert Slot.objects.get().run_id is None


def test_cancelling_what_is_over_changes_nothing() -> None:
    run, _ = queue()
    runs.execute(run.pk, nothing, clock=clock())
    assert runs.cancel(run.pk, by="ann", at=LATER).status == Status.SUCCEEDED


def test_cancelling_an_unknown_run_is_an_error() -> None:
    with pytest.raises(runs.UnknownRun):
        runs.cancel(IngestRun().pk, by="ann", at=AT)


def start(at: datetime = AT, **more: Any) -> IngestRun:
    """A run whose worker has just been killed."""
    run, _ = queue(at=at, **more)
    started = runs._start(run.pk, at=at)
    assert started is not None
    return started


def test_a_run_whose_lease_ran_out_is_lost_and_retried_once(broker: list[str]) -> None:
    run = start()
    assert runs.find_lost(at=AT + slots.RUNNING_LEASE / 2) == (0, 0, 0)
    assert runs.find_lost(at=LATER) == (1, 1, 0)
    assert runs.find_lost(at=LATER) == (0, 0, 0)
    run.refresh_from_db()
    assert (run.status, run.finished_at) == (Status.LOST, LATER)
    retry = IngestRun.objects.get(status=Status.QUEUED)
    assert (retry.trigger, retry.attempts, Slot.objects.get().run_id) == ("retry", 1, retry.pk)
    assert broker[-1] == str(retry.pk)


def test_a_run_that_is_lost_again_and_again_is_given_up() -> None:
    conf.change("MAX_RETRY_ATTEMPTS", 0, by="test", at=AT)
    start()
    assert runs.find_lost(at=LATER) == (1, 0, 0)
    slot = Slot.objects.get()
    assert (slot.run_id, slot.lease_until) == (None, None)


def test_one_tick_deals_with_so_many_slots_the_longest_overdue_first(
    broker: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost, "RECOVERED_AT_ONCE", 1)
    later, _ = queue(movie_id=1, at=AT + timedelta(seconds=1))
    sooner, _ = queue(movie_id=2, at=AT)
    broker.clear()
    assert [runs.find_lost(at=LATER).published for _ in range(3)] == [1, 1, 0]
    assert broker == [str(sooner.pk), str(later.pk)]


def test_who_was_taken_for_lost_can_neither_go_on_nor_close() -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        runs.find_lost(at=LATER)
        with pytest.raises(Stopped):
            report.progress(1, 2)
        return {"late": True}

    closed = runs.execute(run.pk, work, clock=clock())
    assert closed is not None
    assert (closed.status, closed.summary) == (Status.LOST, {})
    assert Slot.objects.get().run_id == IngestRun.objects.get(status=Status.QUEUED).pk


def test_asking_finds_a_lost_run_without_waiting_for_a_tick() -> None:
    """The tick itself is a run: were its slot stuck, nobody would look for lost runs ever again."""
    lost = start(job=Job.TICK, movie_id=None)
    run, created = queue(Job.TICK, movie_id=None, at=LATER)
    assert (run.trigger, created) == ("retry", False)
    lost.refresh_from_db()
    assert lost.status == Status.LOST


def test_a_worker_that_died_after_closing_leaves_a_slot_that_is_freed() -> None:
    run = start()
    assert ending.close([Status.RUNNING], run, Status.SUCCEEDED, at=AT)
    assert runs.find_lost(at=LATER) == (0, 0, 0)
    assert Slot.objects.get().run_id is None


def test_a_worker_that_died_between_a_failure_and_its_retry_does_not_lose_the_retry(
    broker: list[str],
) -> None:
    run = start()
    assert ending.close([Status.RUNNING], run, Status.FAILED, at=AT)
    assert runs.find_lost(at=LATER) == (0, 1, 0)
    assert broker[-1] == str(IngestRun.objects.get(status=Status.QUEUED).pk)


def test_a_run_whose_worker_came_back_before_it_was_looked_at_is_not_lost() -> None:
    """After an outage all leases have run out, and the tick has many to look at."""
    run = start()
    overdue = Slot.objects.get()
    assert slots.extend(overdue.pk, run.pk, until=LATER + timedelta(minutes=1))
    assert lost.recover(overdue, LATER) == (0, 0, 0)
    assert IngestRun.objects.get().status == Status.RUNNING


def written_down(**more: Any) -> IngestRun:
    """A run whose process died before it took the slot."""
    run = IngestRun(job=Job.MATCH, movie_id=7, trigger="test", queued_at=AT, **more)
    run.save(force_insert=True)
    return run


def test_a_run_that_was_written_down_and_has_no_slot_gets_it_and_is_published(broker: list[str]) -> None:
    run = written_down()
    assert runs.find_lost(at=AT + timedelta(minutes=1)) == (0, 0, 0), "its process may be about to take it"
    assert runs.find_lost(at=LATER) == (0, 0, 1)
    assert (Slot.objects.get().run_id, broker) == (run.pk, [str(run.pk)])
    assert runs.find_lost(at=LATER) == (0, 0, 0)
    assert runs.execute(run.pk, nothing, clock=clock(LATER)).status == Status.SUCCEEDED  # type: ignore[union-attr]


def test_a_run_without_a_slot_goes_where_another_has_the_slot(broker: list[str]) -> None:
    stray = written_down()
    active, _ = queue(at=LATER)
    assert runs.find_lost(at=LATER) == (0, 0, 0)
    assert not IngestRun.objects.filter(pk=stray.pk).exists()
    assert (Slot.objects.get().run_id, broker) == (active.pk, [str(active.pk)])


def test_a_run_that_ran_between_two_looks_leaves_its_slot_free(monkeypatch: pytest.MonkeyPatch) -> None:
    run = written_down(status=Status.SUCCEEDED)
    monkeypatch.setattr(lost, "_without_slot", lambda at: [run])
    assert runs.find_lost(at=LATER) == (0, 0, 0)
    assert Slot.objects.get().run_id is None


def test_a_slot_that_points_at_nothing_is_freed_at_once() -> None:
    run, _ = queue()
    IngestRun.objects.all().delete()
    again, created = queue()
    assert created
    assert again.pk != run.pk


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_keeps_a_long_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "HEARTBEAT_S", 0.01)
    moments = iter([AT, *(AT + timedelta(minutes=n) for n in range(1, 100_000))])
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        give_up = datetime.now(UTC) + timedelta(seconds=20)
        while Slot.objects.get().lease_until < AT + timedelta(minutes=5):  # type: ignore[operator]
            assert datetime.now(UTC) < give_up
        return {}

    closed = runs.execute(run.pk, work, clock=lambda: next(moments))
    assert closed is not None
    assert closed.status == Status.SUCCEEDED


def test_a_retry_that_waits_begins_when_a_person_asks_and_not_when_a_sweep_does(broker: list[str]) -> None:
    run, _ = queue()

    def work(report: Report) -> dict[str, Any]:
        raise ProviderTransient("time-out")

    runs.execute(run.pk, work, clock=lambda: AT)
    retry = IngestRun.objects.get(trigger="retry")
    broker.clear()
    assert queue() == (retry, False)
    assert broker == []
    assert runs.queue(Job.MATCH, movie_id=7, at=AT, trigger="admin", requested_by="ann") == (retry, False)
    assert broker == [str(retry.pk)]
    assert runs.find_lost(at=AT + timedelta(minutes=4)).published == 0, "its message is with the broker"


def test_a_run_that_waits_is_as_much_a_persons_as_one_that_they_started() -> None:
    """Or a search that an editor asks for would do no more than that of the sweep which was there first."""
    run, _ = queue()
    for name in ("ann", "bob"):
        assert queue(requested_by=name) == (run, False)
    run.refresh_from_db()
    assert run.requested_by == "ann"


def test_a_run_that_begins_while_a_person_asks_is_followed_by_one_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, _ = queue()
    as_read = IngestRun.objects.get()
    runs._start(run.pk, at=AT)
    slots.extend(ending.key_of(run), run.pk, until=LATER)
    seen = iter([as_read])
    monkeypatch.setattr(runs.lost, "active", lambda key, at: next(seen))
    assert queue(requested_by="ann") == (run, False)
    assert Slot.objects.get().again


def test_without_a_broker_a_run_stays_queued_and_the_next_tick_publishes_it(
    monkeypatch: pytest.MonkeyPatch, broker: list[str]
) -> None:
    away = Celery("away", broker="redis+socket:///nowhere/at-all.sock", set_as_current=False)
    away.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    back = ending.current_app
    monkeypatch.setattr(ending, "current_app", away)
    run, created = queue()
    assert (created, run.status) == (True, Status.QUEUED)
    assert runs.find_lost(at=AT).published == 1, "tried once more, in vain"
    monkeypatch.setattr(ending, "current_app", back)
    assert runs.find_lost(at=AT).published == 1
    assert runs.find_lost(at=AT).published == 0
    assert broker == [str(run.pk)]
