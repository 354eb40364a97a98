"""What one turn changes, rule by rule; and that the policy is told every setting and every fact."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from core import conf
from providers.types import ProbeOutcome
from streaming import errors, standing, switching, turns
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.policy_types import Action, Candidate, Health, Rules
from streaming.quality import Quality
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def movie() -> Movie:
    """A movie that went from 720p to 1080p."""
    movie = factory.movie()
    factory.version(movie, "lower", Quality.P720)
    switching.reconsider(movie.pk, at=NOW)
    factory.version(movie, "higher", Quality.P1080)
    switching.reconsider(movie.pk, at=NOW)
    return movie


def get(ref: str) -> StreamVersion:
    return StreamVersion.objects.get(ref=ref)


def now(movie: Movie) -> Movie:
    return Movie.objects.get(pk=movie.pk)


def word(**more: Any) -> dict[str, Any]:
    """An editor's word: who, why, when."""
    return {"actor": EDITOR, "comment": "because", "at": NOW, **more}


# Moves


def test_the_decision_kept_is_the_one_that_was_followed(movie: Movie) -> None:
    """On a suppression: the policy's word on the versions as they will be, not as they were."""
    row = switching.suppress(get("higher").pk, **word())
    assert row is not None
    said = {verdict["version"]: verdict["reasons"] for verdict in row.decision["verdicts"]}
    assert "suppressed" in said[str(get("higher").pk)]
    assert row.decision["action"] == Action.FAILOVER


def test_what_is_left_is_on_trial_no_more(movie: Movie) -> None:
    assert (get("lower").on_trial, get("higher").on_trial) == (False, True)


def test_what_is_taken_again_forgets_that_it_was_left(movie: Movie) -> None:
    switching.rollback(movie.pk, **word())
    assert (get("lower").retired_at, get("lower").replaced_by) == (None, None)


@pytest.mark.parametrize("by", ["the policy", "a failed trial", "an editor"])
@pytest.mark.parametrize("spares", [0, 1])
def test_a_movie_that_loses_its_stream_is_searched_for_as_if_it_were_new(by: str, spares: int) -> None:
    """In the same turn: nobody can die between the two."""
    waiting = {"refresh_at": NOW + timedelta(days=30), "fruitless_searches": 4}
    movie = factory.movie(1, **waiting)
    key = factory.version(movie, "playing", Quality.P2160)
    for number in range(spares):
        factory.version(movie, f"spare-{number}", Quality.P720)
    switching.reconsider(1, at=NOW)
    movie.refresh_from_db()
    assert (movie.next_check_at, movie.fruitless_searches) == (None, 4), "a first stream is no loss"
    match by:
        case "the policy":
            StreamVersion.objects.filter(pk=key).update(state="broken")
            switching.reconsider(1, at=NOW)
        case "a failed trial":
            switching.fail_canary(key, at=NOW)
        case "an editor":
            switching.suppress(key, actor=EDITOR, comment="", at=NOW)
    movie.refresh_from_db()
    assert (movie.active_stream_id is None) is (spares == 0)
    assert (movie.next_check_at, movie.refresh_at, movie.fruitless_searches) == (NOW, None, 0)


def test_what_is_taken_is_probed_a_minute_later(movie: Movie) -> None:
    assert get("higher").next_check_at == NOW + MINUTE


# Editors


def test_a_withdrawn_movie_has_to_be_restored_before_a_stream_is_chosen(movie: Movie) -> None:
    switching.withdraw(movie.pk, **word())
    with pytest.raises(errors.Withdrawn, match="Restore it first"):
        switching.activate(movie.pk, get("lower").pk, **word())
    assert now(movie).active_stream_id is None


def test_an_editor_who_chooses_another_stream_may_suppress_the_current_one(movie: Movie) -> None:
    switching.activate(movie.pk, get("lower").pk, suppress_current=True, **word())
    assert get("higher").suppressed_at == NOW
    assert get("higher").suppressed_until is None


def test_an_editor_may_choose_where_nothing_is_active() -> None:
    """Below MIN, so that the policy chooses nothing."""
    movie = factory.movie()
    key = factory.version(movie, "small", Quality.SD)
    row = switching.activate(movie.pk, key, **word())
    assert row is not None
    assert (row.reason, row.from_version, now(movie).active_stream_id) == ("manual", None, key)


