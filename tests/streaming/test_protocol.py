"""The protocol of a turn where others interfere: what each condition of it is for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import router

from streaming import errors, events, switching, turns
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.policy_types import Action
from streaming.quality import Quality
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def movie() -> Movie:
    """A movie on 720p, whose next decision goes to 1080p."""
    movie = factory.movie()
    factory.version(movie, "lower", Quality.P720)
    switching.reconsider(movie.pk, at=NOW)
    factory.version(movie, "higher", Quality.P1080)
    return movie


def half_done(movie: Movie, **facts: Any) -> StreamSwitch:
    """A turn as a process leaves it that dies right after the commit point."""
    seen = turns.read(movie.pk, at=NOW)
    plan = turns.plans.by_policy(seen)
    assert plan is not None
    row = turns._row(seen, plan, switching.SYSTEM, "")
    for name, value in facts.items():
        setattr(row, name, value)
    assert turns._insert(row)
    return row


def before_the_insert(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Have somebody else act between the plan of the next turn and its insert, once."""
    insert, raced = turns._insert, []

    def race(row: StreamSwitch) -> bool:
        if not raced:
            raced.append(row.pk)
            act()
        return insert(row)

    monkeypatch.setattr(turns, "_insert", race)


def higher() -> StreamVersion:
    return StreamVersion.objects.get(ref="higher")


def test_the_next_reader_finishes_what_was_left_half_done(movie: Movie) -> None:
    half_done(movie)
    seen = turns.read(movie.pk, at=NOW + HOUR)
    assert (seen.movie.switch_seq, seen.movie.active_stream_id) == (2, higher().pk)
    assert seen.movie.switched_at == NOW, "from its row, never from one's own clock"
    assert StreamVersion.objects.get(ref="lower").replaced_by == higher().pk


def test_the_sweep_finishes_what_was_left_half_done(movie: Movie) -> None:
    half_done(movie)
    assert switching.finish_pending(since=NOW) == 1
    assert Movie.objects.get(pk=movie.pk).active_stream_id == higher().pk
    assert switching.finish_pending(since=NOW) == 0


def test_the_sweep_looks_no_further_back_than_told(movie: Movie) -> None:
    half_done(movie)
    assert switching.finish_pending(since=NOW + HOUR) == 0
    assert Movie.objects.get(pk=movie.pk).switch_seq == 1


def test_the_sweep_looks_at_the_newest_turns_first(movie: Movie) -> None:
    other = factory.movie(1)
    factory.version(other, "only")
    half_done(other)
    half_done(movie, at=NOW + HOUR)
    assert switching.finish_pending(since=NOW, limit=1) == 1
    assert Movie.objects.get(pk=movie.pk).active_stream_id == higher().pk
    assert Movie.objects.get(pk=other.pk).active_stream_id is None


def test_the_sweep_finds_what_many_later_turns_hide(movie: Movie, monkeypatch: pytest.MonkeyPatch) -> None:
    half_done(movie)
    for number in range(3):
        other = factory.movie(100 + number)
        factory.version(other, "only")
        assert switching.reconsider(other.pk, at=NOW + HOUR)
    monkeypatch.setattr(turns, "PAGE", 2)
    assert switching.finish_pending(since=NOW) == 1
    assert Movie.objects.get(pk=movie.pk).active_stream_id == higher().pk


