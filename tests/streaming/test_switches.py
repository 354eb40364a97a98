"""`GET /api/movies/<id>/switches`: the log, for staff, newest first and page by page."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from streaming import switching
from streaming.models import Movie
from streaming.quality import Quality
from tests import clients
from tests.clients import assert_problem
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def movie() -> Movie:
    """A movie with three turns: first, an upgrade, and its rollback."""
    movie = factory.movie()
    factory.version(movie, "low", Quality.P720)
    switching.reconsider(movie.pk, at=NOW)
    factory.version(movie, "high", Quality.P1080)
    switching.reconsider(movie.pk, at=NOW)
    switching.rollback(movie.pk, actor=EDITOR, comment="wrong film", at=NOW)
    return movie


@pytest.fixture
def viewer() -> APIClient:
    return clients.client("viewer")


def get(client: APIClient, movie: Movie, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.get(f"/api/movies/{movie.pk}/switches{query}").json()
    return rows


def test_each_turn_says_what_when_who_why_and_on_what_grounds(viewer: APIClient, movie: Movie) -> None:
    rollback, upgrade, first = get(viewer, movie)
    assert [row["reason"] for row in (first, upgrade, rollback)] == ["first", "upgrade", "rollback"]
    assert rollback["id"] == f"{movie.pk}:3"
    assert (rollback["actor"], rollback["comment"], rollback["undoes"]) == ("ada", "wrong film", 2)
    assert (rollback["from"]["quality"], rollback["to"]["quality"]) == ("1080p", "720p")
    assert (first["from"], first["actor"]) == (None, "Marquee")
    assert upgrade["decision"]["action"] == "upgrade"
    assert {verdict["eligible"] for verdict in upgrade["decision"]["verdicts"]} == {True}


def test_older_turns_come_by_the_seq_they_are_before(viewer: APIClient, movie: Movie) -> None:
    def seqs(query: str) -> list[int]:
        return [row["seq"] for row in get(viewer, movie, query)]

    assert seqs("?limit=2") == [3, 2]
    assert seqs("?limit=2&before=2") == [1]
    assert seqs("?before=1") == []


def test_the_link_of_a_page_leads_to_the_older_turns(viewer: APIClient, movie: Movie) -> None:
    seqs, url = [], f"/api/movies/{movie.pk}/switches?limit=2"
    while url:
        page = viewer.get(url)
        seqs.append([row["seq"] for row in page.json()])
        url = page.get("Link", "").removeprefix("<").removesuffix('>; rel="next"')
    assert seqs == [[3, 2], [1]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "cursor=x", "before=0", f"before={'9' * 30}", "page=2"]
)
def test_what_cannot_be_asked_for_is_said_so(viewer: APIClient, movie: Movie, query: str) -> None:
    problem = assert_problem(viewer.get(f"/api/movies/{movie.pk}/switches?{query}"), 400)
    assert problem["errors"].keys() == {query.partition("=")[0]}


def test_a_movie_that_is_not_there_is_not_found(viewer: APIClient) -> None:
    assert_problem(viewer.get("/api/movies/9/switches"), 404, reason="not_found")
