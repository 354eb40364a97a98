"""The protocol of a turn: taken once, finished by anyone, decided again by whoever loses the race."""

from __future__ import annotations

import threading
from datetime import datetime
from functools import partial
from itertools import pairwise

import pytest
from django.db import connections, router

from streaming import switching, turns
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.quality import Quality
from streaming.standing import Standing
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW
from tests.streaming.races import moments

MOVED = {"url": "https://elsewhere.example/higher.m3u8"}


@pytest.fixture
def movie(transactional_db: None) -> Movie:
    movie = factory.movie()
    factory.version(movie, "lower", Quality.P720)
    switching.reconsider(movie.pk, at=NOW)
    factory.version(movie, "higher", Quality.P1080)
    return movie


def killed_when(moment: str, reached: str) -> None:
    if moment == reached:
        moments.kill()


@pytest.mark.parametrize("moment", [moments.UNCOMMITTED, moments.INSERTED, moments.VERSION, moments.MOVIE])
@pytest.mark.parametrize("finisher", ["the next reader", "the sweep"])
def test_a_turn_cut_short_is_finished(movie: Movie, moment: str, finisher: str) -> None:
    with moments.watched(partial(killed_when, moment)), pytest.raises(moments.Killed):
        switching.reconsider(movie.pk, at=NOW)
    # Cut short inside its transaction, where there is one, an insert was never made.
    taken = (
        moment != moments.UNCOMMITTED or connections[router.db_for_write(StreamSwitch)].vendor == "mongodb"
    )
    if finisher == "the sweep":
        half_done = taken and moment != moments.MOVIE
        assert switching.finish_pending(since=NOW) == half_done
    else:
        assert turns.read(movie.pk, at=NOW).movie.switch_seq == 1 + taken
    assert Movie.objects.get(pk=movie.pk).switch_seq == 1 + taken
    switching.reconsider(movie.pk, at=NOW)
    assert len(agrees(movie.pk)) == 2


def test_finishing_twice_changes_nothing(movie: Movie) -> None:
    row = switching.reconsider(movie.pk, at=NOW)
    assert row is not None
    before = list(StreamVersion.objects.values()), list(Movie.objects.values())
    turns.finish(row)
    assert (list(StreamVersion.objects.values()), list(Movie.objects.values())) == before


def test_a_late_finisher_does_not_undo_what_came_after(movie: Movie) -> None:
    second = switching.reconsider(movie.pk, at=NOW)
    assert second is not None
    switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW)
    turns.finish(second)
    agrees(movie.pk)


def test_whoever_loses_the_race_decides_again(movie: Movie, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between planning and taking the turn somebody else takes it: the plan is thrown away."""
    insert, raced = turns._insert, []

    def lose_once(row: StreamSwitch) -> bool:
        if not raced:
            raced.append(row.pk)
            switching.edit(movie.pk, hidden=True, actor=EDITOR, comment="first", at=NOW)
        return insert(row)

    monkeypatch.setattr(turns, "_insert", lose_once)
    row = switching.reconsider(movie.pk, at=NOW)
    assert row is not None
    assert raced == [f"{movie.pk}:2"]
    assert (row.seq, row.reason) == (3, "upgrade")
    assert Movie.objects.get(pk=movie.pk).hidden, "the loser overwrote the winner's word"


@pytest.mark.parametrize("when", ["before the turn is taken", "after it"])
def test_a_version_written_to_during_a_turn_is_announced_as_it_is(
    movie: Movie, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The plan was made with the old address. Whoever comes second notices."""
    key = StreamVersion.objects.get(ref="higher").pk
    insert, raced = turns._insert, []

    def race(row: StreamSwitch) -> bool:
        if raced:
            return insert(row)
        raced.append(row.pk)
        before = when.startswith("before") and switching.observe(key, columns=MOVED, at=NOW)
        won = insert(row)
        return won and bool(before or switching.observe(key, columns=MOVED, at=NOW))

    monkeypatch.setattr(turns, "_insert", race)
    switching.reconsider(movie.pk, at=NOW)
    log = agrees(movie.pk)
    assert log[-1].to_version == key
    assert log[-1].after is not None
    assert log[-1].after["url"] == MOVED["url"]


def test_an_observation_overtaken_by_a_turn_is_announced(
    movie: Movie, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was a spare version when it was read; by the time it is written it is the active one."""
    key = StreamVersion.objects.get(ref="higher").pk
    view, raced = turns.read, []

    def read(movie_id: int, *, at: datetime) -> Standing:
        seen = view(movie_id, at=at)
        if not raced:
            raced.append(movie_id)
            switching.reconsider(movie_id, at=NOW)
        return seen

    monkeypatch.setattr(turns, "read", read)
    switching.observe(key, columns=MOVED, at=NOW)
    log = agrees(movie.pk)
    assert [row.reason for row in log] == ["first", "upgrade", "revised"]
    assert log[-1].after is not None
    assert log[-1].after["url"] == MOVED["url"]


def test_a_row_of_my_own_attempt_means_that_i_won(movie: Movie) -> None:
    seen = turns.read(movie.pk, at=NOW)
    plan = turns.plans.by_policy(seen)
    assert plan is not None
    row = turns._row(seen, plan, switching.SYSTEM, "")
    assert turns._insert(row)
    assert turns._insert(row)
    row.attempt = StreamVersion.key_for(1, "another", "attempt", "")
    assert not turns._insert(row)


def test_threads_that_switch_one_movie_lose_nothing_and_double_nothing(movie: Movie) -> None:
    keys = list(StreamVersion.objects.values_list("pk", flat=True))
    done: list[StreamSwitch] = []

    def switch(number: int) -> None:
        try:
            for turn in range(5):
                row = switching.activate(
                    movie.pk, keys[(number + turn) % 2], actor=EDITOR, comment=f"{number}.{turn}", at=NOW
                )
                if row is not None:
                    done.append(row)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=switch, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
    rows = list(StreamSwitch.objects.of(movie.pk))
    assert [row.seq for row in reversed(rows)] == list(range(1, len(rows) + 1))
    assert {row.comment for row in done} == {row.comment for row in rows if row.comment}
    assert len(done) == len(rows) - 1
    agrees(movie.pk)


def agrees(movie_id: int) -> list[StreamSwitch]:
    """Pointer, log and `replaced_by` say the same. Returns the log, oldest first."""
    rows = list(reversed(StreamSwitch.objects.of(movie_id)))
    movie = Movie.objects.get(pk=movie_id)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert movie.switch_seq == len(rows)
    assert movie.active_stream_id == rows[-1].to_version
    assert all(later.from_version == earlier.to_version for earlier, later in pairwise(rows))
    for version in StreamVersion.objects.of(movie_id):
        assert (version.retired_at is None) or version.pk != movie.active_stream_id
        left = [row for row in rows if row.moves_pointer and row.from_version == version.pk]
        if version.pk != movie.active_stream_id and left:
            assert version.replaced_by == left[-1].to_version
    return rows
