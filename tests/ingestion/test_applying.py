"""A changed policy is applied to the whole catalogue by a run: gently by itself, by force only when asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from core import conf
from ingestion import checking, jobs, runs
from ingestion.models import IngestLog, IngestRun, Job
from streaming import rehearsal, switching, turns
from streaming.errors import Contended
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.quality import Quality
from tests.ingestion.conftest import AT
from tests.ingestion.staged import stage
from tests.ingestion.world import World, active_label, run, succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

Status = IngestRun.Status


def playing(number: int, quality: Quality = Quality.P720, **facts: Any) -> Movie:
    movie = factory.movie(number)
    factory.version(movie, quality.label, quality, probed_at=AT, **facts)
    switching.reconsider(number, at=AT)
    return movie


def waiting() -> list[IngestRun]:
    return list(IngestRun.objects.filter(status=Status.QUEUED).order_by("pk"))


def executed(queued: IngestRun) -> IngestRun:
    closed = runs.execute(queued.pk, jobs._work, clock=lambda: AT)
    assert closed is not None
    return closed


@pytest.mark.parametrize("name", sorted(rehearsal.SETTINGS))
def test_a_setting_of_the_policy_that_changes_is_applied_by_a_run(name: str) -> None:
    value = {"TERRITORY": "DE", "ALLOW_LOWER_QUALITY_UNTIL_UPGRADE": False}.get(name, "1080p")
    conf.change(name, value, by="ada", at=AT)
    (queued,) = waiting()
    assert (queued.job, queued.trigger, queued.requested_by) == (Job.APPLY, "setting", "ada")
    executed(queued)
    conf.reset(name, by="bob", at=AT)
    assert [each.requested_by for each in waiting()] == ["bob"]


def test_changes_in_a_row_make_one_run_and_other_settings_none() -> None:
    for value in ("1080p", "720p", "1440p"):
        conf.change("TARGET_QUALITY", value, by="ada", at=AT)
    conf.change("DISCOVER_PAGES", 3, by="ada", at=AT)
    assert len(waiting()) == 1


def test_what_a_lowered_minimum_allows_is_published() -> None:
    playing(1, Quality.SD)
    assert active_label(1) is None
    conf.change("MIN_QUALITY_TO_PUBLISH", "SD", by="ada", at=AT)
    assert executed(waiting()[0]).summary == {"checked": 1, "switches": 1, "searches": 0}
    assert active_label(1) == "SD"


def test_a_raised_target_is_searched_for_again_and_what_is_known_is_taken() -> None:
    conf.change("TARGET_QUALITY", "720p", by="ada", at=AT)
    executed(waiting()[0])
    playing(1)
    playing(2)
    factory.version(Movie.objects.get(pk=2), "better", Quality.P1080, probed_at=AT)
    playing(3, Quality.P2160)
    conf.change("TARGET_QUALITY", "1080p", by="ada", at=AT)
    assert executed(waiting()[0]).summary["switches"] == 1
    assert (active_label(1), active_label(2)) == ("720p", "1080p")
    due = Movie.objects.due_for_refresh(AT).values_list("pk", flat=True)
    assert 1 in due
    assert 3 not in due


def test_what_plays_stays_until_the_settings_are_enforced() -> None:
    playing(1)
    conf.change("MIN_QUALITY_TO_PUBLISH", "1080p", by="ada", at=AT)
    assert executed(waiting()[0]).summary["switches"] == 0
    assert active_label(1) == "720p"
    queued, _ = runs.queue(Job.ENFORCE, at=AT, trigger="api", requested_by="bob")
    assert executed(queued).summary["switches"] == 1
    assert active_label(1) is None
    switch = StreamSwitch.objects.order_by("seq").last()
    assert switch is not None
    assert (switch.reason, switch.comment) == (
        "withdrawn",
        "The settings in force were enforced, as bob asked.",
    )
    assert "below_minimum" in switch.decision["verdicts"][0]["reasons"]
    assert Movie.objects.get().next_check_at == AT  # something that may play is searched for at once


def test_enforced_the_best_that_the_settings_allow_takes_over() -> None:
    playing(1, Quality.P2160, territories=["US"])
    factory.version(Movie.objects.get(), "ours", Quality.P1080, probed_at=AT)
    conf.change("TERRITORY", "DE", by="ada", at=AT)
    assert succeeded(Job.ENFORCE, at=AT)["switches"] == 1
    assert active_label(1) == "1080p"


def test_what_a_rehearsal_names_is_what_the_runs_then_do() -> None:
    playing(1)
    playing(2, Quality.P1080)
    playing(3)
    factory.version(Movie.objects.get(pk=3), "better", Quality.P1080, probed_at=AT)
    switching.edit(3, pinned=True, actor=EDITOR, comment="", at=AT)
    after = conf.with_change(conf.current(), "MIN_QUALITY_TO_PUBLISH", "1080p")
    found = rehearsal.rehearse(conf.current(), after, at=AT, within_s=60)
    conf.change("MIN_QUALITY_TO_PUBLISH", "1080p", by="ada", at=AT)
    succeeded(Job.ENFORCE, at=AT)
    then = {each.movie.pk: each.then.pk if each.then else None for each in found.differences}
    assert then == dict(Movie.objects.filter(pk__in=[1, 3]).values_list("pk", "active_stream_id"))
    assert active_label(2) == "1080p"


def test_what_would_be_switched_to_is_probed_first(world: World) -> None:
    conf.change("TARGET_QUALITY", "720p", by="ada", at=AT)
    film = stage(world)
    assert film.active == film.low
    StreamVersion.objects.update(probed_at=AT - timedelta(days=1))
    world.broken("/media/high.mp4")
    conf.change("TARGET_QUALITY", "2160p", by="ada", at=AT)
    assert succeeded(Job.ENFORCE, at=AT)["switches"] == 0
    assert film.active == film.low
    assert film.version(film.high).state == "suspect"


def test_what_enforced_settings_would_switch_to_is_probed_first_as_well(world: World) -> None:
    conf.change("TARGET_QUALITY", "720p", by="ada", at=AT)
    film = stage(world)
    StreamVersion.objects.update(probed_at=AT - timedelta(days=1))
    world.broken("/media/high.mp4")
    conf.change("MIN_QUALITY_TO_PUBLISH", "1080p", by="ada", at=AT)
    assert succeeded(Job.ENFORCE, at=AT)["switches"] == 1
    assert film.version(film.high).state == "suspect"
    assert film.active is None  # and not the one that does not play


def test_a_movie_that_cannot_be_decided_on_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        playing(number, Quality.SD)
    conf.change("MIN_QUALITY_TO_PUBLISH", "SD", by="ada", at=AT)
    settle = checking.settle

    def contended(report: Any, movie_id: int, **how: Any) -> Any:
        if movie_id == 2:
            raise Contended("Movie 2 is being switched by others all the time.")
        return settle(report, movie_id, **how)

    monkeypatch.setattr(checking, "settle", contended)
    assert executed(waiting()[0]).summary["switches"] == 2
    assert IngestLog.objects.filter(movie_id=2, status="FAILED").count() == 1


def test_it_says_how_far_it_is_and_stops_when_it_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 6):
        playing(number, Quality.SD)
    conf.change("MIN_QUALITY_TO_PUBLISH", "SD", by="ada", at=AT)
    (queued,) = waiting()
    settle = checking.settle

    def and_cancel(report: Any, movie_id: int, **how: Any) -> Any:
        if movie_id == 3:
            runs.cancel(queued.pk, by="bob", at=AT)
        return settle(report, movie_id, **how)

    monkeypatch.setattr(checking, "settle", and_cancel)
    closed = executed(queued)
    assert closed.status == Status.CANCELLED
    assert (closed.progress_done, closed.progress_total) == (2, 5)
    assert [active_label(number) for number in range(1, 6)] == ["SD", "SD", "SD", None, None]


def test_a_run_that_dies_is_finished_by_the_next_and_no_movie_is_switched_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(1, 6):
        playing(number, Quality.SD)
    conf.change("MIN_QUALITY_TO_PUBLISH", "SD", by="ada", at=AT)
    (queued,) = waiting()
    finish, done = turns.finish, list[str]()

    def die(row: StreamSwitch) -> None:
        done.append(row.pk)
        if len(done) == 3:  # its turn is taken, and not finished
            raise KeyboardInterrupt
        finish(row)

    with monkeypatch.context() as patch:
        patch.setattr(turns, "finish", die)
        with pytest.raises(KeyboardInterrupt):
            executed(queued)
    again = run(Job.APPLY, at=AT)
    assert (again.status, again.summary["checked"]) == (Status.SUCCEEDED, 5)
    assert StreamSwitch.objects.filter(reason="first").count() == 5
    assert [active_label(number) for number in range(1, 6)] == ["SD"] * 5
    assert succeeded(Job.APPLY, at=AT)["switches"] == 0


def test_it_goes_through_the_catalogue_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "BATCH", 2)
    for number in range(1, 6):
        playing(number, Quality.SD)
    switching.withdraw(4, actor=EDITOR, comment="", at=AT)
    conf.change("MIN_QUALITY_TO_PUBLISH", "SD", by="ada", at=AT)
    closed = executed(waiting()[0])
    assert closed.summary == {"checked": 4, "switches": 4, "searches": 0}
    assert (closed.progress_done, closed.progress_total) == (4, 4)
