"""`/api/ingest/…`: what runs, what ran, what it said; starting and cancelling; the schedule."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from rest_framework.test import APIClient

from ingestion import runs, status
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.reports import Failed, Report
from tests import clients
from tests.clients import assert_problem
from tests.ingestion.conftest import AT
from tests.streaming import factory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def operator() -> APIClient:
    return clients.client("operator")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PING_S", 0.01)


def get(client: APIClient, path: str) -> Any:
    response = client.get(f"/api/ingest/{path}")
    assert response.status_code == 200, response.content
    return response.json()


# --- run


def test_a_job_is_queued_and_answered_with_its_run(operator: APIClient) -> None:
    response = operator.post("/api/ingest/run/tmdb.discover")
    body = response.json()
    assert response.status_code == 202
    assert (body["job"], body["status"], body["again"]) == ("tmdb.discover", "queued", False)
    assert (body["trigger"], body["requested_by"]) == ("api", "operator-ada")
    assert get(operator, f"runs/{body['id']}") == {name: body[name] for name in body if name != "again"}


def test_a_job_that_is_active_already_is_that_run(operator: APIClient) -> None:
    first = operator.post("/api/ingest/run/content.refresh").json()
    second = operator.post("/api/ingest/run/content.refresh/", {}).json()
    assert (second["id"], second["again"]) == (first["id"], True)


def test_a_match_takes_a_movie_or_none(operator: APIClient) -> None:
    movie = factory.movie()
    assert operator.post("/api/ingest/run/content.match", {"movie": movie.pk}).json()["movie"] == movie.pk
    assert operator.post("/api/ingest/run/content.match").json()["movie"] is None
    assert IngestRun.objects.count() == 2
    assert_problem(operator.post("/api/ingest/run/content.match", {"movie": 99}), 404, reason="not_found")


def test_an_unknown_job_is_told_which_there_are(operator: APIClient) -> None:
    for job in ("nothing", "TMDB.discover", "%00", "x" * 500):
        problem = assert_problem(operator.post(f"/api/ingest/run/{job}"), 404)
        assert "There are: tmdb.discover, content.match, " in problem["detail"]


@pytest.mark.parametrize(
    ("job", "body", "field"),
    [
        ("content.match", {"movie": 0}, "movie"),
        ("content.match", {"movie": 2**31}, "movie"),
        ("content.match", {"movie": None}, "movie"),
        ("content.match", {"movie": "x"}, "movie"),
        ("content.match", {"film": 5}, "film"),
        ("content.refresh", {"movie": 5}, "movie"),
        ("tmdb.discover", {"pages": 5}, "pages"),
        ("tmdb.discover", [1], "non_field_errors"),
    ],
)
def test_parameters_that_a_job_does_not_take_are_refused(
    operator: APIClient, job: str, body: Any, field: str
) -> None:
    assert assert_problem(operator.post(f"/api/ingest/run/{job}", body), 400)["errors"].keys() == {field}
    assert not IngestRun.objects.exists()


# --- runs


def test_runs_are_listed_newest_first_and_filtered(operator: APIClient) -> None:
    for movie_id in (1, 2, 3):
        runs.queue(Job.MATCH, movie_id=movie_id, at=AT, trigger="test")
    run, _ = runs.queue(Job.DISCOVER, at=AT, trigger="test")
    runs.cancel(run.pk, by="ada", at=AT)
    assert [row["movie"] for row in get(operator, "runs")] == [None, 3, 2, 1]
    assert [row["movie"] for row in get(operator, "runs?job=content.match&limit=2")] == [3, 2]
    assert [row["movie"] for row in get(operator, "runs?movie=2")] == [2]
    assert [row["job"] for row in get(operator, "runs?status=cancelled")] == ["tmdb.discover"]


def test_the_link_of_a_page_leads_to_the_older_ones_whatever_came_meanwhile(operator: APIClient) -> None:
    def newest(movie_id: int) -> None:
        runs.queue(Job.MATCH, movie_id=movie_id, at=AT, trigger="test", publish=False)

    def all_of(path: str, key: str) -> list[Any]:
        found, url = [], f"/api/ingest/{path}"
        while url:
            page = operator.get(url)
            found += [row[key] for row in page.json()]
            newest(90 + len(found))
            url = page.get("Link", "").removeprefix("<").removesuffix('>; rel="next"')
        return found

    for movie_id in range(1, 6):
        newest(movie_id)
        IngestLog.objects.create(at=AT, job=Job.MATCH, status="OK", message=f"line {movie_id}")
    assert all_of("runs?job=content.match&limit=2", "movie") == [5, 4, 3, 2, 1]
    assert all_of("logs?limit=3&status=OK", "message") == [f"line {n}" for n in (5, 4, 3, 2, 1)]
    assert_problem(operator.get("/api/ingest/runs?cursor=x"), 400)


def test_a_run_is_cancelled_and_says_by_whom(operator: APIClient) -> None:
    run, _ = runs.queue(Job.DISCOVER, at=AT, trigger="test")
    body = operator.delete(f"/api/ingest/runs/{run.pk}").json()
    assert (body["status"], body["error"]) == ("cancelled", "Cancelled by operator-ada.")
    assert operator.delete(f"/api/ingest/runs/{run.pk}").json()["status"] == "cancelled"


def test_a_run_is_found_by_the_request_that_asked_for_it(operator: APIClient) -> None:
    asked = operator.post("/api/ingest/run/content.refresh", headers={"X-Request-ID": "seen-7"})
    operator.post("/api/ingest/run/tmdb.discover")
    assert asked["X-Request-ID"] == asked.json()["correlation_id"] == "seen-7"
    assert [run["job"] for run in get(operator, "runs?correlation_id=seen-7")] == ["content.refresh"]
    assert get(operator, "runs?correlation_id=seen-8") == []


def test_a_run_says_how_fast_it_goes_and_when_it_may_be_done(operator: APIClient) -> None:
    run, _ = runs.queue(Job.REFRESH, at=AT, trigger="test")
    begun = timezone.now() - timedelta(minutes=10)
    facts = {"status": "running", "started_at": begun, "progress_done": 300, "progress_total": 600}
    IngestRun.objects.filter(pk=run.pk).update(**facts)
    (shown,) = get(operator, "status")["jobs"]["content.refresh"]["running"]
    for told in (get(operator, f"runs/{run.pk}")["progress"], shown["progress"]):
        assert (told["done"], told["total"]) == (300, 600)
        assert told["per_minute"] == pytest.approx(30, rel=0.1)
        assert told["left_s"] == pytest.approx(600, rel=0.1)


def test_a_bug_has_a_traceback_and_a_failure_has_none(operator: APIClient) -> None:
    def bug(report: Report) -> dict[str, Any]:
        return {"x": 1 // 0}

    def failure(report: Report) -> dict[str, Any]:
        raise Failed("There is nothing to read.")

    for work in (bug, failure):
        run, _ = runs.queue(Job.PRUNE, at=timezone.now(), trigger="test", publish=False)
        runs.execute(run.pk, work)
    expected, unexpected = get(operator, "runs")
    assert (expected["error"], expected["traceback"]) == ("There is nothing to read.", "")
    assert unexpected["error"] == "ZeroDivisionError: integer division or modulo by zero"
    assert unexpected["traceback"].startswith("Traceback (most recent call last):")


def test_a_run_that_is_not_there_is_not_found(operator: APIClient) -> None:
    path = f"/api/ingest/runs/{uuid.uuid4()}"
    assert_problem(operator.get(path), 404)
    assert_problem(operator.delete(path), 404)


# --- logs


def line(message: str, **facts: Any) -> IngestLog:
    facts = {"at": AT, "job": Job.MATCH, "status": IngestLog.Status.OK, **facts}
    return IngestLog.objects.create(message=message, **facts)


def test_logs_are_listed_newest_first_with_all_they_say(operator: APIClient) -> None:
    run = uuid.uuid4()
    line("first")
    line("second", run_id=run, movie_id=7, duration_ms=40, error="why", metadata={"from": "720p"})
    second, first = get(operator, "logs")
    assert (first["message"], second["message"]) == ("first", "second")
    assert (second["run"], second["movie"], second["duration_ms"]) == (str(run), 7, 40)
    assert (second["error"], second["metadata"]) == ("why", {"from": "720p"})
    assert second["at"] == "2026-11-22T12:00:00Z"


def test_every_filter_of_logs(operator: APIClient) -> None:
    run = uuid.uuid4()
    line("wanted 100%", run_id=run, movie_id=7, job=Job.PRUNE, status="ERROR", at=AT + timedelta(hours=1))
    line("other")
    for query in (
        "job=maintenance.prune",
        "status=ERROR",
        "movie=7",
        f"run={run}",
        "since=2026-11-22T12:30:00Z",
        "since=2026-11-22T14:30:00%2B02:00",
        "text=100%25",
        f"job=maintenance.prune&movie=7&run={run}&status=ERROR",
    ):
        assert [row["message"] for row in get(operator, f"logs?{query}")] == ["wanted 100%"], query
    assert [row["message"] for row in get(operator, "logs?until=2026-11-22T12:30:00Z")] == ["other"]
    assert len(get(operator, "logs?limit=1")) == 1


@pytest.mark.parametrize("path", ["logs", "runs"])
@pytest.mark.parametrize(
    "query",
    [
        "job=x",
        "status=x",
        "movie=0",
        f"movie={'9' * 20}",
        "limit=0",
        "limit=501",
        "limit=-1",
        "sort=at",
        "job=%00",
        "job=",
        "movie=",
    ],
)
def test_a_filter_that_is_not_understood_is_refused(operator: APIClient, path: str, query: str) -> None:
    problem = assert_problem(operator.get(f"/api/ingest/{path}?{query}"), 400)
    assert problem["errors"].keys() == {query.partition("=")[0]}


@pytest.mark.parametrize(
    "query",
    ["run=x", "run=", "until=", "text=", "since=yesterday", "until=9999", "text=%00", f"text={'x' * 101}"],
)
def test_a_filter_of_logs_that_is_not_understood_is_refused(operator: APIClient, query: str) -> None:
    problem = assert_problem(operator.get(f"/api/ingest/logs?{query}"), 400)
    assert problem["errors"].keys() == {query.partition("=")[0]}


# --- status and schedule


def test_status_says_of_every_job_what_it_does_and_who_is_there(operator: APIClient) -> None:
    runs.queue(Job.MATCH, movie_id=5, at=AT, trigger="test")
    body = get(operator, "status")
    assert body.keys() == {"at", "jobs", "providers", "workers", "beat_alive", "queue", "queue_depth"}
    assert list(body["jobs"]) == list(Job)
    assert (body["jobs"]["content.match"]["queued"], body["queue_depth"], body["workers"]) == (1, 1, 0)


def test_the_schedule_is_written_from_the_settings_as_often_as_one_likes(operator: APIClient) -> None:
    body = operator.post("/api/ingest/initialize").json()
    assert body["scheduled"]["tmdb.discover"] == "*/30 * * * *"
    PeriodicTask.objects.filter(name="tmdb.discover").update(enabled=False)
    assert operator.post("/api/ingest/initialize").json() == body
    assert not PeriodicTask.objects.get(name="tmdb.discover").enabled


def test_a_cron_changed_over_the_api_moves_its_job_at_once(operator: APIClient) -> None:
    def minute() -> str:
        return PeriodicTask.objects.get(name="tmdb.discover").crontab.minute

    operator.post("/api/ingest/initialize")
    operator.post("/api/settings", {"key": "INGEST_DISCOVER_CRON", "value": "7 * * * *"})
    assert minute() == "7"
    operator.delete("/api/settings/INGEST_DISCOVER_CRON")
    assert minute() == "*/30"
