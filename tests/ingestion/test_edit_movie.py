"""`PATCH /api/movies/<id>`: all that is said of a movie at once or nothing, and discovery leaves it alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from core.models import AuditEntry
from ingestion import availability, discovery, editors
from ingestion.models import Job
from streaming import switching, turns
from streaming.models import Movie, StreamSwitch
from streaming.quality import Quality
from tests import clients
from tests.clients import assert_problem
from tests.ingestion.staged import Staged, stage
from tests.ingestion.world import World, succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

FILM = {"title": "Sintel", "imdb_id": "tt1727587", "genres": ["Fantasy"]}


@pytest.fixture
def film(world: World) -> Staged:
    return stage(world, film=FILM)


def patch(film: Staged, role: str = "editor", **body: Any) -> Any:
    return clients.client(role).patch(f"/api/movies/{film.movie_id}", body)


def row() -> dict[str, Any]:
    return Movie.objects.values().get()


def test_words_and_facts_change_in_one_turn_that_says_who_and_why(film: Staged) -> None:
    words = {"hidden": True, "pinned": True, "target_quality": "2160p"}
    facts = {
        "title": "Sintel!",
        "release_date": "2010-09-30",
        "runtime_min": None,
        "genres": ["A", "Ünder"],
    }
    response = patch(film, **words, **facts, reason="our cut", if_seq=2)
    assert response.status_code == 200
    body = response.json()
    assert {name: body[name] for name in (*words, *facts)} == {**words, **facts}
    assert (body["seq"], body["locked_fields"]) == (3, sorted(facts))
    turn = StreamSwitch.objects.of(film.movie_id)[0]
    assert (turn.seq, turn.reason, turn.actor_name, turn.comment) == (3, "revised", "editor-ada", "our cut")
    assert (turn.from_version, turn.to_version) == (film.high, film.high)
    assert clients.client("viewer").get(f"/api/movies/{film.movie_id}").json() == body
    assert clients.client().get(f"/api/movies/{film.movie_id}").status_code == 404  # hidden


def test_the_audit_says_from_what_to_what_and_why(film: Staged) -> None:
    patch(film, title="Sintel!", genres=["Drama"], hidden=True, reason="our cut")
    entry = AuditEntry.objects.exclude(outcome="begun").get(action="movie.edit")
    assert (entry.why, entry.before["title"], entry.after["title"]) == ("our cut", "Sintel", "Sintel!")
    assert (entry.before["genres"], entry.after["genres"]) == (["Fantasy"], ["Drama"])
    assert (entry.before["hidden"], entry.after["hidden"]) == (False, True)
    assert (entry.before["locked_fields"], entry.after["locked_fields"]) == ([], ["genres", "title"])


def test_what_is_not_named_stays_as_it_is(film: Staged) -> None:
    before = row()
    patch(film, tagline="A girl, a dragon")
    changed = {name for name, value in row().items() if value != before[name]}
    assert changed == {"tagline", "locked_fields", "switch_seq"}


def test_the_same_once_more_takes_no_turn(film: Staged) -> None:
    said = {"title": "Sintel!", "pinned": True, "locked_fields": ["title", "overview"]}
    assert patch(film, **said).json()["seq"] == 3
    assert patch(film, **said).json()["seq"] == 3
    assert patch(film, pinned=False, target_quality=None).json()["seq"] == 4


def test_a_process_that_dies_within_it_leaves_all_of_it_to_be_finished(
    film: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = row()
    with monkeypatch.context() as killed:
        killed.setattr(turns, "finish", lambda row: None)
        editors.edit(
            film.movie_id,
            facts={"title": "Sintel!", "genres": ["Drama"]},
            locks=None,
            actor=EDITOR,
            comment="",
            at=timezone.now(),
            hidden=True,
        )
    assert row() == before
    turns.read(film.movie_id, at=timezone.now())
    now = row()
    assert (now["title"], now["genres"], now["hidden"]) == ("Sintel!", ["Drama"], True)
    assert now["locked_fields"] == ["genres", "title"]


@pytest.mark.parametrize("seq", [0, 1, 3])
def test_an_editor_who_looked_at_an_older_turn_changes_nothing(film: Staged, seq: int) -> None:
    before = row()
    assert_problem(patch(film, title="Mine", hidden=True, if_seq=seq), 409, reason="stale")
    assert row() == before


def test_what_was_edited_is_locked_until_it_is_unlocked(film: Staged) -> None:
    assert patch(film, title="Sintel!").json()["locked_fields"] == ["title"]
    assert patch(film, overview="…").json()["locked_fields"] == ["overview", "title"]
    assert patch(film, tagline="x", locked_fields=["title"]).json()["locked_fields"] == ["title"]
    assert patch(film, locked_fields=[]).json()["locked_fields"] == []


def test_two_editors_at_once_lose_neither_lock(film: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    insert, raced = turns.insert, []

    def overtaken(*args: Any) -> Any:
        if not raced:
            raced.append(True)
            assert patch(film, title="Theirs").status_code == 200
        return insert(*args)

    monkeypatch.setattr(turns, "insert", overtaken)
    assert patch(film, overview="Mine").json()["locked_fields"] == ["overview", "title"]
    assert (row()["title"], row()["overview"]) == ("Theirs", "Mine")


def test_discovery_overwrites_no_lock(world: World, film: Staged) -> None:
    world.film(film.movie_id, "Their title", overview="Their words.", popularity=99.0)
    patch(film, title="Our title")
    patch(film, locked_fields=["title", "popularity"])
    succeeded(Job.DISCOVER, at=timezone.now())
    now = row()
    assert (now["title"], now["overview"], now["popularity"]) == ("Our title", "Their words.", 0.0)


def test_discovery_overwrites_nothing_that_is_being_edited_meanwhile(
    world: World, film: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.film(film.movie_id, "Their title", overview="Their words.")
    out_at, edited = availability.out_at, []

    def meanwhile(*args: Any, **options: Any) -> Any:
        if not edited:
            edited.append(True)
            assert patch(film, title="Our title").status_code == 200
        return out_at(*args, **options)

    monkeypatch.setattr(discovery.availability, "out_at", meanwhile)
    succeeded(Job.DISCOVER, at=timezone.now())
    assert (row()["title"], row()["overview"]) == ("Our title", "Their words.")


@pytest.mark.django_db
def test_what_reads_like_another_movie_is_searched_for_as_soon_as_it_is_out() -> None:
    movie, at = factory.movie(7), timezone.now()

    def edit(**facts: Any) -> Any:
        by = {"actor": EDITOR, "comment": "", "at": at}
        editors.edit(7, facts=facts, locks=None, **by)
        return Movie.objects.get(pk=7).next_check_at

    assert edit(overview="…") is None
    assert edit(title=movie.title) is None
    assert edit(title="Seven") == at.replace(microsecond=at.microsecond // 1000 * 1000)
    day = (at + timedelta(days=30)).date()
    assert edit(release_date=day).date() == day


def test_a_target_of_its_own_has_the_movie_searched_for(film: Staged) -> None:
    assert patch(film, target_quality="2160p").json()["target_quality"] == "2160p"
    assert Movie.objects.get().target_quality == Quality.P2160
    assert Movie.objects.get().next_check_at is not None
    assert patch(film, target_quality=None).json()["target_quality"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": "none"},
        {"if_seq": 2},
        {"title": ""},
        {"title": "x" * 301},
        {"title": None},
        {"title": 5},
        {"title": {"$set": 1}},
        {"title": "\u0000"},
        {"title": "Mine", "if_sqe": 2},
        {"hidden": "perhaps"},
        {"hidden": None},
        {"target_quality": "HD"},
        {"target_quality": 40},
        {"locked_fields": ["hidden"]},
        {"locked_fields": ["switch_seq"]},
        {"locked_fields": "title"},
        {"genres": "Drama"},
        {"genres": [["Drama"]]},
        {"genres": ["x"] * 21},
        {"genres": [{"$gt": ""}]},
        {"release_date": "yesterday"},
        {"release_date": "2010-02-30"},
        {"runtime_min": 0},
        {"runtime_min": 10**30},
        {"imdb_id": "nm0000001"},
        {"original_language": "English"},
        {"if_seq": -1, "pinned": True},
        # what is not an editor's
        {"id": 5},
        {"active_stream": None},
        {"active_quality": 60},
        {"switch_seq": 0},
        {"removed_at": None},
        {"next_check_at": None},
        {"popularity": 1000.0},
        {"title$": "x"},
    ],
)
def test_what_is_not_understood_is_refused_whole(film: Staged, body: dict[str, Any]) -> None:
    before = row()
    assert_problem(patch(film, **body), 400)
    assert row() == before


def test_facts_are_columns_and_none_is_switchings(film: Staged) -> None:
    columns = {field.name for field in Movie._meta.get_fields()}
    assert set(Movie.FACTS) <= columns - Movie.SWITCHING_OWNS
    by = {"actor": EDITOR, "comment": "", "at": timezone.now()}
    with pytest.raises(ValueError, match="active_quality: an editor's word"):
        switching.edit(film.movie_id, facts=lambda movie: {"active_quality": 1}, **by)


def test_a_movie_that_is_not_there_is_not_found(world: World) -> None:
    assert_problem(clients.client("editor").patch("/api/movies/9", {"hidden": True}), 404, reason="not_found")
