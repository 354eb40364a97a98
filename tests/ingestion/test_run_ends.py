"""However its work ends, a run is closed, says why, and blocks nothing: after a bug, nonsense, a deadline, or
the death of whoever does it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from core import conf, correlation
from ingestion import ending, registry, runs, slots
from ingestion.models import IngestLog, IngestRun, Job, Slot
from ingestion.runs import Report
from providers import secrets
from providers.errors import ProviderTransient
from tests.simulation import kills
from tests.streaming import factory

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
Status, Log = IngestRun.Status, IngestLog.Status

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending.current_app, "send_task", lambda *args, **options: None)


def queued(movie_id: int | None = 7, *, job: str = Job.MATCH, at: datetime = AT) -> IngestRun:
    return runs.queue(job, movie_id=movie_id, trigger="test", at=at)[0]


def done(run: IngestRun, work: Any, *, at: datetime = AT) -> IngestRun:
    closed = runs.execute(run.pk, work, clock=lambda: at)
    assert closed is not None
    return closed


def nothing(report: Report) -> dict[str, Any]:
    return {}


def raising(error: BaseException) -> Any:
    def work(report: Report) -> dict[str, Any]:
        raise error

    return work


def waiting() -> IngestRun:
    return IngestRun.objects.get(status=Status.QUEUED)


# --- what asked for it


def test_a_run_bears_the_id_of_the_request_that_asked_and_its_work_is_done_under_it() -> None:
    with correlation.under("seen-7"):
        run = queued()
    seen: list[str] = []

    def work(report: Report) -> dict[str, Any]:
        seen.append(correlation.current())
        queued(8)
        return {}

    assert done(run, work).correlation_id == "seen-7"
    assert seen == ["seen-7"]
    assert waiting().correlation_id == "seen-7", "what it queues is for the same cause"
    assert correlation.current() == ""


def test_runs_of_the_schedule_have_an_id_each() -> None:
    ids = {queued(1).correlation_id, queued(2).correlation_id}
    assert len(ids) == 2
    assert "" not in ids


def test_what_follows_a_run_is_for_the_same_cause_whoever_passes_the_slot_on() -> None:
    with correlation.under("seen-7"):
        retried, followed = queued(1), queued(2)
    runs._start(retried.pk, at=AT)
    with correlation.under("the-tick"):
        runs.find_lost(at=AT + HOUR)
    assert waiting_for(1).correlation_id == "seen-7"

    def asked_again(report: Report) -> dict[str, Any]:
        queued(2)
        return {}

    done(followed, asked_again)
    assert (waiting_for(2).trigger, waiting_for(2).correlation_id) == ("again", "seen-7")


def waiting_for(movie_id: int) -> IngestRun:
    return IngestRun.objects.get(movie_id=movie_id, status=Status.QUEUED)


@pytest.mark.django_db(transaction=True)
def test_the_heartbeat_logs_under_the_id_of_its_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(correlation.Stamp())
    seen: list[str] = []
    monkeypatch.setattr(slots.Lease, "beat", lambda lease: seen.append(correlation.current()))
    with correlation.under("seen-7"):
        run = queued()
    done(run, nothing)
    assert seen == ["seen-7"]


# --- bugs


def test_no_secret_is_in_what_is_said_of_a_bug(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.TMDB_API_KEY = "tmdb-key-of-ours"
    provider = factory.provider("films")
    provider.secrets = {"token": secrets.seal("films", "token", "s3cret-of-films")}
    provider.save()
    quoted = "tmdb-key-of-ours s3cret-of-films https://ann:passw0rd@db.example/x?api_key=0123456789abcdef"
    closed = done(queued(), raising(ValueError(quoted)))
    (line,) = IngestLog.objects.filter(status=Log.ERROR)
    said = [
        closed.error,
        closed.traceback,
        line.message,
        line.error,
        *(r.getMessage() for r in caplog.records),
    ]
    for secret in ("tmdb-key-of-ours", "s3cret-of-films", "passw0rd", "0123456789abcdef"):
        assert not [text for text in said if secret in text]
    assert closed.error.startswith("ValueError: *** *** https://***@db.example/x?api_key=***")
    assert "test_run_ends.py" in closed.traceback


def test_a_bug_with_a_novel_to_tell_is_cut_to_size() -> None:
    def deep(n: int) -> None:
        if n:
            return deep(n - 1)
        raise ValueError("so it goes\n" * 10**6)

    def work(report: Report) -> dict[str, Any]:
        deep(500)
        return {}

    closed = done(queued(), work)
    assert len(closed.error) <= 500
    assert "\n" not in closed.error
    assert len(closed.traceback) <= 20_000


@pytest.mark.parametrize("text", ["a NUL \0", "half a pair \ud800"])
@pytest.mark.django_db(transaction=True)
def test_a_bug_is_recorded_whatever_it_quotes(text: str) -> None:
    closed = done(queued(), raising(ValueError(text)))
    assert closed.status == Status.FAILED
    assert closed.error.startswith("ValueError: ")
    assert Slot.objects.get().run_id is None


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        (None, "A job returns a dictionary, its summary, and not NoneType."),
        ([1], "A job returns a dictionary, its summary, and not list."),
        ({"when": AT}, "Object of type datetime is not JSON serializable"),
        ({"share": float("nan")}, "Out of range float values are not JSON compliant"),
        ({"all": "x" * 10**6}, "A summary has at most 100000 characters of JSON, and not 1000011."),
    ],
)
def test_a_summary_that_is_none_is_a_bug_of_the_work(summary: Any, said: str) -> None:
    closed = done(queued(), lambda report: summary)
    assert closed.status == Status.FAILED
    assert said in closed.error
    assert closed.traceback
    assert Slot.objects.get().run_id is None


@pytest.mark.parametrize("value", ["a NUL \0", 2**70, "half a pair \ud800"])
@pytest.mark.django_db(transaction=True)
def test_a_run_is_closed_also_where_the_database_cannot_hold_its_summary(value: Any) -> None:
    """Each of the three has its own limits: either it is held, or it is a bug of the work."""
    closed = done(queued(), lambda report: {"value": value})
    if closed.status == Status.SUCCEEDED:
        assert closed.summary == {"value": value}
    else:
        assert (closed.status, closed.summary) == (Status.FAILED, {})
        assert closed.traceback
    assert Slot.objects.get().run_id is None


def test_a_process_that_runs_out_of_memory_goes_on() -> None:
    closed = done(queued(), raising(MemoryError()))
    assert (closed.status, closed.error) == (Status.FAILED, "MemoryError")


# --- interrupts


def test_a_run_whose_process_is_told_to_end_is_done_by_another() -> None:
    run = queued()
    with pytest.raises(SystemExit):
        done(run, raising(SystemExit(0)))
    run.refresh_from_db()
    assert (run.status, run.error) == (Status.LOST, "Its process was told to end (SystemExit).")
    assert f"The run is lost: {run.error}" in IngestLog.objects.values_list("message", flat=True)
    assert (waiting().trigger, waiting().attempts) == ("retry", 1)


# --- deadlines


def test_no_run_goes_on_past_its_deadline() -> None:
    run, now = queued(), [AT]
    limit = registry.time_limit_of(run.job)

    def work(report: Report) -> dict[str, Any]:
        for passed in (limit / 2, limit - MINUTE, limit):
            now[0] = AT + passed
            report.progress(1, 9)
        raise AssertionError("it went on")

    closed = runs.execute(run.pk, work, clock=lambda: now[0])
    assert closed is not None
    assert (closed.status, closed.error) == (Status.FAILED, "It was not done within 60 minutes.")
    assert (closed.traceback, closed.finished_at) == ("", AT + limit)
    assert Slot.objects.get().run_id is None
    assert not IngestRun.objects.filter(status=Status.QUEUED).exists(), "it would take as long again"
    assert IngestLog.objects.get().status == Log.FAILED


def test_one_that_hangs_with_its_heart_beating_is_closed_and_its_slot_is_free() -> None:
    run, now = queued(), [AT]
    deadline = AT + registry.time_limit_of(run.job)

    def work(report: Report) -> dict[str, Any]:
        for now[0] in (deadline - 2 * MINUTE, deadline - MINUTE / 2):
            report.lease.renew()
            assert runs.find_lost(at=now[0]) == (0, 0, 0)
        now[0] = deadline + MINUTE / 4
        report.lease.renew()
        assert runs.find_lost(at=now[0]) == (0, 0, 0)
        assert Slot.objects.get().run_id is None
        other = queued(at=now[0])
        report.lease.renew()
        with pytest.raises(runs.Stopped) as stopped:
            report.progress(1, 2)
        assert type(stopped.value) is runs.Stopped, "there is nothing to be closed any more"
        assert Slot.objects.get().run_id == other.pk
        raise runs.Stopped

    closed = runs.execute(run.pk, work, clock=lambda: now[0])
    assert closed is not None
    assert (closed.status, closed.error) == (Status.FAILED, "It was not done within 60 minutes.")
    assert IngestLog.objects.count() == 1
    assert waiting().trigger == "test"


def test_one_whose_worker_died_long_before_its_deadline_is_lost_whenever_that_is_found() -> None:
    run = queued()
    runs._start(run.pk, at=AT)
    assert slots.extend(ending.key_of(run), run.pk, until=AT + MINUTE)
    assert runs.find_lost(at=AT + timedelta(days=9)) == (1, 1, 0)


# --- retries


def test_retries_wait_ever_longer_and_as_often_as_the_setting_says() -> None:
    run, waits, at = queued(), [], AT
    for _ in range(3):
        run, wait = retried(run, at)
        waits.append(wait)
        at += wait
    for wait, least in zip(waits, (2, 4, 8), strict=True):
        assert least * MINUTE <= wait <= 1.5 * least * MINUTE
    done(run, raising(ProviderTransient("time-out")), at=at)
    assert not IngestRun.objects.filter(status=Status.QUEUED).exists(), "three retries, four attempts"


def test_no_retry_waits_for_more_than_an_hour_and_a_half() -> None:
    for attempts in (6, 21):
        run = IngestRun(job=Job.MATCH, movie_id=7, queued_at=AT, attempts=attempts)
        assert HOUR <= ending.pause_before_retry(run) <= 1.5 * HOUR


def test_what_failed_together_does_not_come_back_together() -> None:
    waits = [retried(queued(movie_id), AT)[1] for movie_id in range(1, 13)]
    assert len(set(waits)) > 6
    assert max(waits) - min(waits) > 20 * timedelta(seconds=1)


def retried(run: IngestRun, at: datetime) -> tuple[IngestRun, timedelta]:
    """The retry of a run that fails for once, and how long it waits."""
    done(run, raising(ProviderTransient("time-out")), at=at)
    until = Slot.objects.get(key=ending.key_of(run)).lease_until
    assert until is not None
    return IngestRun.objects.get(movie_id=run.movie_id, status=Status.QUEUED), until - at


# --- work that kills


@pytest.mark.django_db(transaction=True)
def test_a_movie_that_kills_its_workers_is_given_up_and_holds_up_no_other() -> None:
    """Each attempt is a process of its own, which ends in the middle of the work without a word."""
    conf.change("MAX_RETRY_ATTEMPTS", 2, by="test", at=AT)
    run, at, deaths = queued(666), AT, 0
    while run is not None:
        killed, _ = kills.do_in_victim(partial(attempt, run.pk, at), FATAL, lambda: None)
        assert killed
        deaths += 1
        assert done(queued(deaths, at=at), nothing, at=at).status == Status.SUCCEEDED
        at += 2 * MINUTE
        runs.find_lost(at=at)
        run = IngestRun.objects.filter(movie_id=666, status=Status.QUEUED).first()
    attempts = IngestRun.objects.filter(movie_id=666).order_by("attempts")
    assert deaths == 3
    assert [(run.status, run.attempts) for run in attempts] == [(Status.LOST, n) for n in (1, 2, 3)]
    assert [run.error for run in attempts] == [
        *["Its worker went away without closing it."] * 2,
        "Its worker went away without closing it. That was attempt 3, and the last: it may be what ends its "
        "workers.",
    ]
    assert IngestLog.objects.filter(movie_id=666, status=Log.ERROR).count() == 3
    assert not Slot.objects.filter(run_id__isnull=False).exists()
    assert queued(666, at=at).attempts == 0, "and may be asked for again"


def test_those_that_die_with_a_poisonous_one_come_apart_from_it() -> None:
    """Once, all are retried at once: most workers die by themselves. Twice, each waits for another while."""
    at = AT
    for expected in (1, 12):
        for run in [queued(movie_id, at=at) for movie_id in range(1, 13)]:
            runs._start(run.pk, at=at)
            slots.extend(ending.key_of(run), run.pk, until=at + MINUTE)
        at += 2 * MINUTE
        assert runs.find_lost(at=at).retried == 12
        due = {slot.lease_until for slot in Slot.objects.all()}
        assert (len(due) == 1) is (expected == 1)
    assert min(due) >= at + 4 * MINUTE
    assert max(due) - min(due) > MINUTE


FATAL = kills.Fuse(where="in the middle of its work", owner=Report, name="progress")


def attempt(run_id: Any, at: datetime) -> None:
    runs.execute(run_id, lambda report: report.progress(1, 2) or {}, clock=lambda: at)
