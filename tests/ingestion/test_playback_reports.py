"""`POST /api/movies/<id>/playback-reports`: a player's complaint makes a probe due, and does nothing else."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from ingestion.models import IngestRun
from streaming import switching
from streaming.models import Movie, StreamSwitch, StreamVersion
from tests.clients import assert_problem
from tests.streaming import factory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
HOUR = timedelta(hours=1)


@pytest.fixture
def playing() -> StreamVersion:
    movie, now = factory.movie(), timezone.now()
    key = factory.version(movie, "a", probed_at=now - HOUR)
    switching.reconsider(movie.pk, at=now - HOUR)
    switching.pass_canary(key)
    StreamVersion.objects.update(next_check_at=now + HOUR)
    return StreamVersion.objects.get()


def post(movie_id: int, body: Any) -> Any:
    return APIClient().post(f"/api/movies/{movie_id}/playback-reports", body)


def is_due(version: StreamVersion) -> bool:
    return StreamVersion.objects.due(timezone.now()).filter(pk=version.pk).exists()


def test_a_report_on_what_plays_makes_its_probe_due_and_changes_no_state(playing: StreamVersion) -> None:
    before = StreamVersion.objects.values().get()
    response = post(playing.movie_id, {"version": str(playing.pk), "code": "player_3016"})
    assert (response.status_code, response.json()) == (202, {"accepted": True})
    assert is_due(playing)
    after = StreamVersion.objects.values().get()
    assert {name for name in after if after[name] != before[name]} == {"next_check_at"}
    assert StreamSwitch.objects.count() == 1
    assert not IngestRun.objects.exists()


def test_reports_on_other_versions_are_taken_and_mean_nothing(playing: StreamVersion) -> None:
    other = factory.version(Movie.objects.get(), "other", next_check_at=timezone.now() + HOUR)
    for version in (other, uuid.uuid4()):
        assert post(playing.movie_id, {"version": str(version)}).status_code == 202
    assert not StreamVersion.objects.due(timezone.now()).exists()


def test_a_movie_that_is_not_published_takes_no_reports(playing: StreamVersion) -> None:
    bare = factory.movie(2)
    for movie_id in (bare.pk, 99):
        assert_problem(post(movie_id, {"version": str(playing.pk)}), 404, reason="not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "version"),
        ({"version": "x"}, "version"),
        ({"version": str(uuid.uuid4()), "code": "x" * 101}, "code"),
        ({"version": str(uuid.uuid4()), "state": "broken"}, "state"),
    ],
)
def test_what_is_no_report_is_refused(playing: StreamVersion, body: Any, field: str) -> None:
    assert assert_problem(post(playing.movie_id, body), 400)["errors"].keys() == {field}


def test_one_address_cannot_report_without_end(playing: StreamVersion, settings: Any) -> None:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "report": "2/day"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    statuses = [post(playing.movie_id, {"version": str(playing.pk)}).status_code for _ in range(3)]
    assert statuses == [202, 202, 429]
