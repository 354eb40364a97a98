"""TMDB's change feed: what was edited there is read again here, each edit once or twice and none never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ingestion import feed
from ingestion.models import IngestLog, IngestRun, Job
from streaming import switching
from streaming.models import Movie
from tests.ingestion.conftest import AT
from tests.ingestion.world import FEED, LISTS, World, run, succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TODAY, TOMORROW = "2026-11-22", "2026-11-23"


def discover(at: datetime) -> dict[str, object]:
    return succeeded(Job.DISCOVER, at=at)


def known(world: World, *movie_ids: int, at: datetime = AT) -> None:
    """Movies that discovery took in, and that no list names any more."""
    for movie_id in movie_ids:
        world.film(movie_id, popularity=float(movie_id))
    discover(at)
    for name in LISTS:
        world._lists[name].clear()
        world._publish(name)


def details_read(world: World, movie_id: int) -> int:
    return world.asked_for(f"/3/movie/{movie_id}")


def test_what_was_edited_since_is_read_again_though_no_list_names_it(world: World) -> None:
    known(world, 1, 2)
    world.film(1, overview="Other words.", lists=())
    world.edited(TOMORROW, 1, 3)
    summary = discover(AT + DAY)
    assert (summary["edited"], summary["due"], summary["new"]) == (1, 0, 0)
    assert Movie.objects.get(pk=1).overview == "Other words."
    assert (details_read(world, 1), details_read(world, 2), details_read(world, 3)) == (2, 1, 0)


def test_an_edit_that_makes_another_movie_of_it_queues_a_search(world: World) -> None:
    known(world, 1)
    IngestRun.objects.filter(job=Job.MATCH).delete()
    world.film(1, "Another Title", lists=())
    world.edited(TOMORROW, 1)
    assert discover(AT + DAY)["due"] == 1
    assert IngestRun.objects.get(job=Job.MATCH).movie_id == 1


def test_a_day_is_read_as_it_goes_on_and_once_more_when_it_is_over(world: World) -> None:
    """An edit at noon, and another in the evening: the feed names the movie, and not how often."""
    known(world, 1)
    world.edited(TOMORROW, 1)
    noon = AT + DAY
    discover(noon)
    discover(noon + HOUR / 2)
    assert details_read(world, 1) == 2, "once on the day"
    world.film(1, overview="As of the evening.", lists=())
    discover(noon + DAY)
    assert Movie.objects.get().overview == "As of the evening."
    discover(noon + DAY + HOUR)
    discover(noon + 2 * DAY)
    assert details_read(world, 1) == 3, "and once after it"


def test_it_goes_on_where_the_last_discovery_that_went_well_stopped(world: World) -> None:
    known(world, 1)
    for name in LISTS:
        world.broken(f"/3/movie/{name}", status=500)
    assert run(Job.DISCOVER, at=AT + DAY).status == IngestRun.Status.FAILED
    for name in LISTS:
        world._publish(name)
    world.feed_asked.clear()
    discover(AT + 3 * DAY)
    asked = [(first, last) for first, last, _ in world.feed_asked]
    assert asked == [
        ("2026-11-22", "2026-11-23"),
        ("2026-11-23", "2026-11-24"),
        ("2026-11-24", "2026-11-25"),
        ("2026-11-25", "2026-11-25"),
    ]


def test_shortly_after_midnight_the_day_before_is_not_done_with(world: World) -> None:
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    known(world, 1)
    assert discover(midnight + HOUR / 2)["changes_from"] == TODAY
    assert discover(midnight + 2 * HOUR)["changes_from"] == TOMORROW


def test_what_is_older_than_the_feed_is_said_to_be_lost(world: World) -> None:
    known(world, 1)
    world.feed_asked.clear()
    discover(AT + 20 * DAY)
    assert world.feed_asked[0][0] == "2026-11-29"
    assert IngestLog.objects.get(status=IngestLog.Status.WARNING).message.startswith("Edits of 7 days")


def test_all_pages_of_a_day_are_read(world: World) -> None:
    known(world, 1)
    world.edited(TOMORROW, *range(1000, 1150), 1)
    assert discover(AT + DAY)["edited"] == 1
    assert [page for first, _, page in world.feed_asked if first == TOMORROW] == ["1", "2"]


def test_a_feed_that_fails_costs_the_lists_nothing_and_is_read_next_time(world: World) -> None:
    known(world, 1)
    world.broken(FEED, status=500)
    world.film(2)
    summary = discover(AT + DAY)
    assert (summary["new"], summary["edited"], summary["changes_from"]) == (1, 0, TODAY)
    assert "change feed" in IngestLog.objects.get(status=IngestLog.Status.FAILED).message
    del world.pages[FEED]
    world.edited(TOMORROW, 1)
    assert discover(AT + 2 * DAY)["edited"] == 1


def test_a_run_reads_so_many_the_popular_first_and_the_next_one_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PER_RUN", 2)
    known(world, 1, 2, 3)
    world.edited(TODAY, 1, 2, 3)
    first = discover(AT + DAY)
    assert (first["edited"], first["changes_from"]) == (2, TODAY)
    assert (details_read(world, 3), details_read(world, 2), details_read(world, 1)) == (2, 2, 1)
    second = discover(AT + DAY + HOUR / 2)
    assert (second["edited"], second["changes_from"]) == (1, TOMORROW)
    assert details_read(world, 1) == 2


def test_a_movie_that_tmdb_cannot_tell_about_is_not_asked_for_at_every_run(world: World) -> None:
    known(world, 1, 2)
    world.forget(1)
    world.put("/3/movie/2", "[]", kind="application/json")
    world.edited(TOMORROW, 1, 2)
    for half_hours in range(4):
        discover(AT + DAY + half_hours * HOUR / 2)
    assert (details_read(world, 1), details_read(world, 2)) == (2, 2)
    assert Movie.objects.get(pk=1).tmdb_gone_at == AT + DAY


def test_removed_movies_are_left_alone(world: World) -> None:
    known(world, 1)
    switching.withdraw(1, actor=EDITOR, comment="no", at=AT)
    world.edited(TOMORROW, 1)
    assert discover(AT + DAY)["edited"] == 0


@pytest.mark.parametrize("told", [{}, {"changes_from": "2026-11-20"}])
def test_a_summary_without_the_day_is_one_of_before_the_feed_was_read(
    world: World, told: dict[str, str]
) -> None:
    discover(AT)
    IngestRun.objects.filter(job=Job.DISCOVER).update(summary=told)
    world.feed_asked.clear()
    factory.movie(1, metadata_at=AT)
    discover(AT + HOUR)
    assert world.feed_asked[0][0] == told.get("changes_from", TODAY)
