"""What the tick does. Due searches: test_refresh.py. Pruning: test_prune.py."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ingestion import checking, lost, runs, slots
from ingestion.models import IngestLog, IngestRun, Job
from providers.models import Provider
from streaming import switching, turns
from streaming.models import Movie, StreamVersion
from streaming.quality import Quality
from tests.ingestion.conftest import AT
from tests.ingestion.world import World, run, succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
Status = IngestRun.Status

pytestmark = pytest.mark.django_db


def queued() -> set[int | None]:
    return set(
        IngestRun.objects.filter(job=Job.MATCH, status=Status.QUEUED).values_list("movie_id", flat=True)
    )


def test_the_tick_finds_a_lost_run(valkey: Any) -> None:
    run, _ = runs.queue(Job.MATCH, movie_id=1, at=AT, trigger="test")
    assert runs._start(run.pk, at=AT)
    assert succeeded(Job.TICK, at=AT + slots.QUEUED_LEASE)["lost"] == 1
    assert IngestRun.objects.get(trigger="retry").movie_id == 1


def test_a_slot_that_the_sweep_stumbles_over_holds_up_no_other_and_is_left_alone_for_a_while(
    valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for movie_id in (666, 1):
        runs.queue(Job.MATCH, movie_id=movie_id, at=AT + timedelta(seconds=movie_id == 1), trigger="test")
    honest = lost._holder

    def holder(slot: slots.Slot) -> IngestRun | None:
        if slot.key.endswith(":666"):
            raise ValueError("a bug")
        return honest(slot)

    monkeypatch.setattr(lost, "_holder", holder)
    at = AT + slots.QUEUED_LEASE + timedelta(seconds=1)
    closed = run(Job.TICK, at=at)
    assert (closed.status, closed.summary["published"]) == (Status.FAILED, 1)
    line = IngestLog.objects.get(run_id=closed.pk, status="ERROR")
    assert line.message == "The recovery of content.match:666 failed: ValueError: a bug"
    assert succeeded(Job.TICK, at=at + lost.PUT_OFF / 2)["lost"] == 0
    monkeypatch.undo()
    assert succeeded(Job.TICK, at=at + lost.PUT_OFF)["published"] >= 1


def test_the_tick_says_that_the_queue_grows() -> None:
    runs.queue(Job.MATCH, movie_id=1, at=AT - timedelta(minutes=31), trigger="test")
    summary = succeeded(Job.TICK, at=AT)
    assert (summary["queue"], summary["queue_too_long"]) == (1, 1)
    (line,) = IngestLog.objects.filter(status=IngestLog.Status.WARNING)
    assert line.message.startswith("Work comes in faster than it is done")


def test_the_tick_finishes_a_switch_that_was_left_half_done(valkey: Any) -> None:
    movie = factory.movie(1)
    key = factory.version(movie, "a")
    switching.reconsider(1, at=AT)
    # As a process leaves it that dies right after the commit point: the movie knows nothing of the row.
    Movie.objects.update(switch_seq=0, active_stream=None)
    assert succeeded(Job.TICK, at=AT)["finished"] == 1
    assert Movie.objects.get().active_stream_id == key


def test_a_movie_that_has_nothing_left_is_searched_for_in_the_same_tick(valkey: Any) -> None:
    factory.version(factory.movie(1), "a", rights_until=AT, next_check_at=AT + DAY)
    switching.reconsider(1, at=AT - DAY)
    assert succeeded(Job.TICK, at=AT)["switches"] == 1
    assert Movie.objects.get().active_stream_id is None
    assert queued() == {1}


def test_a_withdrawal_that_was_left_half_done_is_followed_by_a_search_too(
    valkey: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    factory.version(factory.movie(1), "a", rights_until=AT, next_check_at=AT + DAY)
    switching.reconsider(1, at=AT - DAY)

    def killed(row: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(turns, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            switching.reconsider(1, at=AT)
    assert Movie.objects.get().active_stream_id is not None
    assert succeeded(Job.TICK, at=AT + HOUR / 60)["finished"] == 1
    assert queued() == {1}


def test_streams_of_a_removed_movie_are_left_alone_until_it_is_restored(world: World) -> None:
    movie = factory.movie(1)
    url = world.stream("a.mp4", "1080p")
    key = factory.version(movie, "a", url=url, delivery="progressive", next_check_at=AT)
    switching.suppress(key, actor=EDITOR, comment="", at=AT - HOUR, until=AT)
    switching.withdraw(1, actor=EDITOR, comment="no licence", at=AT)
    assert succeeded(Job.TICK, at=AT)["checked"] == 0
    assert succeeded(Job.REVERIFY, at=AT)["checked"] == 0
    assert not world.asked_for("/media/a.mp4")
    switching.restore(1, actor=EDITOR, comment="it is settled", at=AT)
    assert succeeded(Job.TICK, at=AT)["checked"] == 1


def test_a_restored_movie_is_searched_for_at_the_next_tick(valkey: Any) -> None:
    factory.version(factory.movie(1), "a")
    switching.withdraw(1, actor=EDITOR, comment="no licence", at=AT - HOUR)
    assert succeeded(Job.TICK, at=AT)["searches"] == 0
    switching.restore(1, actor=EDITOR, comment="it is settled", at=AT)
    assert succeeded(Job.TICK, at=AT)["searches"] == 1


def test_a_suppression_of_a_removed_movie_ends_too_and_nothing_is_probed(world: World) -> None:
    key = factory.version(factory.movie(1), "a", url=world.stream("a.mp4", "1080p"), delivery="progressive")
    switching.suppress(key, actor=EDITOR, comment="", at=AT - HOUR, until=AT)
    switching.withdraw(1, actor=EDITOR, comment="no licence", at=AT - HOUR)
    assert succeeded(Job.TICK, at=AT)["checked"] == 0
    assert StreamVersion.objects.get().suppressed_at is None
    assert not world.asked_for("/media/a.mp4")


@pytest.mark.parametrize("why", ["rights ended", "rights begin later", "provider disabled"])
def test_a_stream_that_may_be_shown_no_longer_is_left_by_the_next_tick(why: str, world: World) -> None:
    """Of a movie with others, beside one that goes on."""
    for number in (1, 2):
        movie, provider = factory.movie(number), factory.provider(f"source-{number}")
        for ref in ("idle", "active"):
            factory.version(movie, ref, provider=provider, next_check_at=AT + DAY, probed_at=AT)
        switching.reconsider(number, at=AT - HOUR)
    of_one = StreamVersion.objects.of(1)
    match why:
        case "rights ended":
            of_one.update(rights_until=AT)
        case "rights begin later":
            of_one.update(rights_from=AT + HOUR)
        case "provider disabled":
            Provider.objects.filter(pk="source-1").update(enabled=False)
    StreamVersion.objects.update(next_check_at=AT + DAY)
    assert succeeded(Job.TICK, at=AT)["switches"] == 1
    assert Movie.objects.get(pk=1).active_stream_id is None
    assert Movie.objects.get(pk=2).active_stream_id is not None
    assert succeeded(Job.TICK, at=AT)["switches"] == 0


def test_a_stream_whose_rights_are_said_to_begin_later_is_left(world: World) -> None:
    key = factory.version(factory.movie(1), "a", next_check_at=AT + DAY)
    switching.reconsider(1, at=AT)
    switching.observe(key, columns={"rights_from": AT + DAY, "next_check_at": AT + DAY}, at=AT)
    assert succeeded(Job.TICK, at=AT)["switches"] == 1
    assert Movie.objects.get().active_stream_id is None


def test_what_a_sweep_measured_and_died_before_deciding_on_is_decided_by_the_next_tick(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie, minute = factory.movie(1), timedelta(minutes=1)
    spare = factory.version(movie, "spare", Quality.P720, url=world.stream("spare.mp4", "720p"), probed_at=AT)
    facts: dict[str, Any] = {"url": f"{world.url}/media/gone.mp4", "next_check_at": AT}
    factory.version(movie, "gone", Quality.P1080, **facts)
    StreamVersion.objects.update(delivery="progressive")
    switching.reconsider(1, at=AT - DAY)
    StreamVersion.objects.filter(ref="gone").update(
        on_trial=False, state="suspect", strikes=1, next_check_at=AT
    )

    def killed(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checking, "settle", killed)
        with pytest.raises(KeyboardInterrupt):
            succeeded(Job.REVERIFY, at=AT)
    assert StreamVersion.objects.get(ref="gone").state == StreamVersion.State.BROKEN
    assert Movie.objects.get().active_stream_id != spare
    assert succeeded(Job.TICK, at=AT + minute)["switches"] == 1
    assert Movie.objects.get().active_stream_id == spare
