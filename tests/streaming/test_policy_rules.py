"""Corners of the policy that its table leaves to be checked one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from streaming.policy import decide
from streaming.policy_types import Action, Candidate, Decision, Health, Reason, Rules
from streaming.quality import Quality

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def video(key: str, quality: Quality | None, **facts: Any) -> Candidate:
    return Candidate(key=key, verified=quality, first_seen=NOW, **facts)


def embed(key: str, claimed: Quality | None, **facts: Any) -> Candidate:
    return Candidate(key=key, claimed=claimed, measurable=False, first_seen=NOW, **facts)


def done(current: str | None, *candidates: Candidate, **rules: Any) -> tuple[Action, str | None]:
    decision = decide(current, candidates, Rules(**rules), NOW)
    return decision.action, decision.chosen


def reasons(decision: Decision, key: str) -> tuple[Reason, ...]:
    return next(verdict.reasons for verdict in decision.verdicts if verdict.key == key)


def test_without_a_territory_any_licence_will_do() -> None:
    assert done(None, video("a", Quality.P1080, territories=("US",))) == (Action.FIRST, "a")


def test_a_current_stream_whose_rights_begin_later_is_left() -> None:
    later = video("a", Quality.P1080, rights_from=NOW + HOUR)
    assert done("a", later, video("b", Quality.P720)) == (Action.FAILOVER, "b")


def test_a_current_stream_marked_for_pruning_stays() -> None:
    marked = video("a", Quality.P1080, expired=True)
    assert done("a", marked, video("b", Quality.P1080)) == (Action.KEEP, "a")


def test_an_operator_may_apply_a_changed_territory() -> None:
    abroad = video("a", Quality.P1080, territories=("US",))
    assert done("a", abroad, video("b", Quality.P720), territory="DE", enforce=True) == (
        Action.FAILOVER,
        "b",
    )


def test_below_its_target_a_stream_is_not_replaced_by_a_lower_one() -> None:
    assert done("a", video("a", Quality.P1080), video("b", Quality.P720)) == (Action.KEEP, "a")


def test_any_known_quality_is_better_than_an_unknown_one() -> None:
    assert done("a", embed("a", None), video("b", Quality.P720)) == (Action.UPGRADE, "b")


def test_a_better_claim_replaces_a_claim() -> None:
    assert done("a", embed("a", Quality.P720), embed("b", Quality.P1080)) == (Action.UPGRADE, "b")


def test_a_trusted_claim_does_not_give_way_to_a_mere_one() -> None:
    trusted = embed("a", Quality.P720, trust_claims=True)
    assert done("a", trusted, embed("b", Quality.P1080)) == (Action.KEEP, "a")


def test_a_failover_takes_the_best_there_is() -> None:
    broken = video("a", Quality.P2160, health=Health.BROKEN)
    lower, higher = video("b", Quality.P720), video("c", Quality.P1080)
    assert done("a", broken, lower, higher) == (Action.FAILOVER, "c")


def test_what_was_measured_is_said_to_be() -> None:
    decision = decide(None, [video("a", Quality.P1080), embed("b", Quality.P1080)], Rules(), NOW)
    assert Reason.VERIFIED in reasons(decision, "a")
    assert Reason.VERIFIED not in reasons(decision, "b")


def test_a_licence_for_our_territory_will_do() -> None:
    ours = video("a", Quality.P1080, territories=("US", "DE"))
    assert done(None, ours, territory="DE") == (Action.FIRST, "a")


def test_rights_that_end_later_have_not_lapsed() -> None:
    assert done(None, video("a", Quality.P1080, rights_until=NOW + HOUR)) == (Action.FIRST, "a")


def test_an_operator_who_applies_the_settings_removes_nothing_that_they_allow() -> None:
    fine = video("a", Quality.P1080)
    assert done("a", fine, video("b", Quality.P1080), enforce=True) == (Action.KEEP, "a")


def test_an_unknown_quality_is_no_better_than_anything() -> None:
    decision = decide("a", [embed("a", None), embed("b", None)], Rules(), NOW)
    assert (decision.action, Reason.BETTER in reasons(decision, "b")) == (Action.KEEP, False)


def test_what_was_not_measured_is_not_said_to_be() -> None:
    new = video("a", None, claimed=Quality.P1080, health=Health.UNVERIFIED)
    page = embed("b", Quality.P1080, verified=Quality.P1080)
    decision = decide(None, [new, page], Rules(), NOW)
    assert Reason.VERIFIED not in {*reasons(decision, "a"), *reasons(decision, "b")}


def test_each_candidate_is_told_what_holds_of_it_and_nothing_else() -> None:
    candidates = [
        video("current", Quality.P720),
        video("chosen", Quality.P1440),
        video("broken", Quality.P1440, health=Health.BROKEN),
        video("good", Quality.P1080),
        video("equal", Quality.P720, priority=200),
    ]
    decision = decide("current", candidates, Rules(), NOW)
    assert {verdict.key: (verdict.eligible, *verdict.reasons) for verdict in decision.verdicts} == {
        "chosen": (True, Reason.CHOSEN, Reason.VERIFIED, Reason.BETTER),
        "broken": (False, Reason.VERIFIED, Reason.BETTER, Reason.BROKEN),
        "good": (True, Reason.VERIFIED, Reason.BETTER, Reason.OUTRANKED),
        "current": (True, Reason.CURRENT, Reason.VERIFIED),
        "equal": (True, Reason.VERIFIED, Reason.NOT_BETTER),
    }


def test_whoever_is_passed_over_in_a_failover_was_outranked_and_no_more() -> None:
    broken = video("a", Quality.P2160, health=Health.BROKEN)
    decision = decide("a", [broken, video("b", Quality.P1080), video("c", Quality.P720)], Rules(), NOW)
    assert reasons(decision, "c") == (Reason.VERIFIED, Reason.OUTRANKED)


def test_a_decision_is_stored_in_words() -> None:
    decision = decide(None, [video("a", Quality.P1080), embed("b", None)], Rules(), NOW)
    assert decision.as_json() == {
        "action": "first",
        "chosen": "a",
        "verdicts": [
            {"version": "a", "eligible": True, "quality": "1080p", "reasons": ["chosen", "verified"]},
            {"version": "b", "eligible": False, "quality": None, "reasons": ["quality_unknown"]},
        ],
    }