def test_choosing_what_is_active_may_pin_it(movie: Movie) -> None:
    row = switching.activate(movie.pk, get("higher").pk, pin=True, **word())
    assert row is not None
    assert (row.reason, row.moves_pointer, now(movie).pinned) == ("revised", False, True)


def test_an_edit_that_changes_nothing_is_no_turn(movie: Movie) -> None:
    assert switching.edit(movie.pk, hidden=False, pinned=False, target_quality=None, **word()) is None
    assert now(movie).switch_seq == 2


def test_withdrawing_and_restoring_twice_is_once(movie: Movie) -> None:
    assert switching.restore(movie.pk, **word()) is None
    assert switching.withdraw(movie.pk, **word()) is not None
    assert switching.withdraw(movie.pk, **word()) is None
    assert switching.restore(movie.pk, **word()) is not None
    assert switching.restore(movie.pk, **word()) is None
    assert now(movie).switch_seq == 4


def test_a_withdrawal_takes_stream_and_pin(movie: Movie) -> None:
    switching.edit(movie.pk, pinned=True, **word())
    row = switching.withdraw(movie.pk, **word())
    assert row is not None
    assert (row.reason, row.to_version, row.from_valid_until) == ("withdrawn", None, None)
    after = now(movie)
    assert (after.active_stream_id, after.active_quality, after.pinned) == (None, None, False)
    assert after.removed_at == NOW


def test_a_movie_that_is_withdrawn_is_due_no_more(movie: Movie) -> None:
    Movie.objects.update(next_check_at=NOW, refresh_at=NOW)
    switching.withdraw(movie.pk, **word())
    assert (now(movie).next_check_at, now(movie).refresh_at) == (None, None)


def test_another_target_has_the_movie_searched_for_as_if_it_were_new(movie: Movie) -> None:
    Movie.objects.update(next_check_at=None, refresh_at=NOW + 9 * HOUR, fruitless_searches=3)
    switching.edit(movie.pk, pinned=True, **word())
    assert now(movie).next_check_at is None
    switching.edit(movie.pk, target_quality=Quality.P2160, **word())
    after = now(movie)
    assert (after.next_check_at, after.refresh_at, after.fruitless_searches) == (NOW, None, 0)


def test_releasing_what_is_not_suppressed_is_no_turn(movie: Movie) -> None:
    assert switching.unsuppress(get("lower").pk, **word()) is None


def test_a_long_reason_fits_its_column(movie: Movie) -> None:
    switching.suppress(get("lower").pk, actor=EDITOR, comment="x" * 500, at=NOW)
    assert get("lower").suppressed_why == "x" * 300


def test_a_suppressed_spare_is_a_turn_that_moves_nothing(movie: Movie) -> None:
    row = switching.suppress(get("lower").pk, until=NOW + HOUR, **word())
    assert row is not None
    assert (row.reason, row.moves_pointer) == ("revised", False)
    assert get("lower").suppressed_until == NOW + HOUR


# Rollback


def test_a_stream_that_was_pruned_is_past_its_grace(movie: Movie) -> None:
    StreamVersion.objects.filter(ref="lower").delete()
    with pytest.raises(errors.PastGrace):
        switching.rollback(movie.pk, **word())


def test_a_movie_that_was_never_switched_has_nothing_to_roll_back() -> None:
    movie = factory.movie()
    with pytest.raises(errors.NothingToUndo, match="no switch that is left"):
        switching.rollback(movie.pk, **word())


def test_a_rollback_may_pin(movie: Movie) -> None:
    switching.rollback(movie.pk, pin=True, suppress="none", **word())
    assert now(movie).pinned


# Canaries


def test_a_canary_that_fails_for_years_has_an_end_that_a_date_can_say(movie: Movie) -> None:
    StreamVersion.objects.filter(ref="higher").update(canary_failures=1000)
    switching.fail_canary(get("higher").pk, at=NOW)
    assert get("higher").suppressed_until == NOW + 2**16 * HOUR
    assert get("higher").canary_failures == 1001


def test_a_stream_that_was_left_fails_no_canary(movie: Movie) -> None:
    assert switching.fail_canary(get("lower").pk, at=NOW) is None
    assert get("lower").suppressed_at is None


def test_what_is_on_no_trial_passes_none(movie: Movie) -> None:
    StreamVersion.objects.filter(ref="lower").update(canary_failures=2)
    switching.pass_canary(get("lower").pk)
    assert get("lower").canary_failures == 2


