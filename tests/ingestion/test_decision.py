"""`GET /api/movies/<id>/decision`: why this one, why not that one, by today's rules; nothing is written."""

from __future__ import annotations

import pytest

from core import conf
from streaming import switching
from streaming.models import Movie, StreamSwitch
from streaming.quality import Quality
from tests import clients
from tests.clients import assert_problem
from tests.streaming import factory
from tests.streaming.factory import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def test_every_version_gets_its_reasons_and_the_log_stays_as_it_is() -> None:
    movie = factory.movie()
    high = factory.version(movie, "high", Quality.P1080)
    low = factory.version(movie, "low", Quality.SD)
    body = clients.client("viewer").get(f"/api/movies/{movie.pk}/decision").json()
    assert (body["movie"], body["seq"], body["action"], body["chosen"]) == (movie.pk, 0, "first", str(high))
    reasons = {verdict["version"]: verdict["reasons"] for verdict in body["verdicts"]}
    assert "chosen" in reasons[str(high)]
    assert "below_minimum" in reasons[str(low)]
    assert not StreamSwitch.objects.exists()
    assert Movie.objects.get().active_stream_id is None


def test_todays_settings_count_not_those_of_the_last_switch() -> None:
    movie = factory.movie()
    factory.version(movie, "low", Quality.P720)
    switching.reconsider(movie.pk, at=NOW)
    factory.version(movie, "high", Quality.P1080)
    client = clients.client("viewer")
    path = f"/api/movies/{movie.pk}/decision"
    assert client.get(path).json()["action"] == "upgrade"
    conf.change("TARGET_QUALITY", "720p", by="ada", at=NOW)
    assert client.get(path).json()["action"] == "keep"


def test_a_movie_that_is_not_there_is_not_found() -> None:
    assert_problem(clients.client("viewer").get("/api/movies/9/decision"), 404, reason="not_found")
