"""Which due streams a sweep takes, in which order, and that no stream or movie stops the others."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
import redis

from ingestion import checking, maintenance, reverify
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.risk import Why
from providers.models import Provider
from providers.types import ProbeOutcome
from streaming import switching, watched
from streaming.errors import Contended
from streaming.models import Movie, StreamVersion
from streaming.verification import AFTER_OUTAGE
from tests.ingestion.conftest import AT
from tests.ingestion.world import World, run, succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
Status = IngestRun.Status

pytestmark = pytest.mark.django_db


def playing(
    number: int, *, due_at: datetime = AT, switched_at: datetime = AT - 9 * DAY, **film: Any
) -> uuid.UUID:
    """A film with one stream, which is active, no longer on trial, and due."""
    key = factory.version(factory.movie(number, **film), "a")
    switching.reconsider(number, at=switched_at)
    switching.pass_canary(key)
    StreamVersion.objects.filter(pk=key).update(next_check_at=due_at)
    return key


def idle(number: int, ref: str = "idle", *, due_at: datetime = AT, **facts: Any) -> uuid.UUID:
    movie = Movie.objects.filter(pk=number).first() or factory.movie(number)
    return factory.version(movie, ref, next_check_at=due_at, **facts)


def due(limit: int = 100) -> list[uuid.UUID]:
    return [version.pk for version in reverify.due(AT, limit=limit)]


def test_the_popular_come_first_and_what_plays_before_what_could(valkey: redis.Redis) -> None:
    spare = idle(3, due_at=AT - DAY)
    less, more = playing(1, popularity=1.0), playing(2, popularity=9.0)
    assert due() == [more, less, spare]


def test_what_is_watched_comes_first_then_what_is_doubted_then_what_was_just_switched_to(
    valkey: redis.Redis, settings: Any
) -> None:
    routine = playing(1, due_at=AT - DAY, popularity=99.0)
    shaky = playing(2)
    Provider.objects.update(success_rate=0.5)
    sound = factory.provider("sound")
    StreamVersion.objects.exclude(pk=shaky).update(provider=sound)
    just = playing(3, switched_at=AT - HOUR)
    suspect, watched_one = playing(4), playing(5)
    StreamVersion.objects.filter(pk__in=[just, suspect, watched_one]).update(provider=sound)
    StreamVersion.objects.filter(pk=suspect).update(state="suspect")
    asyncio.run(watched.note(settings.EVENTSTREAM_REDIS, [5]))
    assert due() == [watched_one, suspect, just, shaky, routine]
    found = reverify.due(AT, limit=100).values()
    assert [risk.why for risk in found] == [
        (Why.WATCHED,),
        (Why.DOUBTED,),
        (Why.SWITCHED,),
        (Why.UNRELIABLE,),
        (),
    ]


@pytest.mark.parametrize("what", ["watched", "suspect", "on trial", "just switched to", "unreliable"])
def test_what_is_at_risk_is_found_behind_any_number_that_are_longer_overdue(
    what: str, valkey: redis.Redis, settings: Any
) -> None:
    for number in range(1, 10):
        playing(number, due_at=AT - DAY, popularity=99.0)
    shaky = factory.provider("shaky", success_rate=0.3)
    key = playing(99, switched_at=AT - HOUR if what == "just switched to" else AT - 9 * DAY)
    match what:
        case "watched":
            asyncio.run(watched.note(settings.EVENTSTREAM_REDIS, [99]))
        case "suspect":
            StreamVersion.objects.filter(pk=key).update(state="suspect")
        case "on trial":
            StreamVersion.objects.filter(pk=key).update(on_trial=True)
        case "unreliable":
            StreamVersion.objects.filter(pk=key).update(provider=shaky)
    assert due(limit=3)[0] == key


def test_however_many_are_at_risk_a_third_is_the_longest_overdue(valkey: redis.Redis, settings: Any) -> None:
    waiting = [idle(number, due_at=AT - DAY + number * MINUTE) for number in range(1, 5)]
    risky = {playing(number) for number in range(11, 20)}
    asyncio.run(watched.note(settings.EVENTSTREAM_REDIS, range(11, 20)))
    *first, before_last, last = due(limit=6)
    assert len(set(first) & risky) == 4
    assert [before_last, last] == waiting[:2]


def test_a_sweep_that_cannot_take_all_says_what_is_left(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 6):
        playing(number)
    monkeypatch.setattr(reverify, "PER_RUN", 3)
    monkeypatch.setattr(checking, "probe_all", lambda report, versions: [])
    assert succeeded(Job.REVERIFY, at=AT)["waiting"] == 5
    line = IngestLog.objects.get(status=IngestLog.Status.WARNING)
    assert line.message == "5 more streams are due: more fall due than are probed."
    monkeypatch.setattr(reverify, "PER_RUN", 6)
    assert succeeded(Job.REVERIFY, at=AT)["waiting"] == 0


def test_checks_of_removed_movies_are_put_aside_so_that_they_hold_up_no_others() -> None:
    removed, present = factory.movie(1, removed_at=AT), factory.movie(2)
    factory.version(removed, "a", next_check_at=AT - DAY)
    due = factory.version(present, "a", next_check_at=AT)
    assert not reverify.due(AT, limit=1)
    assert [version.pk for version in reverify.due(AT, limit=1)] == [due]


def test_a_movie_that_is_restored_while_its_checks_are_put_aside_is_checked_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    factory.version(factory.movie(1), "a", next_check_at=AT - HOUR)
    switching.withdraw(1, actor=EDITOR, comment="no licence", at=AT - HOUR)
    read = list(StreamVersion.objects.due(AT))
    there = Movie.objects.filter

    def restored_after(*words: Any, **facts: Any) -> Any:
        found = list(there(*words, **facts).values_list("pk", flat=True))
        monkeypatch.undo()
        switching.restore(1, actor=EDITOR, comment="it is settled", at=AT)
        return there(pk__in=found)

    monkeypatch.setattr(Movie.objects, "filter", restored_after)
    reverify.of_present(read)
    assert StreamVersion.objects.get().next_check_at == AT


def test_reverify_goes_on_after_a_movie_that_cannot_be_switched(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        url = world.stream(f"{number}.mp4", "1080p")
        movie = factory.movie(number)
        factory.version(movie, "a", url=url, delivery="progressive", next_check_at=AT)
        switching.reconsider(number, at=AT - DAY)
        world.broken(f"/media/{number}.mp4")
    real = switching.fail_canary

    def contended(version_id: uuid.UUID, **options: Any) -> Any:
        if StreamVersion.objects.get(pk=version_id).movie_id == 1:
            raise Contended("busy")
        return real(version_id, **options)

    monkeypatch.setattr(switching, "fail_canary", contended)
    succeeded(Job.REVERIFY, at=AT)
    assert set(StreamVersion.objects.values_list("last_outcome", flat=True)) == {ProbeOutcome.DEAD.value}
    assert Movie.objects.get(pk=2).active_stream_id is None
    assert IngestLog.objects.filter(status=IngestLog.Status.FAILED, movie_id=1, message="busy").exists()


def poison(monkeypatch: pytest.MonkeyPatch, name: str, *, movie_id: int) -> None:
    """Make a verb of `checking` fail on one movie as only a bug does."""
    real = getattr(checking, name)

    def fails(report: Any, about: Any) -> Any:
        if movie_id == (about if isinstance(about, int) else about.version.movie_id):
            raise KeyError("poison")
        return real(report, about)

    monkeypatch.setattr(checking, name, fails)


def bugs() -> list[IngestLog]:
    return list(IngestLog.objects.filter(status=IngestLog.Status.ERROR).order_by("pk"))


@pytest.mark.parametrize("job", [Job.REVERIFY, Job.TICK])
def test_a_bug_in_the_check_of_one_stream_stops_no_other_and_does_not_come_first_again(
    job: Job, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        key = playing(number, due_at=AT - number * MINUTE, popularity=1.0 * number)
        url = world.stream(f"{number}.mp4", "1080p")
        StreamVersion.objects.filter(pk=key).update(url=url, delivery="progressive")
    poison(monkeypatch, "check", movie_id=2)
    ended = run(job, at=AT)
    assert ended.status == Status.FAILED
    assert ended.error == "One thing went wrong, and the rest was done. The log says what."
    assert ended.summary["checked"] == 2
    assert StreamVersion.objects.get(movie=1).probed_at == AT
    assert StreamVersion.objects.get(movie=2).next_check_at == AT + AFTER_OUTAGE
    (line,) = bugs()
    assert (line.movie_id, line.message.partition(" failed: ")[2]) == (2, "KeyError: 'poison'")
    assert "Traceback" in line.error
    assert succeeded(job, at=AT + MINUTE)["checked"] == 0


def test_a_movie_that_cannot_be_decided_on_stops_no_other_and_is_left_alone_for_a_while(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        playing(number, due_at=AT + DAY)
    StreamVersion.objects.update(rights_until=AT - MINUTE)
    poison(monkeypatch, "settle", movie_id=1)
    ended = run(Job.TICK, at=AT)
    assert (ended.status, ended.summary["switches"]) == (Status.FAILED, 1)
    assert [movie.active_stream_id is None for movie in Movie.objects.order_by("pk")] == [False, True]
    assert succeeded(Job.TICK, at=AT + MINUTE)["switches"] == 0
    monkeypatch.undo()
    assert succeeded(Job.TICK, at=AT + maintenance.PUT_OFF)["switches"] == 1
    assert len(bugs()) == 1
