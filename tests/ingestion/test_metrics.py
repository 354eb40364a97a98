"""`/metrics`: what Prometheus reads, who may, and that no server that is away holds it up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from core.questions import Question
from ingestion import metrics, runs, schedule, status
from ingestion.models import IngestRun, Job
from providers.models import Provider
from streaming import switching
from tests.clients import assert_problem
from tests.streaming import factory

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "a-token-of-prometheus"
Labels = frozenset[tuple[str, str]]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers here answers, however busy the machine is."""
    monkeypatch.setattr(metrics, "ANSWER_WITHIN_S", 60.0)
    monkeypatch.setattr(status, "PING_S", 0.01)


@pytest.fixture
def busy(valkey: Any) -> datetime:
    """Something of everything."""
    now = timezone.now()
    schedule.initialize()
    PeriodicTask.objects.update(last_run_at=now, date_changed=now - timedelta(hours=9))
    PeriodicTask.objects.filter(name=Job.DISCOVER).update(last_run_at=now - timedelta(hours=9))
    for movie_id in (1, 2):
        runs.queue(Job.MATCH, movie_id=movie_id, at=now - timedelta(seconds=90), trigger="test")
    ended = {"status": "succeeded", "started_at": now, "finished_at": now}
    run, _ = runs.queue(Job.PRUNE, at=now, trigger="test")
    IngestRun.objects.filter(pk=run.pk).update(**ended)
    movie = factory.movie()
    factory.version(movie, "a")
    switching.reconsider(movie.pk, at=now)
    Provider.objects.create(slug="archive-2", label="Archive", adapter="archive", licence_note="hunter2")
    return now


def scrape(client: Client | None = None, **headers: str) -> dict[str, dict[Labels, float]]:
    response = (client or Client()).get("/metrics", headers=headers)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(response.content.decode())
    return {
        family.name: {frozenset(sample.labels.items()): sample.value for sample in family.samples}
        for family in families
    }


def of(**labels: str) -> Labels:
    return frozenset(labels.items())


def test_everything_that_an_operator_graphs(busy: datetime) -> None:
    seen = scrape()
    assert set(seen["marquee_scrape_part_success"].values()) == {1.0}
    assert seen["marquee_runs_open"][of(job="content.match", status="queued")] == 2
    assert seen["marquee_runs_ended_last_day"][of(job="maintenance.prune", status="succeeded")] == 1
    assert seen["marquee_run_last_success_timestamp_seconds"][of(job="maintenance.prune")] == pytest.approx(
        busy.timestamp(), abs=0.001
    )
    assert seen["marquee_queue_runs"][of()] == 2
    assert 90 <= seen["marquee_queue_oldest_age_seconds"][of()] < 300
    assert seen["marquee_queue_messages"][of()] == 3
    assert seen["marquee_workers"][of()] == 0
    assert seen["marquee_beat_alive"][of()] == 1
    assert seen["marquee_schedule_overdue"][of(job="tmdb.discover")] == 1
    assert seen["marquee_schedule_overdue"][of(job="maintenance.tick")] == 0
    assert sum(seen["marquee_movies_showing"].values()) == 1
    assert sum(seen["marquee_stream_versions"].values()) == 1
    assert seen["marquee_provider_state"][of(provider="archive-2", state="off")] == 1
    assert seen["marquee_provider_state"][of(provider="archive-2", state="on")] == 0
    names = set(seen["marquee_database_latency_seconds"])
    assert names == {of(database=alias) for alias in connections}


def test_a_name_follows_prometheus_conventions_and_says_what_it_is(busy: datetime) -> None:
    text = metrics.text().decode()
    helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    typed = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert helped == set(typed)
    assert len(typed) == len(set(typed))
    assert all(name.startswith("marquee_") for name in typed)
    assert "hunter2" not in text


def test_without_broker_the_rest_is_read_and_its_part_is_said_to_be_missing(
    busy: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Celery("away", broker="redis+socket:///nowhere/at-all.sock", set_as_current=False)
    away.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    monkeypatch.setattr(status, "current_app", away)
    seen = scrape()
    missing = {labels for labels, well in seen["marquee_scrape_part_success"].items() if not well}
    assert missing == {of(part="broker")}
    assert "marquee_workers" not in seen
    assert seen["marquee_queue_runs"][of()] == 2


def test_what_hangs_is_left_out_in_time_and_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, thawed = [], threading.Event()

    def hang() -> list[GaugeMetricFamily]:
        asked.append(1)
        thawed.wait(60)
        return []

    monkeypatch.setattr(metrics, "ANSWER_WITHIN_S", 0.1)
    monkeypatch.setattr(metrics, "_QUESTIONS", {"jobs": Question(hang)})
    monkeypatch.setattr(metrics, "_process_gauges", {})
    for _ in range(3):
        assert scrape() == {"marquee_scrape_part_success": {of(part="jobs"): 0.0}}
    assert asked == [1]
    thawed.set()


def test_a_process_adds_what_only_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_process_gauges", {})
    monkeypatch.setattr(metrics, "_QUESTIONS", {})
    metrics.of_this_process("marquee_event_streams_open", "Event streams.", lambda: 7)
    assert scrape()["marquee_event_streams_open"] == {of(): 7.0}


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(metrics, "_QUESTIONS", {})
    return


@pytest.fixture
def configured(settings: Any) -> Any:
    """The settings, which may be changed."""
    return settings


@pytest.mark.usefixtures("empty")
class TestWhoMayRead:
    def test_without_a_token_this_machine_alone(self) -> None:
        for here in ("127.0.0.1", "::1"):
            scrape(Client(REMOTE_ADDR=here))
        for elsewhere in ("10.0.0.5", "", "2001:db8::1"):
            assert_problem(Client(REMOTE_ADDR=elsewhere).get("/metrics"), 403)

    @pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
    def test_a_proxy_of_this_machine_speaks_for_somebody_else(self, header: str) -> None:
        assert_problem(Client().get("/metrics", headers={header: "203.0.113.9"}), 403)

    def test_with_a_token_whoever_knows_it(self, configured: Any) -> None:
        configured.METRICS_TOKEN = TOKEN
        scrape(Client(REMOTE_ADDR="10.0.0.5"), authorization=f"Bearer {TOKEN}")
        scrape(authorization=f"bearer {TOKEN}")

    @pytest.mark.parametrize(
        "given", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"]
    )
    def test_with_a_token_nobody_else(self, configured: Any, given: str) -> None:
        configured.METRICS_TOKEN = TOKEN
        response = Client().get("/metrics", headers={"authorization": given} if given else {})
        assert_problem(response, 401)
        assert response["WWW-Authenticate"] == 'Bearer realm="metrics"'
        assert TOKEN not in response.content.decode()

    def test_it_is_only_read(self) -> None:
        assert Client().post("/metrics").status_code == 405
        assert Client().get("/metrics/").status_code == 200

    def test_no_throttle_refuses_a_scrape(self, configured: Any, valkey: Any) -> None:
        rates = {**configured.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "anon": "1/min"}
        configured.REST_FRAMEWORK = {**configured.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
        assert 429 in [Client().get("/api/movies").status_code for _ in range(3)]
        assert {Client().get("/metrics").status_code for _ in range(3)} == {200}
