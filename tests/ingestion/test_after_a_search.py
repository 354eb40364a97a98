"""What a search leaves behind: the ladder where it belongs, and a line that says what was decided and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ingestion import runs
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.registry import JOBS
from streaming.models import Movie, StreamSwitch
from tests.ingestion.conftest import AT
from tests.ingestion.world import World, succeeded
from tests.streaming import factory

DAY = timedelta(days=1)
LATER = AT + timedelta(minutes=20)


@pytest.fixture
def film(world: World) -> int:
    """A film whose ladder stands on its last rung, because nothing better than 720p is offered."""
    factory.movie(961)
    world.offer(961, world.rendition("low.mp4", "720p"))
    succeeded(Job.MATCH, movie_id=961, at=AT)
    Movie.objects.update(refresh_at=AT, fruitless_searches=4)
    return 961


def ladder() -> tuple[Any, int]:
    movie = Movie.objects.get()
    return movie.refresh_at, movie.fruitless_searches


def search(film: int, **asked: Any) -> IngestRun:
    row, created = runs.queue(Job.MATCH, movie_id=film, at=LATER, publish=False, **asked)
    assert created
    closed = runs.execute(row.pk, JOBS[Job.MATCH].work, clock=lambda: LATER)
    assert closed is not None
    return closed


def last_line() -> IngestLog:
    line = IngestLog.objects.filter(job=Job.MATCH).order_by("-id").first()
    assert line is not None
    return line


def test_a_search_of_the_schedule_that_finds_nothing_stays_on_its_rung(film: int) -> None:
    search(film, trigger="refresh")
    assert ladder() == (LATER + 30 * DAY, 4)


@pytest.mark.parametrize(
    "asked",
    [
        {"trigger": "api", "requested_by": "ada"},
        {"trigger": "admin", "requested_by": "ada"},
        {"trigger": "retry", "requested_by": "ada"},
        {"trigger": "command"},
        {"trigger": "again"},
    ],
)
def test_a_search_by_hand_starts_the_ladder_anew(film: int, asked: dict[str, str]) -> None:
    search(film, **asked)
    assert ladder() == (LATER + DAY, 1)


def test_an_editor_who_asks_for_a_search_that_waits_already_starts_the_ladder_anew(film: int) -> None:
    waiting, _ = runs.queue(Job.MATCH, movie_id=film, at=LATER, trigger="refresh", publish=False)
    runs.queue(Job.MATCH, movie_id=film, at=LATER, trigger="api", requested_by="ada")
    runs.execute(waiting.pk, JOBS[Job.MATCH].work, clock=lambda: LATER)
    assert ladder() == (LATER + DAY, 1)


def test_a_rendition_that_is_new_starts_the_ladder_anew_though_it_is_no_better(
    world: World, film: int
) -> None:
    world.offer(film, world.rendition("low.mp4", "720p"), world.rendition("other.mp4", "720p"))
    search(film, trigger="refresh")
    assert ladder() == (LATER + DAY, 0)


def test_a_search_that_switched_nothing_says_why(world: World, film: int) -> None:
    world.offer(film, world.rendition("low.mp4", "720p"), world.rendition("tiny.mp4", "SD"))
    search(film, trigger="refresh")
    line = last_line()
    assert line.message == "Movie 961: 2 offered, 1 of them new; 720p is active."
    told = line.metadata
    assert told["action"] == "keep"
    assert told["version"] == str(Movie.objects.get().active_stream_id)
    assert told["why"] == ["current", "verified"]
    assert told["against"] == {"below_minimum": 1}
    assert told["switch"] is None


def test_a_search_that_switched_names_the_switch(world: World, film: int) -> None:
    world.offer(film, world.rendition("low.mp4", "720p"), world.rendition("high.mp4", "1080p"))
    search(film, trigger="refresh")
    switch, told = StreamSwitch.objects.get(reason="upgrade"), last_line().metadata
    assert (told["action"], told["switch"]) == ("upgrade", switch.pk)
    assert told["version"] == str(switch.to_version)
    assert {"chosen", "better"} <= set(told["why"])


def test_a_search_that_found_nothing_to_play_says_what_spoke_against_what_there_is(world: World) -> None:
    factory.movie(7)
    world.offer(7, world.rendition("tiny.mp4", "SD"), world.rendition("other.mp4", "SD"))
    succeeded(Job.MATCH, movie_id=7, at=AT)
    line = last_line()
    assert line.message.endswith("nothing to play yet (2 below minimum).")
    assert (line.metadata["version"], line.metadata["why"]) == (None, [])


def test_a_search_without_any_offer_says_so_too(world: World) -> None:
    factory.movie(7)
    world.offer(7)
    succeeded(Job.MATCH, movie_id=7, at=AT)
    assert last_line().message == "Movie 7: 0 offered, 0 of them new; nothing to play yet."
    assert last_line().metadata["against"] == {}
