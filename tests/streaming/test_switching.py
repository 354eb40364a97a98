"""The verbs of switching on a real database: what they write, refuse, and leave alone."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from core import conf
from streaming import errors, switching
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.quality import Quality
from streaming.switching import SYSTEM
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
State = StreamVersion.State


@pytest.fixture
def movie() -> Movie:
    return factory.movie()


def active(movie: Movie) -> uuid.UUID | None:
    return Movie.objects.get(pk=movie.pk).active_stream_id


def get(key: uuid.UUID) -> StreamVersion:
    return StreamVersion.objects.get(pk=key)


def log(movie: Movie) -> list[tuple[int, str]]:
    return [(row.seq, row.reason) for row in reversed(StreamSwitch.objects.of(movie.pk))]


def decide(movie: Movie, **how: Any) -> StreamSwitch | None:
    return switching.reconsider(movie.pk, **{"at": NOW, **how})


def break_stream(key: uuid.UUID) -> None:
    switching.observe(key, columns={"state": State.BROKEN}, at=NOW)


@pytest.fixture
def upgraded(movie: Movie) -> tuple[uuid.UUID, uuid.UUID]:
    """A movie that went from 720p to 1080p."""
    lower = factory.version(movie, "lower", Quality.P720)
    decide(movie)
    higher = factory.version(movie, "higher", Quality.P1080)
    decide(movie)
    return lower, higher


def test_the_first_stream_becomes_active_and_the_log_says_why(movie: Movie) -> None:
    key = factory.version(movie, "a", Quality.P1080)
    row = decide(movie)
    assert row is not None
    assert (row.pk, row.reason, row.from_version, row.to_version) == (f"{movie.pk}:1", "first", None, key)
    assert row.decision["verdicts"][0]["reasons"][0] == "chosen"
    now = Movie.objects.get(pk=movie.pk)
    assert (now.active_stream_id, now.active_quality, now.switch_seq, now.switched_at) == (
        key,
        Quality.P1080,
        1,
        NOW,
    )
    assert get(key).switch_seq == 1


def test_nothing_to_change_writes_nothing(movie: Movie) -> None:
    factory.version(movie, "a")
    decide(movie)
    assert decide(movie) is None
    assert log(movie) == [(1, "first")]


def test_an_upgrade_retires_the_old_stream_and_names_its_successor(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    lower, higher = upgraded
    assert active(movie) == higher
    assert (get(lower).retired_at, get(lower).replaced_by, get(lower).switch_seq) == (NOW, higher, 2)
    assert (get(higher).retired_at, get(higher).on_trial) == (None, True)
    row = StreamSwitch.objects.get(pk=f"{movie.pk}:2")
    assert row.before is not None
    assert row.after is not None
    assert (row.before["quality"], row.after["quality"]) == ("720p", "1080p")
    assert row.from_valid_until == NOW + 24 * HOUR


def test_a_failover_clears_the_pin_and_promises_nothing_of_the_dead_stream(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    lower, higher = upgraded
    switching.edit(movie.pk, pinned=True, actor=EDITOR, comment="keep it", at=NOW)
    break_stream(higher)
    row = decide(movie)
    assert row is not None
    assert (row.reason, row.to_version, row.from_valid_until) == ("failover", lower, None)
    assert Movie.objects.get(pk=movie.pk).pinned is False


def test_with_nothing_left_the_stream_is_withdrawn_and_comes_back_as_first(movie: Movie) -> None:
    key = factory.version(movie, "a")
    decide(movie)
    break_stream(key)
    decide(movie)
    assert active(movie) is None
    switching.observe(key, columns={"state": State.HEALTHY}, at=NOW)
    decide(movie)
    assert log(movie) == [(1, "first"), (2, "withdrawn"), (3, "first")]


def test_a_rollback_returns_suppresses_and_is_not_undone_by_the_next_decision(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    lower, higher = upgraded
    row = switching.rollback(movie.pk, actor=EDITOR, comment="Out of sync", at=NOW)
    assert (row.reason, row.undoes, row.to_version, row.actor_name) == ("rollback", 2, lower, "ada")
    assert get(higher).suppressed_at == NOW
    assert get(higher).suppressed_until is None
    assert get(higher).suppressed_why == "Out of sync"
    assert decide(movie) is None
    assert active(movie) == lower


def test_a_suppression_with_an_end_ends(movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]) -> None:
    switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW, suppress="until", until=NOW + HOUR)
    assert decide(movie, at=NOW + HOUR / 2) is None
    row = decide(movie, at=NOW + HOUR)
    assert row is not None
    assert row.to_version == upgraded[1]
    assert get(upgraded[1]).suppressed_at is None


def test_a_rollback_without_suppression_is_only_as_good_as_the_next_decision(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW, suppress="none")
    row = decide(movie)
    assert row is not None
    assert (row.reason, row.to_version) == ("upgrade", upgraded[1])


def test_rolling_back_again_goes_one_change_further_back(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    lower, higher = upgraded
    best = factory.version(movie, "best", Quality.P2160)
    decide(movie)
    assert switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW).undoes == 3
    assert active(movie) == higher
    assert switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW).undoes == 2
    assert active(movie) == lower
    assert get(best).suppressed_at == NOW
    with pytest.raises(errors.NothingToUndo):
        switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW)


@pytest.mark.parametrize(
    ("suppress", "until"),
    [("until", None), ("forever", NOW + HOUR), ("none", NOW + HOUR), ("until", NOW), ("sometimes", None)],
)
def test_a_suppression_that_makes_no_sense_is_refused(
    movie: Movie, upgraded: object, suppress: str, until: Any
) -> None:
    with pytest.raises(ValueError, match=r"until|sometimes"):
        switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW, suppress=suppress, until=until)
    assert len(log(movie)) == 2


def test_past_its_grace_a_stream_is_not_returned_to(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    assert switching.rollback_target(movie.pk, at=NOW + 24 * HOUR).version.pk == upgraded[0]
    with pytest.raises(errors.PastGrace, match="24 hours"):
        switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW + 25 * HOUR)
    assert active(movie) == upgraded[1]


def test_a_broken_stream_is_neither_returned_to_nor_activated(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    break_stream(upgraded[0])
    with pytest.raises(errors.NotPlayable) as rolled:
        switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW)
    with pytest.raises(errors.NotPlayable) as activated:
        switching.activate(movie.pk, upgraded[0], actor=EDITOR, comment="x", at=NOW)
    assert rolled.value.reasons == activated.value.reasons == ("broken",)
    assert len(log(movie)) == 2


def test_an_editor_may_choose_what_the_policy_would_not(movie: Movie) -> None:
    factory.version(movie, "high", Quality.P2160)
    low = factory.version(movie, "low", Quality.SD)
    decide(movie)
    row = switching.activate(movie.pk, low, actor=EDITOR, comment="the director's wish", at=NOW, pin=True)
    assert row is not None
    assert (row.reason, row.comment) == ("manual", "the director's wish")
    assert decide(movie) is None
    assert Movie.objects.get(pk=movie.pk).pinned


def test_activating_what_is_active_changes_nothing(movie: Movie) -> None:
    key = factory.version(movie, "a")
    decide(movie)
    assert switching.activate(movie.pk, key, actor=EDITOR, comment="x", at=NOW) is None


def test_a_stale_turn_is_refused(movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]) -> None:
    with pytest.raises(errors.StaleSeq):
        switching.activate(movie.pk, upgraded[0], actor=EDITOR, comment="x", at=NOW, if_seq=1)
    assert switching.activate(movie.pk, upgraded[0], actor=EDITOR, comment="x", at=NOW, if_seq=2)


def test_a_version_of_another_movie_is_unknown(movie: Movie) -> None:
    other = factory.version(factory.movie(2), "a")
    with pytest.raises(errors.UnknownVersion):
        switching.activate(movie.pk, other, actor=EDITOR, comment="x", at=NOW)
    with pytest.raises(errors.UnknownMovie):
        switching.reconsider(404, at=NOW)


def test_suppressing_the_active_stream_leaves_it_in_the_same_turn(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    row = switching.suppress(upgraded[1], actor=EDITOR, comment="wrong film", at=NOW)
    assert row is not None
    assert (row.seq, row.reason, row.to_version) == (3, "failover", upgraded[0])
    switching.unsuppress(upgraded[1], actor=EDITOR, comment="it was right", at=NOW)
    decide(movie)
    assert log(movie)[2:] == [(3, "failover"), (4, "revised"), (5, "upgrade")]


def test_a_failed_canary_is_suppressed_for_an_hour_then_two(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    lower, higher = upgraded
    row = switching.fail_canary(higher, at=NOW)
    assert row is not None
    assert (row.reason, row.to_version) == ("failover", lower)
    assert get(higher).suppressed_until == NOW + HOUR
    decide(movie, at=NOW + HOUR)
    assert active(movie) == higher
    switching.fail_canary(higher, at=NOW + HOUR)
    assert get(higher).suppressed_until == NOW + 3 * HOUR
    switching.pass_canary(lower)
    assert get(lower).on_trial is False


def test_what_the_public_sees_of_the_active_stream_changes_by_a_turn(movie: Movie) -> None:
    key = factory.version(movie, "a", Quality.P2160)
    decide(movie)
    switching.observe(key, columns={"verified_quality": Quality.P1080, "width": 1920}, at=NOW)
    row = StreamSwitch.objects.get(pk=f"{movie.pk}:2")
    assert row.after is not None
    assert (row.reason, row.moves_pointer, row.after["quality"]) == ("revised", False, "1080p")
    assert Movie.objects.get(pk=movie.pk).active_quality == Quality.P1080
    assert get(key).width == 1920


def test_what_the_public_does_not_see_changes_without_a_turn(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    lower, higher = upgraded
    switching.observe(higher, columns={"last_seen": NOW + HOUR, "evidence": "fine"}, at=NOW)
    switching.observe(lower, columns={"url": "https://elsewhere.example/a.m3u8"}, at=NOW)
    assert len(log(movie)) == 2
    assert get(lower).url == "https://elsewhere.example/a.m3u8"


def test_a_moment_finer_than_the_log_keeps_is_announced_once(movie: Movie) -> None:
    key = factory.version(movie, "a")
    decide(movie)
    finely = {"rights_until": NOW + HOUR + timedelta(microseconds=123456)}
    for _ in range(2):
        switching.observe(key, columns=finely, at=NOW)
    assert log(movie) == [(1, "first"), (2, "revised")]


def test_a_withdrawn_movie_keeps_its_history_and_its_count(movie: Movie) -> None:
    factory.version(movie, "a")
    decide(movie)
    switching.withdraw(movie.pk, actor=EDITOR, comment="licence dispute", at=NOW)
    assert decide(movie) is None
    assert not Movie.objects.published().exists()
    with pytest.raises(errors.Withdrawn):
        switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW)
    switching.restore(movie.pk, actor=EDITOR, comment="settled", at=NOW)
    decide(movie)
    assert log(movie) == [(1, "first"), (2, "withdrawn"), (3, "revised"), (4, "first")]


def test_a_target_of_its_own_ends_the_search_of_one_movie(movie: Movie) -> None:
    factory.version(movie, "a", Quality.P720)
    switching.edit(movie.pk, target_quality=Quality.P720, actor=EDITOR, comment="enough", at=NOW)
    decide(movie)
    factory.version(movie, "b", Quality.P2160)
    assert decide(movie) is None
    switching.edit(movie.pk, target_quality=None, actor=EDITOR, comment="as all others", at=NOW)
    assert decide(movie) is not None


def test_enforced_settings_remove_a_healthy_stream_and_plain_ones_do_not(movie: Movie) -> None:
    factory.version(movie, "a", Quality.P720)
    decide(movie)
    conf.change("MIN_QUALITY_TO_PUBLISH", "1080p", by="op", at=NOW)
    assert decide(movie) is None
    row = switching.reconsider(movie.pk, at=NOW, enforce=True)
    assert row is not None
    assert row.reason == "withdrawn"


def test_a_suppression_that_has_ended_already_is_refused(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    for key in upgraded:
        with pytest.raises(ValueError, match="ahead"):
            switching.suppress(key, actor=EDITOR, comment="x", at=NOW, until=NOW)
    assert len(log(movie)) == 2


@pytest.mark.parametrize("end", ["rights_until", "url_expires_at"])
def test_the_old_stream_is_promised_for_no_longer_than_it_may_be_played(movie: Movie, end: str) -> None:
    factory.version(movie, "lower", Quality.P720, **{end: NOW + 25 * HOUR})
    decide(movie)
    factory.version(movie, "higher", Quality.P1080)
    row = decide(movie, at=NOW + 23 * HOUR)
    assert row is not None
    assert row.from_valid_until == NOW + 25 * HOUR


def test_nothing_is_promised_of_a_dead_stream_that_an_editor_leaves(
    movie: Movie, upgraded: tuple[uuid.UUID, uuid.UUID]
) -> None:
    break_stream(upgraded[1])
    row = switching.rollback(movie.pk, actor=EDITOR, comment="x", at=NOW)
    assert row.from_valid_until is None


def test_a_provider_switched_off_is_left(movie: Movie) -> None:
    other = factory.provider("other")
    factory.version(movie, "a", Quality.P2160)
    spare = factory.version(movie, "b", Quality.P720, provider=other)
    decide(movie)
    factory.provider().__class__.objects.filter(pk="library").update(enabled=False)
    row = decide(movie)
    assert row is not None
    assert (row.reason, row.to_version) == ("failover", spare)


def test_the_actor_of_a_decision_is_marquee(movie: Movie) -> None:
    factory.version(movie, "a")
    row = decide(movie)
    assert row is not None
    assert (row.actor_id, row.actor_name) == SYSTEM
