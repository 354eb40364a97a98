"""`GET /api/movies/<id>/stream-versions`: all versions; what is not for the public is for staff."""

from __future__ import annotations

from typing import Any

import pytest

from streaming import switching
from streaming.api.versions import STAFF_FIELDS
from streaming.models import Movie, StreamVersion
from streaming.quality import Quality
from tests import clients
from tests.clients import assert_problem
from tests.queries import costs
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

PUBLIC = {
    "id", "provider", "active", "state", "delivery", "quality", "claimed_quality", "verified_quality",
    "width", "height", "edition", "languages", "score", "eligible", "reasons",
}  # fmt: skip


@pytest.fixture
def movie() -> Movie:
    movie = factory.movie()
    factory.version(movie, "liar", Quality.P1080, claimed_quality=Quality.P2160, evidence="measured 1080p")
    factory.version(movie, "low", Quality.SD)
    factory.version(movie, "broken", Quality.P2160, state=StreamVersion.State.BROKEN)
    switching.reconsider(movie.pk, at=NOW)
    return movie


def get(movie: Movie, role: str = "anyone") -> list[dict[str, Any]]:
    response = clients.client(role).get(f"/api/movies/{movie.pk}/stream-versions")
    assert response.status_code == 200
    rows: list[dict[str, Any]] = response.json()
    return sorted(rows, key=lambda row: row["quality"])


def test_every_version_says_what_it_claims_what_it_is_and_why_it_is_eligible_or_not(movie: Movie) -> None:
    liar, broken, low = get(movie)
    assert (liar["claimed_quality"], liar["verified_quality"], liar["quality"]) == ("2160p", "1080p", "1080p")
    assert (liar["active"], liar["eligible"]) == (True, True)
    assert "current" in liar["reasons"]
    assert (low["active"], low["eligible"], low["reasons"]) == (False, False, ["verified", "below_minimum"])
    assert (broken["state"], broken["eligible"]) == ("broken", False)
    assert "broken" in broken["reasons"]


@pytest.mark.parametrize("role", ["anyone", "user"])
def test_the_public_sees_public_fields_alone(movie: Movie, role: str) -> None:
    assert all(row.keys() == PUBLIC for row in get(movie, role))


@pytest.mark.parametrize("role", ["viewer", "editor", "operator"])
def test_staff_see_all_fields(movie: Movie, role: str) -> None:
    rows = get(movie, role)
    assert all(row.keys() == PUBLIC | set(STAFF_FIELDS) for row in rows)
    assert rows[0]["evidence"] == "measured 1080p"


def test_the_verdicts_are_those_of_now_not_of_the_last_switch(movie: Movie) -> None:
    factory.version(movie, "new", Quality.P1440)
    StreamVersion.objects.filter(ref="liar").update(state=StreamVersion.State.SUSPECT)
    verdicts = {row["quality"]: row for row in get(movie)}
    assert verdicts["1440p"]["reasons"] == ["chosen", "verified", "better"]
    assert verdicts["1080p"]["reasons"] == ["current", "verified", "suspect"]
    assert (verdicts["1080p"]["active"], verdicts["1080p"]["eligible"]) == (True, False)


def test_a_hidden_movie_is_for_staff(movie: Movie) -> None:
    switching.edit(movie.pk, hidden=True, actor=EDITOR, comment="", at=NOW)
    path = f"/api/movies/{movie.pk}/stream-versions"
    assert_problem(clients.client().get(path), 404, reason="not_found")
    assert clients.client("viewer").get(path).status_code == 200
    assert_problem(clients.client("editor").get("/api/movies/999/stream-versions"), 404, reason="not_found")


def test_the_number_of_versions_does_not_change_the_number_of_queries(movie: Movie) -> None:
    for n in range(20):
        factory.version(movie, f"more-{n}")
    client = clients.client()
    with costs(7):
        client.get(f"/api/movies/{movie.pk}/stream-versions")
