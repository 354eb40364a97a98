"""When a movie is worth a search, as a table; and who keeps to it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from core import conf
from core.options import Options
from ingestion import availability, discovery, runs
from ingestion.jobs import execute
from ingestion.models import IngestLog, IngestRun, Job
from streaming.models import Movie, StreamVersion
from streaming.quality import Quality
from streaming.switching import reconsider
from tests.ingestion.conftest import AT
from tests.ingestion.world import World, active_label, run, succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

DAY = timedelta(days=1)
PREMIERE = datetime(2026, 12, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("released", "delay", "out_at"),
    [
        (date(2026, 11, 22), 0, AT),
        (date(1926, 12, 31), 365, AT),
        (None, 365, AT),
        (date(2026, 11, 23), 0, datetime(2026, 11, 23, tzinfo=UTC)),
        (date(2026, 11, 23), -1, AT),
        (date(2026, 12, 24), 45, PREMIERE + 45 * DAY),
        (date(2026, 12, 24), -7, PREMIERE - 7 * DAY),
        (date.max, 365, datetime(9999, 12, 31, tzinfo=UTC)),
        (date.min, -365, AT),
    ],
)
def test_a_movie_is_searched_for_from_the_day_on_which_it_is_out(
    released: date | None, delay: int, out_at: datetime
) -> None:
    movie, options = Movie(id=1, release_date=released), Options(availability_delay_days=delay)
    assert availability.out_at(movie, options, at=AT) == out_at


def test_a_movie_that_has_a_stream_is_out_whatever_its_date_says() -> None:
    movie = Movie(id=1, release_date=PREMIERE.date(), active_stream_id=StreamVersion.key_for(1, "a", "b", ""))
    assert availability.out_at(movie, Options(), at=AT) == AT


def next_check() -> datetime | None:
    return Movie.objects.get().next_check_at


def logged(status: IngestLog.Status) -> str:
    return "\n".join(IngestLog.objects.filter(status=status).values_list("message", flat=True))


def test_what_is_not_out_is_added_and_left_to_its_day(world: World) -> None:
    world.film(7, "Tomorrow", release_date="2026-12-24", lists=("upcoming",))
    summary = succeeded(Job.DISCOVER, at=AT)
    assert (summary["new"], summary["due"], summary["queued"]) == (1, 0, 0)
    assert (next_check(), IngestRun.objects.filter(job=Job.MATCH).count()) == (PREMIERE, 0)
    assert "searched for from 24 December 2026 on" in logged(IngestLog.Status.ADDED)
    assert succeeded(Job.TICK, at=PREMIERE - DAY)["searches"] == 0
    assert succeeded(Job.TICK, at=PREMIERE)["searches"] == 1


def test_a_release_that_moves_takes_the_search_along(world: World) -> None:
    world.film(7, release_date="2026-12-24", lists=("upcoming",))
    succeeded(Job.DISCOVER, at=AT)
    world.film(7, release_date="2027-01-24", lists=())
    world.edited("2026-11-23", 7)
    succeeded(Job.DISCOVER, at=AT + DAY)
    assert next_check() == datetime(2027, 1, 24, tzinfo=UTC)
    world.film(7, release_date="2026-11-24", lists=())
    world.edited("2026-11-24", 7)
    assert succeeded(Job.DISCOVER, at=AT + 2 * DAY)["queued"] == 1


def test_another_delay_reaches_what_waits_as_its_details_are_read_again(world: World) -> None:
    world.film(7, release_date="2026-12-24", lists=("upcoming",))
    succeeded(Job.DISCOVER, at=AT)
    conf.change("AVAILABILITY_DELAY_DAYS", -10, by="test", at=AT)
    succeeded(Job.DISCOVER, at=AT + 8 * DAY)
    assert next_check() == PREMIERE - 10 * DAY


def test_a_match_that_nobody_asked_for_leaves_what_is_not_out(world: World) -> None:
    factory.movie(7, release_date=PREMIERE.date(), next_check_at=AT, refresh_at=AT)
    world.offer(7, world.rendition("early.mp4", "1080p"))
    assert succeeded(Job.MATCH, movie_id=7, at=AT) == {"skipped": "not_out"}
    movie = Movie.objects.get()
    assert (movie.next_check_at, movie.refresh_at) == (PREMIERE, None)
    assert "not out yet: it is searched for from 24 December 2026 on" in logged(IngestLog.Status.SKIP)
    assert not world.asked_for("/library/movies/7.json")
    succeeded(Job.MATCH, movie_id=7, at=PREMIERE)
    assert active_label(7) == "1080p"


def test_a_match_that_somebody_asks_for_searches_for_what_is_not_out(world: World) -> None:
    factory.movie(7, release_date=date(2999, 1, 1))
    world.offer(7, world.rendition("early.mp4", "1080p"))
    asked, _ = runs.queue(
        Job.MATCH, movie_id=7, at=AT, trigger="api", requested_by=EDITOR.name, publish=False
    )
    execute(asked.pk)
    assert active_label(7) == "1080p"


def test_what_an_editor_adds_is_searched_for_before_it_is_out(world: World) -> None:
    world.film(7, release_date="2999-01-01", lists=())
    discovery.add_movie(7, at=AT, actor=EDITOR)
    assert IngestRun.objects.get(job=Job.MATCH).requested_by == EDITOR.name


def test_what_plays_is_searched_for_better_though_its_date_is_put_off(world: World) -> None:
    movie = factory.movie(7, release_date=PREMIERE.date())
    factory.version(movie, "a", Quality.P720)
    reconsider(7, at=AT)
    assert "skipped" not in run(Job.MATCH, movie_id=7, at=AT).summary
