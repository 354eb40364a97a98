"""Due movies become searches: by which clock, in what order, and never more at once than fit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from core import conf
from ingestion import refresh, runs
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.searching import PUT_OFF
from streaming import switching
from streaming.models import Movie
from streaming.quality import Quality
from tests.ingestion.conftest import AT
from tests.ingestion.world import run, succeeded
from tests.queries import costs
from tests.streaming import factory
from tests.streaming.factory import EDITOR

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Status = IngestRun.Status

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def waiting() -> list[int | None]:
    """Movies whose search waits for a worker, in the order in which it was queued."""
    rows = IngestRun.objects.filter(job=Job.MATCH, status=Status.QUEUED).order_by("id")
    return list(rows.values_list("movie_id", flat=True))


def searched() -> None:
    """Workers took all that waited, and found nothing."""
    for row in IngestRun.objects.filter(job=Job.MATCH, status=Status.QUEUED):
        runs.cancel(row.pk, by="a test", at=AT)


def room_for(depth: int) -> None:
    conf.change("QUEUE_DEPTH", depth, by="test", at=AT)


def test_refresh_queues_what_its_ladder_says_the_longest_overdue_first() -> None:
    factory.movie(1, refresh_at=AT)
    factory.movie(2, refresh_at=AT + HOUR)
    factory.movie(3, refresh_at=None)
    factory.movie(4, refresh_at=AT, removed_at=AT)
    factory.movie(5, refresh_at=AT - HOUR)
    assert succeeded(Job.REFRESH, at=AT) == {"queued": 2, "waiting": 0}
    assert waiting() == [5, 1]


def test_a_match_without_a_movie_queues_all_that_are_due() -> None:
    factory.movie(1, refresh_at=AT)
    factory.movie(2, next_check_at=AT)
    factory.movie(3, next_check_at=AT, refresh_at=AT)
    factory.movie(4, next_check_at=AT + HOUR)
    assert succeeded(Job.MATCH, at=AT) == {"queued": 3, "waiting": 0}
    assert waiting() == [2, 3, 1]


@pytest.mark.parametrize(("job", "clock"), [(Job.TICK, "next_check_at"), (Job.REFRESH, "refresh_at")])
def test_a_search_is_put_off_so_that_one_bad_movie_cannot_block_the_rest(job: Job, clock: str) -> None:
    factory.movie(1, **{clock: AT})
    succeeded(job, at=AT)
    assert getattr(Movie.objects.get(), clock) == AT + PUT_OFF
    searched()
    succeeded(job, at=AT + MINUTE)
    assert waiting() == []
    succeeded(job, at=AT + PUT_OFF)
    assert waiting() == [1]


def test_no_more_are_queued_than_fit_and_the_rest_stays_due() -> None:
    room_for(25)
    for number in range(1, 61):
        factory.movie(number, refresh_at=AT - number * MINUTE)
    assert succeeded(Job.REFRESH, at=AT) == {"queued": 25, "waiting": 35}
    assert waiting() == list(range(60, 35, -1))
    assert Movie.objects.due_for_refresh(AT).count() == 35
    assert "35 more are due" in IngestLog.objects.get(job=Job.REFRESH).message


def test_ticks_take_what_a_refresh_left_once_there_is_room() -> None:
    room_for(2)
    for number in range(1, 6):
        factory.movie(number, refresh_at=AT - number * MINUTE)
    succeeded(Job.REFRESH, at=AT)
    assert waiting() == [5, 4]
    assert succeeded(Job.TICK, at=AT + MINUTE)["searches"] == 0
    searched()
    assert succeeded(Job.TICK, at=AT + 2 * MINUTE)["searches"] == 2
    assert waiting() == [3, 2]
    searched()
    assert succeeded(Job.TICK, at=AT + 3 * MINUTE)["searches"] == 1


def test_a_tick_leaves_to_the_next_refresh_what_fell_due_after_the_last_one() -> None:
    factory.movie(1, refresh_at=AT + MINUTE)
    succeeded(Job.REFRESH, at=AT)
    assert succeeded(Job.TICK, at=AT + HOUR)["searches"] == 0
    assert succeeded(Job.REFRESH, at=AT + 6 * HOUR)["queued"] == 1


def test_a_tick_leaves_what_a_refresh_left_that_was_called_off() -> None:
    room_for(1)
    factory.movie(1, refresh_at=AT)
    factory.movie(2, refresh_at=AT)
    succeeded(Job.REFRESH, at=AT)
    IngestRun.objects.filter(job=Job.REFRESH).update(status=Status.CANCELLED)
    searched()
    assert succeeded(Job.TICK, at=AT + MINUTE)["searches"] == 0


def test_a_movie_of_somebodys_word_goes_before_what_a_refresh_left() -> None:
    room_for(1)
    for number in (1, 2):
        factory.movie(number, refresh_at=AT - DAY)
    factory.movie(3, next_check_at=AT + MINUTE)
    succeeded(Job.REFRESH, at=AT)
    searched()
    succeeded(Job.TICK, at=AT + MINUTE)
    assert waiting() == [3]


def test_what_a_match_without_a_movie_has_no_room_for_is_taken_by_ticks_all_the_same() -> None:
    room_for(1)
    factory.movie(1, next_check_at=AT)
    for number in (2, 3):
        factory.movie(number, refresh_at=AT)
    assert succeeded(Job.MATCH, at=AT) == {"queued": 1, "waiting": 2}
    left = IngestRun.objects.get(job=Job.REFRESH)
    runs.execute(left.pk, refresh.refresh, clock=lambda: AT)
    for minute in (1, 2):
        searched()
        succeeded(Job.TICK, at=AT + minute * MINUTE)
        assert waiting() == [minute + 1]


def test_what_is_asked_for_by_hand_goes_in_however_many_wait() -> None:
    room_for(1)
    factory.movie(1, refresh_at=AT)
    succeeded(Job.REFRESH, at=AT)
    runs.queue(Job.MATCH, movie_id=2, at=AT, trigger="api", requested_by="ada")
    assert waiting() == [1, 2]


def test_two_that_read_the_same_movie_queue_it_once() -> None:
    movie = factory.movie(1, next_check_at=AT)
    assert refresh._take(movie, "next_check_at", trigger="tick", at=AT)
    searched()
    assert not refresh._take(movie, "next_check_at", trigger="tick", at=AT)
    assert waiting() == []


def test_a_movie_that_cannot_be_queued_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        factory.movie(number, refresh_at=AT)
    real = runs.queue

    def poisoned(job: str, **about: Any) -> tuple[IngestRun, bool]:
        if about.get("movie_id") == 2:
            raise ValueError("poison")
        return real(job, **about)

    monkeypatch.setattr(runs, "queue", poisoned)
    assert run(Job.REFRESH, at=AT).status == Status.FAILED, "a bug is told"
    assert waiting() == [1, 3]


def test_a_refresh_that_is_called_off_stops_between_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 2 * refresh.STEP + 1):
        factory.movie(number, refresh_at=AT)
    queued, _ = runs.queue(Job.REFRESH, at=AT, trigger="test", publish=False)
    real = refresh._take

    def then_cancel(movie: Movie, clock: str, *, trigger: str, at: datetime) -> bool:
        if movie.pk == 3:
            runs.cancel(queued.pk, by="ada", at=AT)
        return real(movie, clock, trigger=trigger, at=at)

    monkeypatch.setattr(refresh, "_take", then_cancel)
    runs.execute(queued.pk, refresh.refresh, clock=lambda: AT)
    assert len(waiting()) == refresh.STEP
    assert Movie.objects.due_for_refresh(AT).count() == refresh.STEP


def test_a_sweep_with_nothing_due_asks_the_same_of_any_catalogue() -> None:
    queued, _ = runs.queue(Job.REFRESH, at=AT, trigger="test", publish=False)
    report: Any = type("Quiet", (), {"now": lambda self: AT, "log": lambda *a, **k: None, "run": queued})()
    for many in (3, 30):
        for number in range(Movie.objects.count() + 1, many + 1):
            factory.movie(number, refresh_at=AT + DAY, next_check_at=AT + DAY)
        with costs(5):  # settings twice, what waits, what is due, and how much is left
            assert refresh.refresh(report) == {"queued": 0, "waiting": 0}


def test_a_target_of_all_that_was_raised_makes_due_what_had_reached_the_old_one() -> None:
    conf.change("TARGET_QUALITY", "720p", by="test", at=AT)
    for number in (1, 2, 3):
        factory.version(factory.movie(number), "a", Quality.P720)
        switching.reconsider(number, at=AT)
    switching.edit(2, target_quality=Quality.P720, actor=EDITOR, comment="enough", at=AT)
    Movie.objects.update(next_check_at=None)
    Movie.objects.filter(pk=3).update(refresh_at=AT + DAY)
    assert refresh.resume([1, 2, 3], at=AT) == 0
    conf.change("TARGET_QUALITY", "1080p", by="test", at=AT)
    assert refresh.resume([1, 2, 3], at=AT) == 1
    assert succeeded(Job.REFRESH, at=AT)["queued"] == 1
    assert waiting() == [1]


def test_a_target_of_one_movie_that_an_editor_changes_has_it_searched_for_at_once() -> None:
    conf.change("TARGET_QUALITY", "720p", by="test", at=AT)
    factory.version(factory.movie(1, fruitless_searches=3), "a", Quality.P720)
    switching.reconsider(1, at=AT)
    switching.edit(1, target_quality=Quality.P2160, actor=EDITOR, comment="more", at=AT)
    movie = Movie.objects.get()
    assert (movie.next_check_at, movie.fruitless_searches) == (AT, 0)
    assert succeeded(Job.TICK, at=AT)["searches"] == 1
