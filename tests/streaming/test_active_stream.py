"""`GET /api/movies/<id>/active-stream`: what plays now, told once and confirmed by its entity tag."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from streaming import switching
from streaming.models import Movie, StreamVersion
from streaming.quality import Quality
from streaming.switching import SYSTEM
from tests import clients
from tests.clients import assert_problem
from tests.queries import costs
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

BY = {"actor": EDITOR, "comment": "a test", "at": NOW}
PUBLIC = {
    "movie", "seq", "switched_at", "version", "url", "delivery", "quality", "verified", "width", "height",
    "codecs", "edition", "languages", "subtitles", "rights", "embed",
}  # fmt: skip


@pytest.fixture
def movie() -> Movie:
    movie = factory.movie()
    facts = {"width": 1920, "height": 1080, "licence": "CC BY 3.0", "attribution": "Blender Foundation"}
    factory.version(movie, "a", Quality.P1080, **facts)
    switching.reconsider(movie.pk, at=NOW)
    return movie


def get(movie: Movie, path: str = "", **headers: str) -> Any:
    return APIClient().get(f"/api/movies/{movie.pk}/active-stream{path}", headers=headers)


def test_the_stream_comes_with_all_that_a_player_needs_and_no_more(movie: Movie) -> None:
    response = get(movie)
    body = response.json()
    assert body.keys() == PUBLIC
    assert (body["movie"], body["seq"], body["quality"], body["verified"]) == (movie.pk, 1, "1080p", True)
    assert body["url"] == f"https://cdn.example/{movie.pk}/a.m3u8"
    assert body["rights"]["attribution"] == "Blender Foundation"
    assert body["embed"] is None
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-cache"


def test_with_a_slash_it_is_the_same(movie: Movie) -> None:
    assert get(movie, "/").content == get(movie).content


def test_an_embed_says_how_it_has_to_be_framed() -> None:
    movie = factory.movie()
    provider = factory.provider("embeds", trust_claims=True)
    factory.version(movie, "e", Quality.P1080, delivery="embed", provider=provider, verified_quality=None)
    switching.reconsider(movie.pk, at=NOW)
    body = get(movie).json()
    assert body["verified"] is False
    assert body["embed"] == {
        "sandbox": "allow-scripts allow-presentation",
        "referrerpolicy": "no-referrer",
        "allow": "autoplay; fullscreen; encrypted-media",
    }


def test_an_unchanged_stream_is_304_without_a_body(movie: Movie) -> None:
    tag = get(movie)["ETag"]
    again = get(movie, **{"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    assert again["Cache-Control"] == "no-cache"


def test_a_changed_stream_has_another_tag(movie: Movie) -> None:
    tag = get(movie)["ETag"]
    factory.version(movie, "b", Quality.P2160)
    switching.reconsider(movie.pk, at=NOW)
    changed = get(movie, **{"if-none-match": tag})
    assert (changed.status_code, changed.json()["seq"], changed.json()["quality"]) == (200, 2, "2160p")


def test_a_condition_that_does_not_hold_is_a_problem(movie: Movie) -> None:
    assert_problem(get(movie, **{"if-match": '"other"'}), 412)


def test_head_is_get_without_the_body(movie: Movie) -> None:
    response = APIClient().head(f"/api/movies/{movie.pk}/active-stream")
    assert (response.status_code, response["ETag"]) == (200, get(movie)["ETag"])


def test_a_movie_that_is_none_or_that_editors_took_away_is_not_found(movie: Movie) -> None:
    assert_problem(APIClient().get("/api/movies/999/active-stream"), 404, reason="not_found")
    switching.edit(movie.pk, hidden=True, **BY)
    hidden = assert_problem(get(movie), 404, reason="not_found")
    switching.edit(movie.pk, hidden=False, **BY)
    switching.withdraw(movie.pk, **BY)
    assert assert_problem(get(movie), 404) == hidden


def test_a_movie_without_a_stream_so_far_says_so() -> None:
    assert_problem(get(factory.movie()), 404, reason="no_stream")


def test_a_movie_whose_last_stream_broke_is_withdrawn(movie: Movie) -> None:
    key = Movie.objects.get().active_stream_id
    assert key is not None
    switching.observe(key, columns={"state": StreamVersion.State.BROKEN}, at=NOW)
    switching.reconsider(movie.pk, at=NOW, actor=SYSTEM)
    assert_problem(get(movie), 404, reason="withdrawn")


def test_what_was_withdrawn_stays_so_whatever_an_editor_says_of_the_movie_later(movie: Movie) -> None:
    key = Movie.objects.get().active_stream_id
    assert key is not None
    switching.suppress(key, **BY)
    switching.edit(movie.pk, pinned=True, **BY)
    assert_problem(get(movie), 404, reason="withdrawn")
    other = factory.movie(2)
    switching.edit(other.pk, pinned=True, **BY)
    assert_problem(get(other), 404, reason="no_stream")


def test_rights_that_are_said_to_begin_later_end_the_stream_before_any_sweep(movie: Movie) -> None:
    key = Movie.objects.get().active_stream_id
    assert key is not None
    switching.observe(key, columns={"rights_from": timezone.now() + timedelta(hours=1)}, at=NOW)
    assert_problem(get(movie), 404)


def test_rights_end_on_the_minute_before_any_sweep() -> None:
    movie, now = factory.movie(), timezone.now()
    factory.version(movie, "a", rights_until=now + timedelta(hours=1))
    factory.version(movie, "b", Quality.P720)
    switching.reconsider(movie.pk, at=now)
    assert get(movie).status_code == 200
    over = factory.movie(2)
    factory.version(over, "a", rights_until=now - timedelta(seconds=1))
    switching.reconsider(over.pk, at=now - timedelta(hours=1))
    assert_problem(get(over), 404, reason="no_stream")


def test_a_turn_whose_process_was_killed_is_not_told_before_it_is_done(movie: Movie) -> None:
    before = get(movie).content
    switching.edit(movie.pk, pinned=True, **BY)
    Movie.objects.filter(pk=movie.pk).update(switch_seq=1)
    assert get(movie).content == before


def test_who_asks_makes_no_difference(movie: Movie) -> None:
    path = f"/api/movies/{movie.pk}/active-stream"
    assert clients.client("operator").get(path).content == get(movie).content


def test_it_costs_two_queries(movie: Movie) -> None:
    with costs(2):
        get(movie)
