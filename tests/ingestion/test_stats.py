"""`/api/stats`: the last days in figures. What is away is null, and named, in time."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connections

from core.questions import Question
from ingestion import daily, stats
from ingestion.api import stats as api
from ingestion.models import Job
from providers import hours
from streaming import switching
from tests import clients
from tests.clients import assert_problem
from tests.ingestion.test_daily import AT, ended
from tests.streaming import factory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("valkey")]

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noon, and what answers here answers, however busy the machine is."""
    for module in (stats, api):
        monkeypatch.setattr(module, "timezone", SimpleNamespace(now=lambda: AT))
    monkeypatch.setattr(stats, "ANSWER_WITHIN_S", 60.0)


def get(query: str = "") -> dict[str, Any]:
    response = clients.client("viewer").get(f"/api/stats{query}")
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


@pytest.fixture
def two_days() -> None:
    """Something in each."""
    movie = factory.movie()
    factory.version(movie, "a")
    switching.reconsider(movie.pk, at=AT)
    ended(Job.MATCH, AT - DAY, took_s=4)
    ended(Job.MATCH, AT - DAY, status="failed", took_s=2)
    ended(Job.MATCH, AT, took_s=3)
    hours.count("library", AT - DAY, answered=1, failed=1, latency_ms=100)
    hours.count("library", AT, answered=1, latency_ms=300)
    daily.keep(AT)


@pytest.mark.usefixtures("two_days")
def test_each_day_and_what_they_come_to() -> None:
    seen = get("?days=2")
    yesterday, today = seen["days"]
    assert [day["day"] for day in seen["days"]] == ["2026-11-21", "2026-11-22"]
    assert yesterday["jobs"]["content.match"] == {
        **{"succeeded": 1, "failed": 1, "cancelled": 0, "lost": 0, "success_rate": 0.5},
        "duration_s": {"mean": 3.0, "p95": 4.0, "max": 4.0},
    }
    assert seen["total"]["jobs"]["content.match"] == {
        **{"succeeded": 2, "failed": 1, "cancelled": 0, "lost": 0, "success_rate": 0.667},
        "duration_s": {"mean": 3.0, "p95": None, "max": 4.0},
    }
    searches = {"answered": 2, "failed": 1, "latency_ms": 200.0, "success_rate": 0.667}
    assert seen["total"]["calls"]["library"].items() >= searches.items()
    assert (yesterday["switches"]["first"], today["switches"]["first"]) == (0, 1)
    assert seen["total"]["switches"]["first"] == 1
    assert seen["missing"] == []


@pytest.mark.usefixtures("two_days")
def test_how_things_stand_now_is_how_they_stand_today() -> None:
    seen = get()
    now = seen["now"]
    assert (now["movies"]["published"], now["movies"]["by_quality"]["1080p"]) == (1, 1)
    assert now["versions"]["healthy"] == 1
    assert set(now["providers"]) == {"library"}
    assert set(now["databases"]) == set(connections)
    assert {name: seen["days"][-1][name] for name in now} == now
    assert len(seen["days"]) == 7


def test_a_day_of_which_nothing_is_known_is_null() -> None:
    first = get("?days=30")["days"][0]
    assert set(first) - {"day"} == {"as_of", *stats.STANDING, *stats.COUNTED}
    assert {value for name, value in first.items() if name != "day"} == {None}


@pytest.mark.parametrize("days", ["0", "31", "-1", "x", "1.5", "9" * 30])
def test_days_are_a_number_from_1_to_30(days: str) -> None:
    problem = assert_problem(clients.client("viewer").get(f"/api/stats?days={days}"), 400)
    assert set(problem["errors"]) == {"days"}


def test_what_is_unknown_is_refused() -> None:
    problem = assert_problem(clients.client("viewer").get("/api/stats?day=7"), 400)
    assert problem["errors"] == {"day": ["Unknown. Known: days."]}


@pytest.mark.usefixtures("two_days")
def test_within_a_minute_nothing_is_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = get()["now"]
    monkeypatch.setattr(daily, "measure", lambda at: pytest.fail("counted again"))
    assert get("?days=3")["now"] == first


def test_what_hangs_is_null_and_named_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    thawed = threading.Event()
    questions = {**stats.questions(), "today": Question(lambda: thawed.wait(60))}
    monkeypatch.setattr(stats, "questions", lambda: questions)
    questions["history"].put().result()
    monkeypatch.setattr(stats, "ANSWER_WITHIN_S", 0.5)
    seen = get()
    assert "today" in seen["missing"]
    assert seen["now"]["movies"] is None
    thawed.set()


@pytest.mark.usefixtures("two_days")
def test_a_database_that_is_away_is_null_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise ConnectionError("mongodb://user:hunter2@db.example does not answer")

    names = ("today", "history", [*connections][-1])
    questions = stats.questions() | {name: Question(away) for name in names}
    monkeypatch.setattr(stats, "questions", lambda: questions)
    seen = get()
    assert seen["missing"] == list(names)
    assert seen["now"]["databases"][[*connections][-1]] is None
    assert seen["total"] == dict.fromkeys(stats.COUNTED)
    assert {value for day in seen["days"] for name, value in day.items() if name != "day"} == {None}
    assert "hunter2" not in str(seen)
