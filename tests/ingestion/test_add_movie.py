"""`POST /api/movies`: a movie by its TMDB id, new or brought back; TMDB's trouble is told as such."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from ingestion.api import movies
from ingestion.models import IngestRun, Job
from streaming import switching
from streaming.models import Movie, StreamSwitch
from tests import clients
from tests.clients import assert_problem
from tests.ingestion.staged import Staged, stage
from tests.ingestion.world import World
from tests.streaming.factory import EDITOR


def post(role: str = "editor", **body: Any) -> Any:
    return clients.client(role).post("/api/movies", body)


@pytest.fixture
def withdrawn(world: World) -> Staged:
    film = stage(world)
    switching.withdraw(film.movie_id, actor=EDITOR, comment="no", at=timezone.now())
    return film


def test_a_new_movie_is_there_with_its_address_and_is_searched_for(world: World) -> None:
    world.film(961, "The General", lists=())
    response = post(tmdb_id=961, reason="wanted")
    assert (response.status_code, response["Location"]) == (201, "/api/movies/961")
    body = clients.client("viewer").get(response["Location"]).json()
    assert (body["title"], body["year"], body["seq"]) == ("The General", 1926, 0)
    assert response.json() == body
    run = IngestRun.objects.get(job=Job.MATCH)
    assert (run.movie_id, run.requested_by) == (961, "editor-ada")
    assert clients.client().get("/api/movies/961").status_code == 404  # without a stream so far


def test_one_that_is_there_is_answered_with_and_nothing_of_it_changes(world: World) -> None:
    film = stage(world)
    before = Movie.objects.values().get()
    response = post(tmdb_id=film.movie_id)
    assert (response.status_code, response.json()["seq"]) == (200, 2)
    assert Movie.objects.values().get() == before
    assert not world.asked_for(f"/3/movie/{film.movie_id}")


def test_one_that_was_withdrawn_is_back_with_its_stream_and_its_history(
    world: World, withdrawn: Staged
) -> None:
    for name in ("now_playing", "popular"):
        world.broken(f"/3/movie/{name}", status=500)  # TMDB is not needed for it
    response = post(tmdb_id=withdrawn.movie_id, reason="yes")
    assert (response.status_code, response.json()["removed_at"]) == (200, None)
    assert withdrawn.active == withdrawn.high
    log = StreamSwitch.objects.of(withdrawn.movie_id)
    assert [row.reason for row in log] == ["first", "revised", "withdrawn", "upgrade", "first"]
    assert {(row.actor_name, row.comment) for row in log[:2]} == {("editor-ada", "yes")}
    assert clients.client().get(f"/api/movies/{withdrawn.movie_id}").status_code == 200


def test_what_tmdb_does_not_know_is_not_found_and_nothing_is_written(world: World) -> None:
    world.forget(961)
    assert_problem(post(tmdb_id=961), 404, reason="not_found", detail="TMDB has no movie 961.")
    assert not Movie.objects.exists()
    assert not IngestRun.objects.exists()


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (500, "transient"),
        (429, "rate_limited"),
        (401, "misconfigured"),
        (404, "bad_response"),
    ],
)
def test_a_tmdb_that_is_of_no_use_is_said_so_and_when_to_ask_again(
    world: World, status: int, reason: str
) -> None:
    world.broken("/3/movie/961", status=status)
    response = post(tmdb_id=961)
    problem = assert_problem(response, 503, reason=reason)
    assert int(response["Retry-After"]) >= 5
    assert world.url not in problem["detail"]
    assert not Movie.objects.exists()


def test_a_tmdb_that_hangs_holds_nobody_longer_than_the_deadline(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.film(961)
    monkeypatch.setattr(movies, "TMDB_WITHIN_S", 0.0)
    assert_problem(post(tmdb_id=961), 503)
    assert not Movie.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tmdb_id": 0},
        {"tmdb_id": -1},
        {"tmdb_id": 2**31},
        {"tmdb_id": "x"},
        {"tmdb_id": {"$gt": ""}},
        {"tmdb_id": [961]},
        {"tmdb_id": None},
        {"tmdb_id": 961, "reason": "x" * 501},
        {"tmdb_id": 961, "reason": 5},
        {"tmdb_id": 961, "title": "Mine"},
        {"tmdb_id": 961, "active_stream": "x"},
        {"id": 961},
    ],
)
def test_what_is_not_understood_is_refused_and_asks_nobody(world: World, body: dict[str, Any]) -> None:
    world.film(961)
    problem = assert_problem(post(**body), 400)
    assert problem["errors"].keys() <= body.keys() | {"tmdb_id"}
    assert not world.asked_for("/3/movie/961")
    assert not Movie.objects.exists()
