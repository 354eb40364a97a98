"""`POST /api/movies/<id>/activate-stream`: probed for real, then switched; refused in words."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.models import Provider
from streaming import switching
from streaming.models import Movie, StreamSwitch, StreamVersion
from tests import clients
from tests.clients import assert_problem
from tests.ingestion.staged import MEDIA, Staged, stage
from tests.ingestion.world import World
from tests.streaming.factory import EDITOR

State = StreamVersion.State


@pytest.fixture
def film(world: World) -> Staged:
    return stage(world)


def post(film: Staged, version: Any, role: str = "editor", **body: Any) -> Any:
    wanted = {"version": str(version), "reason": "sharper", **body}
    return clients.client(role).post(f"/api/movies/{film.movie_id}/activate-stream", wanted)


def test_the_stream_is_probed_switched_to_and_the_log_says_who_and_why(world: World, film: Staged) -> None:
    body = post(film, film.low).json()
    assert body["changed"] is True
    switch = body["switch"]
    assert (switch["seq"], switch["reason"], switch["apply"]) == (3, "manual", "next_play")
    assert (switch["actor"], switch["comment"]) == ("editor-ada", "sharper")
    assert switch["to"]["version"] == str(film.low) == str(film.active)
    assert world.asked_for(MEDIA["low"]) >= 1
    probed = film.version(film.low)
    assert (probed.last_outcome, probed.width, probed.height) == ("ok", 1280, 720)


def test_what_is_active_already_changes_nothing(film: Staged) -> None:
    body = post(film, film.high).json()
    assert body["changed"] is False
    assert body["switch"] is None


def test_pin_and_suppress_current_are_done_in_the_same_turn(film: Staged) -> None:
    assert post(film, film.low, pin=True, suppress_current=True).status_code == 200
    assert Movie.objects.get(pk=film.movie_id).pinned
    assert film.version(film.high).suppressed_at is not None
    assert film.seq == 3


@pytest.mark.parametrize("status", [404, 410, 403])
def test_a_stream_that_does_not_play_is_refused_and_struck(world: World, film: Staged, status: int) -> None:
    world.broken(MEDIA["low"], status=status)
    problem = assert_problem(post(film, film.low), 409, reason="not_playable")
    assert problem["reasons"] in (["dead"], ["forbidden"])
    assert (film.active, film.seq) == (film.high, 2)
    assert film.version(film.low).state == State.SUSPECT


def test_an_outage_of_the_provider_is_refused_without_a_strike(world: World, film: Staged) -> None:
    world.broken(MEDIA["low"], status=503)
    assert_problem(post(film, film.low), 409, reason="not_playable", reasons=["provider_down"])
    assert film.version(film.low).state == State.HEALTHY
    assert film.active == film.high


def test_a_broken_stream_that_plays_again_is_taken(film: Staged) -> None:
    StreamVersion.objects.filter(pk=film.low).update(state=State.BROKEN, strikes=2)
    assert post(film, film.low).status_code == 200
    assert (film.active, film.version(film.low).state) == (film.low, State.HEALTHY)


def test_a_stream_that_is_found_broken_while_it_plays_is_left(world: World, film: Staged) -> None:
    world.broken(MEDIA["high"])
    StreamVersion.objects.filter(pk=film.high).update(
        state=State.SUSPECT, strikes=1, next_check_at=timezone.now() - timedelta(minutes=1)
    )
    assert_problem(post(film, film.high), 409, reason="not_playable")
    assert film.active == film.low


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"rights_until": timezone.now() - timedelta(days=1)}, "rights_lapsed"),
        ({"rights_from": timezone.now() + timedelta(days=1)}, "rights_not_begun"),
        ({"expired_at": timezone.now()}, "expired"),
    ],
)
def test_rights_are_looked_at_before_anybody_is_asked_for_a_byte(
    world: World, film: Staged, columns: dict[str, Any], reason: str
) -> None:
    StreamVersion.objects.filter(pk=film.low).update(**columns)
    assert_problem(post(film, film.low), 409, reason="not_playable", reasons=[reason])
    assert world.asked_for(MEDIA["low"]) == 0


def test_a_disabled_provider_is_not_asked(world: World, film: Staged) -> None:
    Provider.objects.update(enabled=False)
    assert_problem(post(film, film.low), 409, reasons=["provider_disabled"])
    assert world.asked == []


def test_a_stale_request_is_refused_before_the_probe(world: World, film: Staged) -> None:
    problem = assert_problem(post(film, film.low, if_seq=1), 409, reason="stale")
    assert "at turn 2, not 1" in problem["detail"]
    assert world.asked == []
    assert post(film, film.low, if_seq=2).status_code == 200


def test_versions_and_movies_that_are_not_there_are_not_found(world: World, film: Staged) -> None:
    other = stage(world, 7)
    for version in (uuid.uuid4(), other.low):
        assert_problem(post(film, version), 404, reason="not_found")
    assert_problem(post(Staged(999, film.low, film.high), film.low), 404, reason="not_found")


def test_a_movie_that_was_withdrawn_has_to_be_restored_first(film: Staged) -> None:
    switching.withdraw(film.movie_id, actor=EDITOR, comment="", at=timezone.now())
    assert_problem(post(film, film.low), 409, reason="withdrawn")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"version": "x"}, "version"),
        ({"version": None}, "version"),
        ({"version": [1]}, "version"),
        ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
        ({"pin": "perhaps"}, "pin"),
        ({"pin": []}, "pin"),
        ({"if_seq": -1}, "if_seq"),
        ({"if_seq": 2**31}, "if_seq"),
        ({"if_seq": "two"}, "if_seq"),
        ({"if_sqe": 2}, "if_sqe"),
        ({"suppress_curent": True}, "suppress_curent"),
    ],
)
def test_a_body_that_is_not_understood_moves_nothing(film: Staged, body: dict[str, Any], field: str) -> None:
    wanted = {"version": str(film.low), "reason": "x", **body}
    response = clients.client("editor").post(f"/api/movies/{film.movie_id}/activate-stream", wanted)
    problem = assert_problem(response, 400)
    assert problem["errors"].keys() == {field}
    assert StreamSwitch.objects.count() == 2


@pytest.mark.parametrize("missing", ["version", "reason"])
def test_version_and_reason_are_required(film: Staged, missing: str) -> None:
    body = {"version": str(film.low), "reason": "x"}
    del body[missing]
    response = clients.client("editor").post(f"/api/movies/{film.movie_id}/activate-stream", body)
    assert assert_problem(response, 400)["errors"].keys() == {missing}
