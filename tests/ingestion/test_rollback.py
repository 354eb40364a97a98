"""`POST /api/movies/<id>/rollback`: back to a stream that was probed, and the one left does not return."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core import conf
from ingestion import editors
from streaming import switching
from streaming.models import Movie, StreamSwitch, StreamVersion
from tests import clients
from tests.clients import assert_problem
from tests.ingestion.conftest import AT
from tests.ingestion.staged import MEDIA, Staged, stage
from tests.ingestion.world import World
from tests.streaming import factory

HOUR = timedelta(hours=1)


@pytest.fixture
def film(world: World) -> Staged:
    return stage(world)


def post(film: Staged, **body: Any) -> Any:
    wanted = {"reason": "wrong film", **body}
    return clients.client("editor").post(f"/api/movies/{film.movie_id}/rollback", wanted)


def test_the_newest_switch_is_undone_after_probing_where_that_leads(world: World, film: Staged) -> None:
    body = post(film).json()
    switch = body["switch"]
    assert (body["changed"], switch["reason"], switch["undoes"], switch["apply"]) == (
        True,
        "rollback",
        2,
        "now",
    )
    assert (switch["from"]["quality"], switch["to"]["quality"]) == ("1080p", "720p")
    assert (switch["actor"], switch["comment"]) == ("editor-ada", "wrong film")
    assert film.active == film.low
    assert (world.asked_for(MEDIA["low"]) >= 1, world.asked_for(MEDIA["high"])) == (True, 0)


def test_a_rollback_that_is_overtaken_probes_where_it_leads_now(
    film: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    third = factory.version(Movie.objects.get(), "third")
    real, probed = editors._probe, []

    def overtaken(version: StreamVersion, at: Any) -> None:
        if not probed:
            by = {"actor": factory.EDITOR, "comment": "first", "at": at}
            switching.activate(film.movie_id, third, **by)
        probed.append(version.pk)
        real(version, at)

    monkeypatch.setattr(editors, "_probe", overtaken)
    post(film)
    assert film.active == film.high
    assert probed == [film.low, film.high]


def test_the_stream_left_is_kept_out_for_ever_unless_told_otherwise(film: Staged) -> None:
    post(film)
    left = film.version(film.high)
    assert left.suppressed_at is not None
    assert (left.suppressed_until, left.suppressed_why) == (None, "wrong film")
    assert switching.reconsider(film.movie_id, at=timezone.now()) is None


def test_until_a_moment(film: Staged) -> None:
    until = timezone.now().replace(microsecond=0) + HOUR
    post(film, suppress="until", until=until.isoformat())
    assert film.version(film.high).suppressed_until == until
    assert switching.reconsider(film.movie_id, at=until - HOUR / 2) is None
    assert switching.reconsider(film.movie_id, at=until + HOUR / 2) is not None


def test_not_at_all_and_pinned(film: Staged) -> None:
    post(film, suppress="none", pin=True)
    assert film.version(film.high).suppressed_at is None
    assert Movie.objects.get(pk=film.movie_id).pinned
    assert switching.reconsider(film.movie_id, at=timezone.now()) is None


def test_a_target_that_does_not_play_leaves_everything_as_it_is(world: World, film: Staged) -> None:
    world.broken(MEDIA["low"])
    assert_problem(post(film), 409, reason="not_playable", reasons=["dead"])
    assert (film.active, film.seq) == (film.high, 2)


def test_there_has_to_be_something_to_undo(film: Staged, world: World) -> None:
    movie = factory.movie(9)
    assert_problem(post(Staged(movie.pk, film.low, film.high)), 409, reason="nothing_to_undo")
    assert post(film).status_code == 200
    assert_problem(post(film), 409, reason="nothing_to_undo")
    assert_problem(post(Staged(999, film.low, film.high)), 404, reason="not_found")


def test_past_its_grace_period_a_stream_is_not_returned_to(world: World, film: Staged) -> None:
    conf.change("GRACE_PERIOD_HOURS", 0.5, by="ada", at=AT)
    problem = assert_problem(post(film), 409, reason="past_grace")
    assert "0.5 hours" in problem["detail"]
    assert world.asked == []


def test_rights_that_lapsed_are_not_returned_to(world: World, film: Staged) -> None:
    StreamVersion.objects.filter(pk=film.low).update(rights_until=timezone.now() - HOUR)
    assert_problem(post(film), 409, reason="not_playable", reasons=["rights_lapsed"])
    assert world.asked == []


def test_a_stale_request_is_refused(world: World, film: Staged) -> None:
    assert_problem(post(film, if_seq=1), 409, reason="stale")
    assert world.asked == []
    assert post(film, if_seq=2).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": None}, "reason"),
        ({"reason": ""}, "reason"),
        ({"suppress": "sometimes"}, "suppress"),
        ({"suppress": "until"}, "until"),
        ({"until": "2999-01-01T00:00:00Z"}, "until"),
        ({"suppress": "until", "until": "2001-01-01T00:00:00Z"}, "until"),
        ({"suppress": "until", "until": "tomorrow"}, "until"),
        ({"suppress": "until", "until": "0001-01-01T00:00:00+23:59"}, "until"),
        ({"suppres": "none"}, "suppres"),
    ],
)
def test_a_body_that_is_not_understood_moves_nothing(film: Staged, body: dict[str, Any], field: str) -> None:
    assert assert_problem(post(film, **body), 400)["errors"].keys() == {field}
    assert StreamSwitch.objects.count() == 2


def test_a_moment_that_passes_while_the_request_is_read_is_judged_once(film: Staged) -> None:
    """Valid by the clock of the request, the moment has to be so for the switch as well."""
    for ahead in (0.001, 0.01, 0.05):
        until = timezone.now() + timedelta(seconds=ahead)
        assert post(film, suppress="until", until=until.isoformat()).status_code in (200, 400, 409)
