"""`DELETE /api/movies/<id>`: gone for the public, kept for staff; once is as good as twice."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from ingestion.models import Job
from streaming.models import Movie, StreamSwitch
from tests import clients
from tests.clients import assert_problem
from tests.ingestion.staged import Staged, stage
from tests.ingestion.world import World, succeeded
from tests.streaming.factory import NOW

PUBLIC = ("", "/active-stream", "/stream-versions")


@pytest.fixture
def film(world: World) -> Staged:
    return stage(world)


def delete(film: Staged, query: str = "", body: Any = None) -> Any:
    return clients.client("editor").delete(f"/api/movies/{film.movie_id}{query}", body)


@pytest.mark.parametrize(("query", "body"), [("", {"reason": "no licence"}), ("?reason=no+licence", None)])
def test_a_movie_is_withdrawn_for_a_reason_in_body_or_query(film: Staged, query: str, body: Any) -> None:
    answer = delete(film, query, body).json()
    switch = answer["switch"]
    assert (answer["changed"], switch["reason"], switch["to"]) == (True, "withdrawn", None)
    assert (switch["actor"], switch["comment"]) == ("editor-ada", "no licence")
    for path in PUBLIC:
        assert_problem(APIClient().get(f"/api/movies/{film.movie_id}{path}"), 404, reason="not_found")
        if path != "/active-stream":
            assert clients.client("viewer").get(f"/api/movies/{film.movie_id}{path}").status_code == 200
    assert APIClient().get("/api/movies").json()["results"] == []
    assert APIClient().get(f"/watch/{film.movie_id}").status_code == 404
    seqs = [
        row["seq"] for row in clients.client("viewer").get(f"/api/movies/{film.movie_id}/switches").json()
    ]
    assert seqs == [3, 2, 1]


def test_withdrawing_it_again_changes_nothing(film: Staged) -> None:
    delete(film, "?reason=no")
    again = delete(film, "?reason=still+no")
    assert (again.status_code, again.json()) == (200, {"changed": False, "switch": None})
    assert film.seq == 3


def test_discovery_does_not_bring_it_back(world: World, film: Staged) -> None:
    world.film(film.movie_id)
    delete(film, "?reason=no")
    succeeded(Job.DISCOVER, at=NOW)
    assert Movie.objects.get().removed_at is not None


@pytest.mark.parametrize(("query", "body"), [("?reason=no&if_seq=1", None), ("?if_seq=1", {"reason": "no"})])
def test_an_editor_who_looked_at_an_older_turn_withdraws_nothing(film: Staged, query: str, body: Any) -> None:
    assert_problem(delete(film, query, body), 409, reason="stale")
    assert film.active == film.high


@pytest.mark.parametrize(
    ("query", "body", "wrong"),
    [
        ("", None, "reason"),
        ("", {}, "reason"),
        ("?reason=", None, "reason"),
        ("?reason=%00", None, "reason"),
        ("", {"reason": ""}, "reason"),
        ("", {"reason": None}, "reason"),
        ("", {"reason": {"$ne": ""}}, "reason"),
        ("", {"reason": "x" * 501}, "reason"),
        ("?reason=no", {"if_sqe": 2}, "if_sqe"),
        ("?reason=no&force=true", None, "force"),
        ("?reason=no", ["x"], "non_field_errors"),
    ],
)
def test_without_a_reason_or_with_what_is_not_known_nothing_happens(
    film: Staged, query: str, body: Any, wrong: str
) -> None:
    assert wrong in assert_problem(delete(film, query, body), 400)["errors"]
    assert film.active == film.high
    assert StreamSwitch.objects.count() == 2


def test_a_movie_that_is_not_there_is_not_found(world: World) -> None:
    assert_problem(clients.client("editor").delete("/api/movies/9?reason=no"), 404, reason="not_found")
