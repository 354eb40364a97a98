"""`/healthz` and `/readyz`: alive is not yet able to serve."""

from __future__ import annotations

import pytest
from django.db.migrations.recorder import MigrationRecorder
from rest_framework.test import APIClient

from tests.clients import assert_problem

pytestmark = pytest.mark.django_db


def test_a_process_is_alive_whatever_else_is_away(no_redis: None, no_database: None) -> None:
    for path in ("/healthz", "/healthz/"):
        response = APIClient().get(path, headers={"authorization": "Bearer nonsense"})
        assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.usefixtures("valkey")
def test_ready_means_database_migrations_and_broker() -> None:
    body = APIClient().get("/readyz").json()
    assert body == {"status": "ok", "checks": {"database": "ok", "broker": "ok"}}


def test_without_broker_it_is_not_ready(no_redis: None) -> None:
    checks = {"database": "ok", "broker": "does not answer"}
    problem = assert_problem(APIClient().get("/readyz"), 503, checks=checks)
    assert problem["detail"] == "Not ready: broker does not answer."


@pytest.mark.usefixtures("valkey")
def test_without_database_it_is_not_ready(no_database: None) -> None:
    checks = {"database": "does not answer", "broker": "ok"}
    assert_problem(APIClient().get("/readyz"), 503, checks=checks)


@pytest.mark.usefixtures("valkey")
def test_with_migrations_to_come_it_is_not_ready() -> None:
    MigrationRecorder.Migration.objects.filter(app="core", name="0001_initial").delete()
    problem = assert_problem(APIClient().get("/readyz"), 503)
    assert problem["checks"]["database"] == "waits for 1 migrations"
