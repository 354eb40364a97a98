"""`POST /api/movies/<id>/recheck`: a viewer who waits and an editor who knows may both ask for a search."""

from __future__ import annotations

from typing import Any

import pytest

from ingestion.models import IngestRun, Job
from streaming import switching
from streaming.models import Movie
from tests import clients
from tests.clients import assert_problem
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def movie() -> Movie:
    movie = factory.movie()
    factory.version(movie, "a")
    switching.reconsider(movie.pk, at=NOW)
    return movie


def post(movie: Movie, role: str = "user", **body: Any) -> Any:
    return clients.client(role).post(f"/api/movies/{movie.pk}/recheck", body)


def test_a_run_is_queued_and_the_user_learns_no_more_than_that(movie: Movie) -> None:
    response = post(movie)
    body = response.json()
    assert response.status_code == 202
    assert body.keys() == {"id", "job", "movie", "status", "queued_at", "again"}
    run = IngestRun.objects.get()
    assert (str(run.pk), run.job, run.movie_id) == (body["id"], Job.MATCH, movie.pk)
    assert (run.trigger, run.requested_by, body["again"]) == ("api", "user-ada", False)


def test_asking_again_is_the_same_run(movie: Movie) -> None:
    first, second = post(movie), post(movie, "editor")
    assert second.json()["id"] == first.json()["id"]
    assert (second.json()["again"], second.json()["requested_by"]) == (True, "user-ada")
    assert IngestRun.objects.count() == 1


def test_users_ask_for_published_movies_and_editors_for_all_but_withdrawn_ones(movie: Movie) -> None:
    bare = factory.movie(2)
    assert_problem(post(bare), 404, reason="not_found")
    assert post(bare, "editor").status_code == 202
    switching.withdraw(movie.pk, actor=EDITOR, comment="", at=NOW)
    assert_problem(clients.client("operator").post(f"/api/movies/{movie.pk}/recheck"), 404)
    assert_problem(clients.client("viewer").post("/api/movies/99/recheck"), 404, reason="not_found")


def test_users_are_held_to_a_slow_pace_and_editors_are_not(movie: Movie, settings: Any) -> None:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "recheck": "1/day"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    path = f"/api/movies/{movie.pk}/recheck"
    user, editor = clients.client("user"), clients.client("editor")
    assert [user.post(path).status_code for _ in range(2)] == [202, 429]
    assert [editor.post(path).status_code for _ in range(3)] == [202] * 3


def test_without_a_broker_the_run_waits_for_it(movie: Movie, settings: Any, monkeypatch: Any) -> None:
    from kombu.exceptions import OperationalError

    from ingestion import ending

    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("nobody listens")

    monkeypatch.setattr(ending.current_app, "send_task", away)
    assert post(movie).status_code == 202
    assert IngestRun.objects.get().status == IngestRun.Status.QUEUED
