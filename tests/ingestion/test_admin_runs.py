"""A run in the admin: what its page tells, and who may cancel, start and repeat."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ingestion import ending, runs
from ingestion.admin.run_pages import span
from ingestion.models import IngestLog, IngestRun, Job
from tests.ingestion.test_admin import signed_in
from tests.streaming import factory

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = "/admin/ingestion/ingestrun/"


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending.current_app, "send_task", lambda *args, **options: None)


@pytest.fixture
def operator() -> Client:
    return signed_in("operator")


def queued(job: str = Job.REFRESH, **facts: Any) -> IngestRun:
    run, _ = runs.queue(job, at=timezone.now(), trigger="test", movie_id=facts.pop("movie_id", None))
    IngestRun.objects.filter(pk=run.pk).update(**facts)
    return run


def html(client: Client, run: IngestRun) -> str:
    response = client.get(f"{RUNS}{run.pk}/change/")
    assert response.status_code == 200
    return response.content.decode()


def test_the_page_of_a_run_tells_how_far_it_is_and_what_it_said(operator: Client) -> None:
    begun = timezone.now() - timedelta(minutes=10)
    run = queued(status="running", started_at=begun, progress_done=300, progress_total=600)
    IngestLog.objects.create(at=begun, run_id=run.pk, job=run.job, status="OK", message="Half of them.")
    page = html(operator, run)
    for told in (
        "300 of 600",
        " a minute",
        "10 min",
        "in 5\xa0hours",
        "Half of them.",
        run.correlation_id,
        "Queues a search for movies below their target",
        f"{RUNS}{run.pk}/cancel/",
    ):
        assert told in page


def test_a_bug_shows_its_traceback_escaped_and_a_failure_has_none(operator: Client) -> None:
    bug = queued(Job.PRUNE, status="failed", error="ValueError: <b>", traceback="Traceback: <script>")
    page = html(operator, bug)
    assert "ValueError: &lt;b&gt;" in page
    assert '<pre class="trace" tabindex="0" aria-labelledby="trace">Traceback: &lt;script&gt;</pre>' in page
    assert "A bug of ours" not in html(operator, queued(Job.DISCOVER, status="failed", error="No key."))


def test_runs_for_the_same_cause_are_linked_and_found(operator: Client) -> None:
    first, second, other = (queued(Job.MATCH, movie_id=n) for n in (1, 2, 3))
    IngestRun.objects.filter(pk__in=[first.pk, second.pk]).update(correlation_id="seen-7")
    assert f"{RUNS}{second.pk}/change/" in html(operator, first)
    assert f"{RUNS}{other.pk}/change/" not in html(operator, first)
    for query in ("correlation_id=seen-7", "q=seen-7"):
        listed = operator.get(f"{RUNS}?{query}").content.decode()
        assert f"{RUNS}{first.pk}/change/" in listed
        assert f"{RUNS}{other.pk}/change/" not in listed


def test_runs_are_found_by_what_asked_for_them_and_no_list_reads_the_whole_table_for_that(
    operator: Client,
) -> None:
    retry, other = queued(Job.MATCH, movie_id=1, trigger="retry"), queued(Job.MATCH, movie_id=2)
    with CaptureQueriesContext(connections[IngestRun.objects.db]) as asked:
        listed = operator.get(f"{RUNS}?q=retry").content.decode()
    assert f"{RUNS}{retry.pk}/change/" in listed
    assert f"{RUNS}{other.pk}/change/" not in listed
    assert any("trigger" in query["sql"] for query in asked)
    assert not any("distinct" in query["sql"].lower() for query in asked)


def test_a_run_of_a_job_that_is_no_more_can_be_read_and_not_repeated(operator: Client) -> None:
    run = queued("house.gone", status="succeeded", finished_at=timezone.now())
    assert "There is no such job any more." in html(operator, run)
    assert "Run again" not in html(operator, run)
    assert operator.post(f"{RUNS}{run.pk}/again/").status_code == 404


@pytest.mark.parametrize("key", ["x", "0", "00000000-0000-7000-8000-000000000000"])
def test_a_run_that_is_not_there_is_not_found(operator: Client, key: str) -> None:
    assert operator.get(f"{RUNS}{key}/change/").status_code == 404
    assert operator.post(f"{RUNS}00000000-0000-7000-8000-000000000000/cancel/").status_code == 404


def test_cancelling_is_asked_first_and_says_who(operator: Client) -> None:
    run = queued()
    asked = operator.get(f"{RUNS}{run.pk}/cancel/")
    assert "Cancel this run" in asked.content.decode()
    assert IngestRun.objects.get().status == "queued"
    page = operator.post(f"{RUNS}{run.pk}/cancel/", follow=True).content.decode()
    assert "Cancelled by the-operator." in page
    assert (IngestRun.objects.get().status, LogEntry.objects.get().change_message) == (
        "cancelled",
        "Cancelled.",
    )


@pytest.mark.parametrize("status", ["succeeded", "cancelled"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_cancelling_what_is_over_changes_nothing_and_is_nobodys_deed(
    operator: Client, status: str, method: str
) -> None:
    run = queued(status=status, finished_at=timezone.now())
    page = getattr(operator, method)(f"{RUNS}{run.pk}/cancel/", follow=True).content.decode()
    assert "was over already" in page
    assert IngestRun.objects.get().status == status
    assert not LogEntry.objects.exists()


def test_a_run_that_is_over_is_done_again_and_only_once(operator: Client) -> None:
    run = queued(Job.MATCH, movie_id=7)
    runs.cancel(run.pk, by="ann", at=timezone.now())
    assert "Run again" in html(operator, run)
    page = operator.post(f"{RUNS}{run.pk}/again/", follow=True).content.decode()
    again = IngestRun.objects.get(status="queued")
    assert (again.movie_id, again.trigger, again.requested_by) == (7, "admin", "the-operator")
    assert "is queued." in page
    assert "is queued already." in operator.post(f"{RUNS}{run.pk}/again/", follow=True).content.decode()
    assert operator.get(f"{RUNS}{run.pk}/again/").status_code == 405


def test_what_takes_streams_down_is_not_started_without_seeing_what_it_does(operator: Client) -> None:
    run = queued(Job.ENFORCE)
    runs.cancel(run.pk, by="ann", at=timezone.now())
    assert "Run again" not in html(operator, run)
    operator.post(f"{RUNS}{run.pk}/again/")
    assert "policy.enforce:" not in operator.get(f"{RUNS}start/").content.decode()
    operator.post(f"{RUNS}start/", {"job": Job.ENFORCE.value, "movie": ""})
    assert IngestRun.objects.get() == run


def test_an_operator_starts_a_job(operator: Client) -> None:
    factory.movie(5)
    assert f"{RUNS}start/" in operator.get(RUNS).content.decode()
    assert "Reads what TMDB lists" in operator.get(f"{RUNS}start/").content.decode()
    operator.post(f"{RUNS}start/", {"job": "content.match", "movie": "5"})
    operator.post(f"{RUNS}start/", {"job": "tmdb.discover", "movie": ""})
    started = IngestRun.objects.order_by("id").values_list("job", "movie_id", "requested_by")
    assert list(started) == [("content.match", 5, "the-operator"), ("tmdb.discover", None, "the-operator")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"job": "content.match", "movie": "6"}, "There is no movie 6."),
        ({"job": "tmdb.discover", "movie": "5"}, "tmdb.discover takes no movie: leave this empty."),
        ({"job": "house.gone"}, "house.gone is not one of the available choices."),
        ({}, "This field is required."),
    ],
)
def test_what_cannot_be_started_is_explained(operator: Client, given: dict[str, str], said: str) -> None:
    factory.movie(5)
    assert said in operator.post(f"{RUNS}start/", given).content.decode()
    assert not IngestRun.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "editor", ""])
def test_only_operators_act(role: str) -> None:
    client, run = signed_in(role), queued()
    if role:
        assert "/cancel/" not in html(client, run)
        assert f"{RUNS}start/" not in client.get(RUNS).content.decode()
    for path in (f"{run.pk}/cancel/", f"{run.pk}/again/", "start/"):
        assert client.post(RUNS + path, {"job": "tmdb.discover"}).status_code == 403
    assert IngestRun.objects.get().status == "queued"


def test_durations_read_well() -> None:
    said = [span(timedelta(seconds=s)) for s in (0.04, 59.94, 200, 3600, 7_500)]
    assert said == ["0.0 s", "59.9 s", "3 min 20 s", "1 h 0 min", "2 h 5 min"]
    assert span(None) == ""
