"""`/healthz` and `/readyz`: alive is not yet able to serve."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from rest_framework.test import APIClient

from core.api import health
from core.questions import Question
from tests.clients import assert_problem

pytestmark = pytest.mark.django_db
NAMES = {"default": "database", "documents": "documents"}
READY = {**{NAMES[alias]: "ok" for alias in connections}, "broker": "ok"}


def test_a_process_is_alive_whatever_else_is_away(no_redis: None, no_database: None) -> None:
    for path in ("/healthz", "/healthz/"):
        response = APIClient().get(path, headers={"authorization": "Bearer nonsense"})
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers here answers, however busy the machine is."""
    monkeypatch.setattr(health, "ANSWER_WITHIN_S", 30.0)


@pytest.mark.usefixtures("valkey")
def test_ready_means_databases_migrations_and_broker() -> None:
    assert APIClient().get("/readyz").json() == {"status": "ok", "checks": READY}


def test_without_broker_it_is_not_ready(no_redis: None) -> None:
    checks = {**READY, "broker": "does not answer"}
    problem = assert_problem(APIClient().get("/readyz"), 503, checks=checks)
    assert problem["detail"] == "Not ready: broker does not answer."


@pytest.mark.usefixtures("valkey")
def test_without_database_it_is_not_ready(no_database: None) -> None:
    checks = {**dict.fromkeys(READY, "does not answer"), "broker": "ok"}
    assert_problem(APIClient().get("/readyz"), 503, checks=checks)


@pytest.mark.parametrize("alias", [*connections])
def test_whoever_asks_again_connects_again(alias: str) -> None:
    """What was connected to may be gone for good by then, a client that somebody has closed for one."""
    question = Question(lambda: connections[alias])
    first, second = (question.put().result(30) for _ in range(2))
    assert first is not second


@pytest.fixture(params=[*connections])
def unmigrated(request: pytest.FixtureRequest, transactional_db: None) -> Iterator[str]:
    """The alias of a database that lacks a migration. Written for good: it is another thread that looks."""
    connection = connections[request.param]
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("core")
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(*newest)
    yield request.param
    recorder.record_applied(*newest)


@pytest.mark.usefixtures("valkey")
def test_with_migrations_to_come_it_is_not_ready(unmigrated: str) -> None:
    checks = {**READY, NAMES[unmigrated]: "waits for 1 migrations"}
    assert_problem(APIClient().get("/readyz"), 503, checks=checks)


@pytest.mark.usefixtures("valkey")
def test_what_somebody_should_see_to_is_said_and_takes_nothing_out_of_rotation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "_ADVICE", {"schedule": Question(lambda: "stands still")})
    response = APIClient().get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "degraded", "checks": READY, "warnings": ["schedule stands still"]}


@pytest.mark.usefixtures("valkey")
def test_advice_that_cannot_be_had_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_ADVICE", {"schedule": Question(lambda: str(1 / 0))})
    assert APIClient().get("/readyz").json()["warnings"] == ["schedule does not answer"]


@pytest.mark.usefixtures("valkey")
def test_what_hangs_is_named_in_time_and_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, thawed = [], threading.Event()

    def hang() -> str:
        asked.append(1)
        thawed.wait(30)
        return "ok"

    monkeypatch.setattr(health, "ANSWER_WITHIN_S", 0.1)
    monkeypatch.setattr(health, "_QUESTIONS", {"broker": Question(hang)})
    for _ in range(3):
        problem = assert_problem(APIClient().get("/readyz"), 503)
        assert problem["detail"] == "Not ready: broker does not answer."
    assert asked == [1]
    thawed.set()
    monkeypatch.setattr(health, "ANSWER_WITHIN_S", 30)
    assert APIClient().get("/readyz").json()["checks"]["broker"] == "ok"