def test_a_turn_that_cannot_be_finished_keeps_no_other_from_it(
    movie: Movie, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has deleted a version by hand, past all that guards it."""
    damaged = factory.movie(1)
    key = factory.version(damaged, "gone")
    half_done(damaged, at=NOW + HOUR)
    StreamVersion.objects.filter(pk=key)._raw_delete(router.db_for_write(StreamVersion))
    half_done(movie)
    assert switching.finish_pending(since=NOW) == 1
    assert Movie.objects.get(pk=movie.pk).active_stream_id == higher().pk
    assert "the last turn of movie 1 cannot be finished" in caplog.text


def test_whoever_loses_the_race_plans_on_what_the_winner_left(
    movie: Movie, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the loser wanted to take may not be taken any more."""
    key = higher().pk

    def suppress() -> None:
        switching.suppress(key, actor=EDITOR, comment="wrong film", at=NOW)

    before_the_insert(monkeypatch, suppress)
    assert switching.reconsider(movie.pk, at=NOW) is None
    assert Movie.objects.get(pk=movie.pk).active_stream_id != key
    assert higher().suppressed_at == NOW


def test_finishing_again_undoes_nothing_that_was_written_in_between(movie: Movie) -> None:
    row = switching.reconsider(movie.pk, at=NOW)
    assert row is not None
    switching.pass_canary(higher().pk)
    turns.finish(row)
    assert not higher().on_trial


def test_finishing_late_corrects_nothing(movie: Movie) -> None:
    """The turn is done, and what it announced was true then: the next one is for others to take."""
    row = switching.reconsider(movie.pk, at=NOW)
    assert row is not None
    StreamVersion.objects.filter(pk=higher().pk).update(url="https://elsewhere.example/b.m3u8")
    turns.finish(row)
    assert StreamSwitch.objects.count() == 2


def test_whoever_finishes_a_turn_nudges_the_feed_and_nobody_else(
    movie: Movie, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudged: list[str] = []
    monkeypatch.setattr(events, "nudge", lambda row: nudged.append(row.pk))
    row = switching.reconsider(movie.pk, at=NOW)
    assert row is not None
    turns.finish(row)
    assert nudged == [row.pk]


def test_an_observation_that_loses_the_race_is_made_again(
    movie: Movie, monkeypatch: pytest.MonkeyPatch
) -> None:
    switching.reconsider(movie.pk, at=NOW)
    before_the_insert(
        monkeypatch, lambda: switching.edit(movie.pk, hidden=True, actor=EDITOR, comment="", at=NOW)
    )
    switching.observe(higher().pk, columns={"url": "https://elsewhere.example/b.m3u8"}, at=NOW)
    assert higher().url == "https://elsewhere.example/b.m3u8"
    assert [row.reason for row in StreamSwitch.objects.of(movie.pk)[:2]] == ["revised", "revised"]


@pytest.mark.parametrize("verb", ["activate", "rollback", "edit"])
def test_every_verb_of_an_editor_honours_if_seq(movie: Movie, verb: str) -> None:
    switching.reconsider(movie.pk, at=NOW)
    lower = StreamVersion.objects.get(ref="lower").pk
    acts: dict[str, Callable[..., object]] = {
        "activate": lambda **word: switching.activate(movie.pk, lower, **word),
        "rollback": lambda **word: switching.rollback(movie.pk, **word),
        "edit": lambda **word: switching.edit(movie.pk, hidden=True, **word),
    }
    word = {"actor": EDITOR, "comment": "", "at": NOW}
    with pytest.raises(errors.StaleSeq, match="turn 2, not 1"):
        acts[verb](if_seq=1, **word)
    acts[verb](if_seq=2, **word)
    assert Movie.objects.get(pk=movie.pk).switch_seq == 3


def test_if_seq_may_be_that_of_a_movie_without_a_turn() -> None:
    movie = factory.movie(2)
    switching.edit(movie.pk, hidden=True, actor=EDITOR, comment="", at=NOW)
    with pytest.raises(errors.StaleSeq):
        switching.edit(movie.pk, hidden=False, actor=EDITOR, comment="", at=NOW, if_seq=0)


@pytest.mark.parametrize("verb", ["reconsider", "observe"])
def test_whoever_loses_every_race_gives_up_in_words(
    movie: Movie, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    switching.reconsider(movie.pk, at=NOW)
    factory.version(movie, "best", Quality.P2160)
    monkeypatch.setattr(turns, "_insert", lambda row: False)
    acts: dict[str, Callable[[], object]] = {
        "reconsider": lambda: switching.reconsider(movie.pk, at=NOW),
        "observe": lambda: switching.observe(higher().pk, columns={"url": "https://x.example/a"}, at=NOW),
    }
    with pytest.raises(errors.Contended, match="Try again later"):
        acts[verb]()
    assert Movie.objects.get(pk=movie.pk).switch_seq == 2


def test_a_turn_writes_all_that_stands_with_the_pointer(movie: Movie) -> None:
    """Whoever finishes it later, after an editor's word that it knows nothing of, changes none of that."""
    switching.edit(movie.pk, hidden=True, target_quality=Quality.P2160, actor=EDITOR, comment="", at=NOW)
    row = switching.reconsider(movie.pk, at=NOW + HOUR)
    assert row is not None
    after = {"hidden": True, "target_quality": Quality.P2160, "pinned": False, "removed_at": None}
    assert {name: row.effects["movie"][name] for name in after} == after
    assert set(row.effects["movie"]) == set(turns._POINTER)


def test_a_turn_that_moves_nothing_leaves_switched_at(movie: Movie) -> None:
    row = switching.edit(movie.pk, hidden=True, actor=EDITOR, comment="", at=NOW + HOUR)
    assert row is not None
    assert Movie.objects.get(pk=movie.pk).switched_at == NOW
    assert row.from_valid_until is None


def test_a_failover_from_a_suppressed_stream_promises_nothing_of_it(movie: Movie) -> None:
    switching.reconsider(movie.pk, at=NOW)
    row = switching.suppress(higher().pk, actor=EDITOR, comment="wrong film", at=NOW)
    assert row is not None
    assert (row.reason, row.from_valid_until) == ("failover", None)


@pytest.mark.parametrize(
    ("was", "becomes", "same"),
    [
        pytest.param({"edition": "Director's Cut"}, {"edition": "director's cut"}, True, id="the same cut"),
        pytest.param({"edition": "Director's Cut"}, {"edition": "Theatrical"}, False, id="another cut"),
        pytest.param({"edition": "Director's Cut"}, {"edition": ""}, True, id="an unknown cut"),
        pytest.param({"languages": ["en", "de"]}, {"languages": ["de"]}, True, id="a language in common"),
        pytest.param({"languages": ["en"]}, {"languages": ["de"]}, False, id="no language in common"),
        pytest.param({"languages": ["en"]}, {"languages": []}, True, id="unknown languages"),
    ],
)
def test_whether_it_is_the_same_edition(was: dict[str, Any], becomes: dict[str, Any], same: bool) -> None:
    movie = factory.movie()
    factory.version(movie, "a", Quality.P720, **was)
    switching.reconsider(movie.pk, at=NOW)
    factory.version(movie, "b", Quality.P1080, **becomes)
    row = switching.reconsider(movie.pk, at=NOW)
    assert row is not None
    assert row.same_edition is same


def test_a_rollback_goes_past_what_moved_nothing(movie: Movie) -> None:
    switching.reconsider(movie.pk, at=NOW)
    switching.edit(movie.pk, hidden=True, actor=EDITOR, comment="", at=NOW)
    assert switching.rollback(movie.pk, actor=EDITOR, comment="", at=NOW).undoes == 2


def test_the_decision_stays_with_the_turn(movie: Movie) -> None:
    row = switching.reconsider(movie.pk, at=NOW)
    assert row is not None
    assert (row.decision["action"], row.decision["chosen"]) == (Action.UPGRADE, str(higher().pk))
