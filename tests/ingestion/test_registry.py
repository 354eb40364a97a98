"""Jobs are declared once; what cannot be one is refused; one that is gone leaves nothing that hangs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.exceptions import ImproperlyConfigured
from django_celery_beat.models import PeriodicTask

from config import checks
from config.env import BASE_DIR
from config.supervisor import processes
from core import conf
from core.options import DEFAULTS
from ingestion import jobs, registry, runs, schedule, slots, status
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.registry import JOBS, BadJob, job
from ingestion.reports import Failed, Report
from tests import clients
from tests.ingestion.conftest import AT
from tests.ingestion.world import succeeded

HOUSE = "house.gaps"
Declared = Callable[..., AbstractContextManager[None]]


def nothing(report: Report) -> dict[str, Any]:
    return {}


@contextmanager
def declared(**more: Any) -> Iterator[None]:
    """A job of the house, for as long as the `with` lasts."""
    job(HOUSE, "Names what is missing.", **more)(nothing)
    try:
        yield
    finally:
        del JOBS[HOUSE]


# --- declaring


def test_our_own_jobs_are_declared_as_anybodys() -> None:
    assert set(JOBS) >= set(Job)
    assert all(spec.about.endswith(".") for spec in JOBS.values())
    assert [name for name, spec in JOBS.items() if spec.takes_movie] == [Job.MATCH]


def test_every_job_is_a_task_of_its_name() -> None:
    current_app.loader.import_default_modules()
    assert set(JOBS) <= set(current_app.tasks)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gaps",
        "House.gaps",
        "house gaps",
        "house.",
        ".gaps",
        "house/gaps",
        "celery.gaps",
        f"house.{'g' * 19}",
    ],
)
def test_a_name_that_no_column_or_path_can_hold_is_refused(name: str) -> None:
    with pytest.raises(BadJob, match=r"at most 24 characters.*such as house\.gaps"):
        job(name, "Does nothing.")(nothing)
    assert name not in JOBS


@pytest.mark.parametrize(
    "cron", ["daily", "* * * *", "61 * * * *", "0 0 31 2 *", "TARGET_QUALITY", "NO_SUCH_CRON", " "]
)
def test_a_cron_that_is_none_is_refused(cron: str) -> None:
    with pytest.raises(BadJob, match=r"five cron columns.*, or the name of a setting"):
        job(HOUSE, "Does nothing.", cron=cron)(nothing)


@pytest.mark.parametrize("wrong", [{"about": " "}, {"time_limit": timedelta(0)}])
def test_a_job_says_what_it_does_and_may_take_some_time(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadJob, match=HOUSE):
        job(HOUSE, **{"about": "Does nothing.", **wrong})(nothing)


def test_a_name_belongs_to_one_job() -> None:
    before = JOBS[Job.MATCH]
    with pytest.raises(BadJob, match=r"There is a job content.match already, in ingestion.jobs\."):
        job("content.match", "Another.")(nothing)
    assert JOBS[Job.MATCH] is before


def test_a_cron_is_the_jobs_own_or_a_settings() -> None:
    with declared(cron="30 5 * * *"):
        assert JOBS[HOUSE].cron_under(DEFAULTS) == "30 5 * * *"
    with declared(cron="INGEST_REFRESH_CRON"):
        assert JOBS[HOUSE].cron_under(DEFAULTS) == DEFAULTS.ingest_refresh_cron
    with declared():
        assert JOBS[HOUSE].cron_under(DEFAULTS) == ""


# --- modules of an operator


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Writes a module that can be imported; its name."""
    monkeypatch.syspath_prepend(tmp_path)
    before, written = dict(JOBS), []

    def write(text: str) -> str:
        name = f"house_{tmp_path.name.replace('-', '_')}_{len(written)}"
        (tmp_path / f"{name}.py").write_text(text)
        written.append(name)
        return name

    yield write
    registry.faults.clear()
    JOBS.clear()
    JOBS.update(before)
    for name in written:
        sys.modules.pop(name, None)


