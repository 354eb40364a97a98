"""Discovery: TMDB's lists become movies, each once, without ever overruling an editor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core import conf
from ingestion import discovery
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.searching import PUT_OFF
from providers.tmdb import MovieDetails, TmdbNotFound
from streaming import switching
from streaming.models import Movie
from tests.ingestion.conftest import AT
from tests.ingestion.world import LISTS, World, run, succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

LATER = AT + timedelta(days=8)


def logged(status: IngestLog.Status) -> list[str]:
    return list(IngestLog.objects.filter(status=status).order_by("id").values_list("message", flat=True))


def test_a_new_movie_is_added_with_its_details_and_queued_for_a_search(world: World) -> None:
    world.film(961, "The General", imdb_id="tt0017925")
    summary = succeeded(Job.DISCOVER, at=AT)
    movie = Movie.objects.get()
    assert (movie.pk, movie.title, movie.imdb_id, movie.year) == (961, "The General", "tt0017925", 1926)
    assert (movie.runtime_min, movie.genres, movie.popularity) == (78, ["Comedy"], 1.5)
    assert (movie.discovered_at, movie.metadata_at, movie.next_check_at) == (AT, AT, AT + PUT_OFF)
    assert (summary["listed"], summary["new"], summary["due"], summary["queued"]) == (1, 1, 1, 1)
    queued = IngestRun.objects.get(job=Job.MATCH)
    assert (queued.movie_id, queued.status, queued.trigger) == (961, "queued", "discovery")


def test_the_popular_are_read_and_queued_first_and_what_does_not_fit_is_due(world: World) -> None:
    conf.change("QUEUE_DEPTH", 2, by="test", at=AT)
    for movie_id, popularity in ((1, 5.0), (2, 50.0), (3, 20.0)):
        world.film(movie_id, popularity=popularity)
    summary = succeeded(Job.DISCOVER, at=AT)
    assert (summary["due"], summary["queued"]) == (3, 2)
    read = [path for path, _ in world.asked if path.rpartition("/")[2].isdigit()]
    assert read == ["/3/movie/2", "/3/movie/3", "/3/movie/1"]
    queued = IngestRun.objects.filter(job=Job.MATCH).order_by("id")
    assert [row.movie_id for row in queued] == [2, 3]
    assert Movie.objects.get(pk=1).next_check_at == AT


def test_pages_region_and_language_are_what_the_settings_say(world: World) -> None:
    for setting, value in (("DISCOVER_PAGES", 3), ("TMDB_REGION", "DE"), ("TMDB_LANGUAGE", "de-DE")):
        conf.change(setting, value, by="test", at=AT)
    world.film(961)
    for name in LISTS:
        world.long_list(name, pages=2 if name == "upcoming" else 9)
    succeeded(Job.DISCOVER, at=AT)
    asked = [(path, query) for path, query in world.queries if path.rpartition("/")[2] in LISTS]
    pages = {name: "".join(query["page"] for path, query in asked if path.endswith(name)) for name in LISTS}
    assert pages == {**dict.fromkeys(LISTS, "123"), "upcoming": "12"}
    assert {(query["region"], query["language"]) for _, query in asked} == {("DE", "de-DE")}
    assert [query["language"] for path, query in world.queries if path == "/3/movie/961"] == ["de-DE"]


def test_a_film_in_all_lists_is_one_movie_asked_for_once(world: World) -> None:
    world.film(961, lists=LISTS)
    assert succeeded(Job.DISCOVER, at=AT)["listed"] == 1
    assert world.asked_for("/3/movie/961") == 1


def test_a_second_discovery_asks_for_no_details_and_queues_nothing(world: World) -> None:
    world.film(961)
    succeeded(Job.DISCOVER, at=AT)
    world.film(961, popularity=99.0, lists=("upcoming",))
    summary = succeeded(Job.DISCOVER, at=AT + timedelta(minutes=30))
    assert summary["due"] == 0
    assert world.asked_for("/3/movie/961") == 1


def test_a_fresh_movie_takes_its_rank_from_the_list(world: World) -> None:
    world.film(961)
    succeeded(Job.DISCOVER, at=AT)
    world._lists["popular"].clear()
    world.film(961, popularity=99.0)
    succeeded(Job.DISCOVER, at=AT + timedelta(minutes=30))
    assert Movie.objects.get().popularity == 99.0


def test_a_stale_movie_is_refreshed_and_searched_for_only_if_it_reads_like_another(world: World) -> None:
    world.film(961, "The General")
    succeeded(Job.DISCOVER, at=AT)
    world.film(961, "The General", overview="A train is stolen.")
    assert succeeded(Job.DISCOVER, at=LATER)["due"] == 0
    assert Movie.objects.get().overview == "A train is stolen."
    world.film(961, "Der General")
    assert succeeded(Job.DISCOVER, at=LATER + timedelta(days=8))["due"] == 1
    assert Movie.objects.get().title == "Der General"


def test_locked_columns_keep_an_editors_word(world: World) -> None:
    world.film(961, "The General")
    succeeded(Job.DISCOVER, at=AT)
    Movie.objects.update(title="Our Title", locked_fields=["title"])
    world.film(961, "Their Title", overview="New words.")
    succeeded(Job.DISCOVER, at=LATER)
    movie = Movie.objects.get()
    assert (movie.title, movie.overview) == ("Our Title", "New words.")


def test_a_removed_movie_is_not_brought_back(world: World) -> None:
    world.film(961)
    succeeded(Job.DISCOVER, at=AT)
    switching.withdraw(961, actor=EDITOR, comment="no", at=AT)
    assert succeeded(Job.DISCOVER, at=LATER)["due"] == 0
    assert Movie.objects.get().removed_at == AT
    assert world.asked_for("/3/movie/961") == 1


def test_adding_a_removed_movie_restores_it(world: World) -> None:
    world.film(961)
    succeeded(Job.DISCOVER, at=AT)
    switching.withdraw(961, actor=EDITOR, comment="no", at=AT)
    movie, created = discovery.add_movie(961, at=LATER, actor=EDITOR, comment="yes")
    assert (movie.removed_at, created) == (None, False)


def test_adding_a_movie_needs_no_list(world: World) -> None:
    world.film(961, lists=())
    movie, created = discovery.add_movie(961, at=AT)
    assert (movie.title, created) == ("A Film", True)
    assert IngestRun.objects.get().movie_id == 961


def test_adding_what_tmdb_does_not_know_is_an_error_and_writes_nothing(world: World) -> None:
    world.forget(961)
    with pytest.raises(TmdbNotFound):
        discovery.add_movie(961, at=AT)
    assert not Movie.objects.exists()


def test_adult_films_are_left_alone(world: World) -> None:
    world.film(961, adult=True)
    assert succeeded(Job.DISCOVER, at=AT)["new"] == 0
    assert not Movie.objects.exists()


def test_rows_that_are_no_movies_are_counted_and_lose_nothing(world: World) -> None:
    world.listed("popular", {"id": "x"})
    world.listed("popular", None)
    world.film(961)
    summary = succeeded(Job.DISCOVER, at=AT)
    assert (summary["skipped"], summary["new"]) == (2, 1)
    assert logged(IngestLog.Status.WARNING) == ["2 rows of TMDB's lists were no movies and were skipped."]


def test_a_movie_that_tmdb_deleted_keeps_its_row_and_says_so(world: World) -> None:
    world.film(961)
    succeeded(Job.DISCOVER, at=AT)
    world.forget(961)
    succeeded(Job.DISCOVER, at=LATER)
    movie = Movie.objects.get()
    assert (movie.tmdb_gone_at, movie.removed_at) == (LATER, None)


def test_one_list_that_fails_does_not_lose_the_others(world: World) -> None:
    world.film(961)
    world.broken("/3/movie/upcoming", status=500)
    assert succeeded(Job.DISCOVER, at=AT)["new"] == 1
    assert "upcoming" in logged(IngestLog.Status.FAILED)[0]


def test_one_movie_that_makes_no_sense_does_not_lose_the_others(world: World) -> None:
    world.film(1)
    world.film(2)
    world.put("/3/movie/1", "[]", kind="application/json")
    succeeded(Job.DISCOVER, at=AT)
    assert [movie.pk for movie in Movie.objects.all()] == [2]


def test_one_movie_that_cannot_be_stored_does_not_lose_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for movie_id, popularity in ((1, 9.0), (2, 5.0), (3, 1.0)):
        world.film(movie_id, popularity=popularity)
    factory.movie(1)
    columns = discovery.movie_columns

    def poisoned(details: MovieDetails) -> dict[str, Any]:
        if details.tmdb_id < 3:
            raise KeyError("poison")
        return columns(details)

    monkeypatch.setattr(discovery, "movie_columns", poisoned)
    closed = run(Job.DISCOVER, at=AT)
    assert (closed.status, closed.summary["due"]) == (IngestRun.Status.FAILED, 1)
    assert Movie.objects.filter(pk=3).exists()
    assert Movie.objects.get(pk=1).metadata_at == AT  # not the first to be asked for every time
    assert [line.movie_id for line in IngestLog.objects.filter(status="ERROR").order_by("id")] == [1, 2]


def test_without_any_list_the_run_fails_and_says_why(world: World) -> None:
    for name in LISTS:
        world.broken(f"/3/movie/{name}", status=500)
    closed = run(Job.DISCOVER, at=AT)
    assert closed.status == IngestRun.Status.FAILED
    assert "tmdb" in closed.error
    assert "Traceback" not in closed.error


def test_a_refused_key_fails_at_once(world: World) -> None:
    for name in LISTS:
        world.broken(f"/3/movie/{name}", status=401)
    closed = run(Job.DISCOVER, at=AT)
    assert "TMDB_API_KEY" in closed.error
    assert sum(path.startswith("/3/movie/") for path, _ in world.asked) == 1


def test_titles_too_long_for_their_columns_are_cut(world: World) -> None:
    world.film(961, "x" * 1000)
    succeeded(Job.DISCOVER, at=AT)
    assert len(Movie.objects.get().title) <= 300
