"""What the jobs that keep order do: due searches, sweeps, pruning."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from core import conf
from ingestion import refresh, reverify, runs
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.slots import RUNNING_LEASE
from providers.types import ProbeOutcome
from streaming import switching
from streaming.errors import Contended
from streaming.models import Movie, StreamVersion
from streaming.quality import Quality
from tests.ingestion.conftest import AT
from tests.ingestion.world import World, succeeded
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


def test_refresh_queues_what_its_ladder_says(valkey: Any) -> None:
    factory.movie(1, refresh_at=AT)
    factory.movie(2, refresh_at=AT + HOUR)
    factory.movie(3, refresh_at=None)
    factory.movie(4, refresh_at=AT, removed_at=AT)
    assert succeeded(Job.REFRESH, at=AT) == {"queued": 1}
    assert queued() == {1}


def test_a_raised_target_has_movies_searched_for_that_had_reached_the_old_one(valkey: Any) -> None:
    conf.change("TARGET_QUALITY", "720p", by="test", at=AT)
    for number in (1, 2):
        factory.version(factory.movie(number), "a", Quality.P720)
        switching.reconsider(number, at=AT)
    switching.edit(2, target_quality=Quality.P720, actor=EDITOR, comment="enough", at=AT)
    assert succeeded(Job.REFRESH, at=AT) == {"queued": 0}
    conf.change("TARGET_QUALITY", "1080p", by="test", at=AT)
    assert succeeded(Job.REFRESH, at=AT) == {"queued": 1}
    assert queued() == {1}
    switching.edit(2, target_quality=Quality.P2160, actor=EDITOR, comment="more", at=AT)
    assert succeeded(Job.REFRESH, at=AT) == {"queued": 2}


def test_a_match_without_a_movie_queues_all_that_are_due(valkey: Any) -> None:
    factory.movie(1, refresh_at=AT)
    factory.movie(2, next_check_at=AT)
    factory.movie(3, next_check_at=AT, refresh_at=AT)
    factory.movie(4, next_check_at=AT + HOUR)
    assert succeeded(Job.MATCH, at=AT) == {"queued": 3}
    assert queued() == {1, 2, 3}


def test_the_tick_puts_a_search_off_so_that_one_bad_movie_cannot_block_the_rest(valkey: Any) -> None:
    factory.movie(1, next_check_at=AT)
    assert succeeded(Job.TICK, at=AT)["searches"] == 1
    assert Movie.objects.get().next_check_at == AT + refresh.PUT_OFF
    assert succeeded(Job.TICK, at=AT + timedelta(minutes=1))["searches"] == 0


def test_the_tick_finds_a_lost_run(valkey: Any) -> None:
    run, _ = runs.queue(Job.MATCH, movie_id=1, at=AT, trigger="test")
    assert runs._start(run.pk, at=AT)
    assert succeeded(Job.TICK, at=AT + RUNNING_LEASE)["lost"] == 1
    assert IngestRun.objects.get(trigger="retry").movie_id == 1


def test_the_tick_finishes_a_switch_that_was_left_half_done(valkey: Any) -> None:
    movie = factory.movie(1)
    key = factory.version(movie, "a")
    switching.reconsider(1, at=AT)
    # As a process leaves it that dies right after the commit point: the movie knows nothing of the row.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE streaming_movie SET switch_seq = 0, active_stream_id = NULL")
    assert succeeded(Job.TICK, at=AT)["finished"] == 1
    assert Movie.objects.get().active_stream_id == key


def test_what_a_tick_and_the_status_ask_every_minute_reads_no_whole_table() -> None:
    of_job = IngestRun.objects.filter(job=Job.MATCH)
    of_log = IngestLog.objects.order_by("-id")
    asked = [
        StreamVersion.objects.due(AT),
        StreamVersion.objects.filter(suppressed_until__lte=AT),
        of_job.filter(finished_at__gte=AT),
        of_job.filter(finished_at__isnull=False).order_by("-id"),
        of_log.filter(job=Job.MATCH),
        of_log.filter(status=IngestLog.Status.ERROR),
    ]
    for query in asked:
        plan = query.explain()
        assert "SCAN" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan


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


def test_a_stream_whose_rights_are_said_to_begin_later_is_left(world: World) -> None:
    key = factory.version(factory.movie(1), "a", next_check_at=AT + DAY)
    switching.reconsider(1, at=AT)
    switching.observe(key, columns={"rights_from": AT + DAY, "next_check_at": AT + DAY}, at=AT)
    assert succeeded(Job.TICK, at=AT)["switches"] == 1
    assert Movie.objects.get().active_stream_id is None


def test_what_matters_most_is_probed_first() -> None:
    popular, other = factory.movie(1, popularity=9.0), factory.movie(2, popularity=1.0)
    idle = factory.version(popular, "idle", next_check_at=AT - DAY, quality=None)
    less, more = (
        factory.version(other, "b", next_check_at=AT),
        factory.version(popular, "a", next_check_at=AT),
    )
    for movie in (popular, other):
        switching.reconsider(movie.pk, at=AT - HOUR)
    due = reverify.by_importance(StreamVersion.objects.all())
    assert [version.pk for version in due] == [more, less, idle]


def test_trials_and_second_strikes_come_before_routine() -> None:
    movie = factory.movie(1)
    routine = factory.version(movie, "routine", next_check_at=AT - DAY)
    suspect = factory.version(movie, "suspect", next_check_at=AT, state="suspect")
    trial = factory.version(movie, "trial", next_check_at=AT, on_trial=True)
    factory.version(movie, "later", next_check_at=AT + HOUR)
    assert [v.pk for v in reverify.urgent(AT, limit=10)] == [trial, suspect, routine]
    assert [v.pk for v in reverify.urgent(AT, limit=2)] == [trial, suspect]


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


# Pruning: `old` is what no longer is listed, nor in use, for longer than the grace period of 24 hours.


def old(ref: str, movie_id: int = 1, **facts: Any) -> uuid.UUID:
    movie = Movie.objects.filter(pk=movie_id).first() or factory.movie(movie_id, matched_at=AT)
    return factory.version(movie, ref, last_seen=AT - 3 * DAY, **facts)


def prune(at: Any = AT) -> dict[str, Any]:
    return succeeded(Job.PRUNE, at=at)


def test_a_version_past_its_grace_is_marked_first_and_deleted_a_cycle_later() -> None:
    old("gone")
    assert prune()["expired"] == 1
    assert StreamVersion.objects.get().expired_at == AT
    assert prune(AT + HOUR)["deleted"] == 1
    assert not StreamVersion.objects.exists()


def test_a_mark_that_was_cleared_meanwhile_saves_the_version() -> None:
    old("gone")
    prune()
    StreamVersion.objects.update(expired_at=None, last_seen=AT + HOUR)
    assert prune(AT + HOUR)["deleted"] == 0
    assert StreamVersion.objects.exists()


def test_a_mark_that_is_cleared_at_the_last_moment_saves_the_version_too() -> None:
    key = old("gone")
    prune()

    def race(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith('DELETE FROM "streaming_streamversion"'):
            StreamVersion.objects.filter(pk=key).update(expired_at=None)
        return execute(sql, *rest)

    with connection.execute_wrapper(race):
        assert prune(AT + HOUR)["deleted"] == 0
    assert StreamVersion.objects.exists()


@pytest.mark.parametrize(
    "facts",
    [
        {"suppressed_at": AT - DAY},
        {"retired_at": AT - HOUR},
        {"last_seen": AT - HOUR},
    ],
    ids=["suppressed", "still in its grace period", "listed until lately"],
)
def test_what_is_kept(facts: dict[str, Any]) -> None:
    movie = factory.movie(1, matched_at=AT)
    factory.version(movie, "a", **{"last_seen": AT - 3 * DAY, **facts})
    assert prune()["expired"] == 0


def test_an_active_version_is_kept_and_so_is_every_version_of_a_pinned_movie() -> None:
    active, spare = old("active"), old("spare")
    switching.activate(1, active, actor=EDITOR, comment="", at=AT - 3 * DAY, pin=True)
    assert prune()["expired"] == 0
    switching.edit(1, pinned=False, actor=EDITOR, comment="", at=AT)
    assert prune()["expired"] == 1
    prune(AT + HOUR)
    assert list(StreamVersion.objects.values_list("pk", flat=True)) == [active]
    assert spare != active


def test_a_version_that_the_latest_search_found_is_kept_however_long_ago_that_was() -> None:
    movie = factory.movie(1, matched_at=AT - 30 * DAY)
    factory.version(movie, "a", last_seen=AT - 30 * DAY)
    assert prune()["expired"] == 0


def test_an_active_version_is_never_deleted_even_if_marked() -> None:
    key = old("a", expired_at=None)
    switching.activate(1, key, actor=EDITOR, comment="", at=AT - 3 * DAY)
    StreamVersion.objects.update(expired_at=AT - DAY)
    assert prune()["deleted"] == 0


def test_old_logs_and_runs_go() -> None:
    for days in (31, 29):
        finished = {"queued_at": AT, "finished_at": AT - days * DAY, "status": Status.SUCCEEDED}
        IngestRun.objects.create(job=Job.MATCH, **finished)
        IngestLog.objects.create(at=AT - days * DAY, job=Job.MATCH, status="OK", message=str(days))
    IngestRun.objects.create(job=Job.TICK, queued_at=AT, finished_at=AT - 2 * DAY, status=Status.SUCCEEDED)
    failed = IngestRun.objects.create(
        job=Job.TICK, queued_at=AT, finished_at=AT - 2 * DAY, status=Status.FAILED
    )
    summary = prune()
    assert (summary["logs"], summary["runs"]) == (1, 2)
    assert IngestLog.objects.filter(message="29").exists()
    assert IngestRun.objects.filter(pk=failed.pk).exists(), "a tick that failed is news for longer"