def test_a_module_brings_its_jobs(house: Callable[[str], str]) -> None:
    text = (
        f"from ingestion.registry import job\n\n@job('{HOUSE}', 'Does it.')\ndef gaps(report): return {{}}\n"
    )
    registry.load([house(text)])
    assert JOBS[HOUSE].about == "Does it."
    assert checks.job_modules(None) == []
    registry.refuse_faults()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "from ingestion.registry import job\n\njob('Gaps', 'x')(print)\n",
            "BadJob: A job's name is at most 24",
        ),
        ("import nowhere_at_all\n", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("def gaps(:\n", "SyntaxError"),
        ("1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_an_error_that_names_it(
    house: Callable[[str], str], text: str, why: str
) -> None:
    name = house(text)
    registry.load([name])
    [error] = checks.job_modules(None)
    assert (error.id, error.is_serious()) == ("marquee.E009", True)
    assert f"JOB_MODULES names {name}, which cannot be imported: {why}" in error.msg
    assert "PYTHONPATH" in str(error.hint)
    with pytest.raises(ImproperlyConfigured, match=f"{name}, which cannot be imported: {why}"):
        registry.refuse_faults()


@pytest.mark.parametrize("name", ["nowhere.jobs", "../house", ".house", "house-jobs"])
def test_a_name_that_is_no_modules_is_an_error_as_well(house: Callable[[str], str], name: str) -> None:
    registry.load([name])
    assert name in registry.faults


@pytest.mark.servers
@pytest.mark.parametrize("process", ["setup", "web", "worker", "beat"])
def test_no_process_starts_without_all_its_jobs(process: str, tmp_path: Path) -> None:
    """It would drop the messages of those it does not know."""
    command = {
        "setup": processes.manage("setup"),
        "web": processes.web(0),
        "worker": processes.worker(),
        "beat": processes.beat(),
    }[process]
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(tmp_path)}
    env |= {"JOB_MODULES": "nowhere.jobs", "REDIS_URL": "", "PYTHONPATH": str(BASE_DIR)}
    done = subprocess.run(
        command, cwd=BASE_DIR, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "JOB_MODULES names nowhere.jobs, which cannot be imported" in done.stdout + done.stderr


# --- where they show


@pytest.mark.django_db
def test_a_job_is_scheduled_and_follows_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    with declared(cron="INGEST_REFRESH_CRON"):
        assert schedule.initialize()[HOUSE] == "0 */6 * * *"
        conf.change("INGEST_REFRESH_CRON", "0 4 * * *", by="test", at=AT)
        row = PeriodicTask.objects.select_related("crontab").get(name=HOUSE)
        assert row.crontab is not None
        assert (row.task, row.crontab.hour, row.description) == (HOUSE, "4", "Names what is missing.")
        assert schedule.next_runs(AT)[HOUSE] == AT.replace(hour=4) + timedelta(days=1)


@pytest.mark.django_db
@pytest.mark.usefixtures("valkey")
def test_a_job_is_known_to_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PING_S", 0.01)
    operator = clients.client("operator")
    with declared():
        assert operator.post(f"/api/ingest/run/{HOUSE}").status_code == 202
        assert operator.post(f"/api/ingest/run/{HOUSE}", {"movie": 1}).status_code == 400
        told = operator.get("/api/ingest/status").json()["jobs"][HOUSE]
        assert (told["about"], told["queued"], told["next_at"]) == ("Names what is missing.", 1, None)
        assert [row["job"] for row in operator.get(f"/api/ingest/runs?job={HOUSE}").json()] == [HOUSE]


@pytest.mark.django_db
def test_what_a_job_expects_to_fail_is_told_in_a_sentence_and_tried_again_if_it_may_pass() -> None:
    def fails(report: Report) -> dict[str, Any]:
        raise Failed("There is no folder.", retryable=report.run.attempts == 1)

    with declared():
        queued, _ = runs.queue(HOUSE, at=AT, trigger="test", publish=False)
        closed = runs.execute(queued.pk, fails, clock=lambda: AT)
        assert closed is not None
        assert (closed.status, closed.error, closed.traceback) == ("failed", "There is no folder.", "")
        retry = IngestRun.objects.get(status=IngestRun.Status.QUEUED)
        assert retry.trigger == "retry"
        runs.execute(retry.pk, fails, clock=lambda: AT)
        assert not IngestRun.objects.filter(status=IngestRun.Status.QUEUED).exists()


# --- jobs that are gone


@pytest.fixture
def gone(valkey: Any, db: None) -> IngestRun:
    """A run that was queued when its job was still there."""
    with declared(cron="30 5 * * *"):
        schedule.initialize()
        run, _ = runs.queue(HOUSE, at=AT, trigger="schedule")
    IngestLog.objects.create(at=AT, job=HOUSE, run_id=run.pk, status="OK", message="There was one.")
    return run


def test_a_queued_run_of_a_job_that_is_gone_ends_failed_but_not_during_an_update(gone: IngestRun) -> None:
    succeeded(Job.TICK, at=AT + timedelta(minutes=1))
    gone.refresh_from_db()
    assert gone.status == IngestRun.Status.QUEUED
    succeeded(Job.TICK, at=AT + slots.QUEUED_LEASE)
    gone.refresh_from_db()
    assert (gone.status, gone.traceback) == (IngestRun.Status.FAILED, "")
    assert gone.error.startswith("There is no job house.gaps any more. There are: tmdb.discover, content.")
    assert not slots.Slot.objects.filter(run_id=gone.pk).exists()


def test_a_run_of_a_job_that_is_gone_and_cannot_be_closed_keeps_the_tick_from_nothing_else(
    gone: IngestRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(run_id: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(jobs, "execute", bug)
    tick, _ = runs.queue(Job.TICK, at=AT + slots.QUEUED_LEASE, trigger="test", publish=False)
    closed = runs.execute(tick.pk, jobs.tick, clock=lambda: AT + slots.QUEUED_LEASE)
    assert closed is not None
    assert (closed.status, closed.summary["published"]) == (IngestRun.Status.FAILED, 1)


def test_a_job_that_comes_back_in_time_finds_its_run(gone: IngestRun) -> None:
    with declared():
        succeeded(Job.TICK, at=AT + slots.QUEUED_LEASE)
        gone.refresh_from_db()
        assert gone.status == IngestRun.Status.QUEUED


def test_what_a_job_left_behind_breaks_neither_status_nor_api(
    gone: IngestRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "PING_S", 0.01)
    operator = clients.client("operator")
    assert HOUSE not in operator.get("/api/ingest/status").json()["jobs"]
    assert [row["job"] for row in operator.get("/api/ingest/runs").json()] == [HOUSE]
    assert [row["message"] for row in operator.get("/api/ingest/logs").json()] == ["There was one."]
    assert operator.get(f"/api/ingest/runs?job={HOUSE}").status_code == 400
    assert operator.get(f"/api/ingest/runs/{gone.pk}").json()["job"] == HOUSE
    assert operator.post(f"/api/ingest/run/{HOUSE}").status_code == 404


def enabled() -> bool:
    return bool(PeriodicTask.objects.get(name=HOUSE).enabled)


def test_its_row_in_the_schedule_is_switched_off_until_it_returns(gone: IngestRun) -> None:
    assert enabled()
    schedule.initialize()
    row = PeriodicTask.objects.get(name=HOUSE)
    assert (row.enabled, row.description) == (False, schedule.GONE)
    assert HOUSE not in schedule.next_runs(AT)
    with declared():  # it is there, and runs only when asked
        schedule.initialize()
        assert not enabled()
    with declared(cron="30 5 * * *"):
        schedule.initialize()
        assert enabled()


def test_what_an_operator_switched_off_does_not_return(gone: IngestRun) -> None:
    PeriodicTask.objects.filter(name=HOUSE).update(enabled=False)
    schedule.initialize()
    with declared(cron="30 5 * * *"):
        schedule.initialize()
        assert not enabled()


def test_a_changed_setting_switches_nothing_off(gone: IngestRun) -> None:
    """Whoever changes one may be a process that knows fewer jobs."""
    conf.change("INGEST_REFRESH_CRON", "0 4 * * *", by="test", at=AT)
    assert enabled()


def test_rows_that_are_not_ours_are_left_alone(gone: IngestRun) -> None:
    crontab = PeriodicTask.objects.get(name=HOUSE).crontab
    for name, task in (("celery.backend_cleanup", "celery.backend_cleanup"), ("by hand", "house.thing")):
        PeriodicTask.objects.create(name=name, task=task, crontab=crontab)
    schedule.initialize()
    assert (
        PeriodicTask.objects.filter(name__in=["celery.backend_cleanup", "by hand"], enabled=True).count() == 2
    )