# What the policy is told


def test_what_would_be_changes_nothing_that_is(movie: Movie) -> None:
    version = get("lower")
    changed = standing.with_columns(version, {"url": "https://elsewhere.example/a.m3u8"})
    assert changed.url != version.url == get("lower").url


SETTINGS: list[tuple[str, str, dict[str, Any], str, object]] = [
    ("TARGET_QUALITY", "720p", {}, "target", Quality.P720),
    ("MIN_QUALITY_TO_PUBLISH", "1080p", {}, "minimum", Quality.P1080),
    ("ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", "false", {}, "allow_lower", False),
    ("TERRITORY", "DE", {}, "territory", "DE"),
    ("a movie's own target", "", {"target_quality": Quality.P1440}, "target", Quality.P1440),
    ("a pin", "", {"pinned": True}, "pinned", True),
]


@pytest.mark.parametrize(
    ("name", "value", "edit", "rule", "expected"), SETTINGS, ids=[row[0] for row in SETTINGS]
)
def test_each_setting_reaches_the_policy(
    name: str, value: str, edit: dict[str, Any], rule: str, expected: object
) -> None:
    movie = factory.movie()
    assert getattr(turns.read(movie.pk, at=NOW).rules(), rule) != expected
    if edit:
        switching.edit(movie.pk, **edit, **word())
    else:
        conf.change(name, value, by="op", at=NOW)
    assert getattr(turns.read(movie.pk, at=NOW).rules(), rule) == expected


def test_without_a_word_the_rules_are_the_defaults() -> None:
    assert turns.read(factory.movie().pk, at=NOW).rules() == Rules()


FACTS: list[tuple[str, dict[str, Any], object]] = [
    ("claimed", {"claimed_quality": Quality.P1440}, Quality.P1440),
    ("verified", {"verified_quality": Quality.P1440}, Quality.P1440),
    ("measurable", {"delivery": "embed"}, False),
    ("health", {"state": "suspect"}, Health.SUSPECT),
    ("suppressed", {"suppressed_at": NOW}, True),
    ("suppressed_until", {"suppressed_until": NOW}, NOW),
    ("rights_from", {"rights_from": NOW}, NOW),
    ("rights_until", {"rights_until": NOW}, NOW),
    ("territories", {"territories": ["DE", "AT"]}, ("DE", "AT")),
    ("url_expires_at", {"url_expires_at": NOW}, NOW),
    ("expired", {"expired_at": NOW}, True),
    ("provider_enabled", {"provider": {"enabled": False}}, False),
    ("provider_down", {"last_outcome": ProbeOutcome.PROVIDER_DOWN.value}, True),
    ("unproven", {"last_outcome": ProbeOutcome.INCONCLUSIVE.value}, True),
    ("trust_claims", {"provider": {"trust_claims": True}}, True),
    ("reliability", {"provider": {"honesty": 0.5}}, 0.5),
    ("priority", {"provider": {"priority": 7}}, 7),
    ("first_seen", {"first_seen": NOW - HOUR}, NOW - HOUR),
]


def told(**facts: Any) -> Candidate:
    """A version with these facts, as the policy sees it once it has been read."""
    of_provider = facts.pop("provider", {})
    source = factory.provider(f"p{uuid.uuid4().hex[:8]}", **of_provider)
    movie = Movie.objects.first() or factory.movie()
    key = factory.version(movie, source.pk, provider=source, **facts)
    return standing.candidate(turns.read(movie.pk, at=NOW).versions[key])


@pytest.mark.parametrize(("fact", "columns", "expected"), FACTS, ids=[row[0] for row in FACTS])
def test_each_fact_reaches_the_policy(fact: str, columns: dict[str, Any], expected: object) -> None:
    assert getattr(told(), fact) != expected
    assert getattr(told(**columns), fact) == expected


def test_a_throttled_probe_proves_as_little_as_an_inconclusive_one() -> None:
    assert told(last_outcome=ProbeOutcome.THROTTLED.value).unproven
    assert not told(last_outcome=ProbeOutcome.OK.value).unproven


def test_every_fact_is_in_the_table() -> None:
    fields = set(Candidate.__dataclass_fields__) - {"key"}
    assert {row[0] for row in FACTS} == fields


def test_a_switch_row_names_its_turn() -> None:
    assert str(StreamSwitch(id="7:3", reason="upgrade")) == "7:3 upgrade"
