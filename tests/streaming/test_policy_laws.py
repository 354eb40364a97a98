"""The laws of the policy, for whatever candidates there may be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streaming.policy import decide, is_suppressed, unplayable
from streaming.policy_types import Action, Candidate, Health, Reason, Rules
from streaming.quality import Quality

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
moments = st.none() | st.integers(-50, 50).map(lambda hours: NOW + timedelta(hours=hours))
qualities = st.none() | st.sampled_from(Quality)
territories = st.lists(st.sampled_from(["DE", "US"]), unique=True).map(tuple)


@st.composite
def movies(draw: st.DrawFn) -> tuple[str | None, list[Candidate], Rules]:
    """A current stream (or none), up to six candidates, and rules."""
    count = draw(st.integers(0, 6))
    candidates = [
        Candidate(
            key=f"v{number}",
            claimed=draw(qualities),
            verified=draw(qualities),
            measurable=draw(st.booleans()),
            health=draw(st.sampled_from([Health.HEALTHY, Health.HEALTHY, *Health])),
            suppressed=draw(st.sampled_from([False, False, True])),
            suppressed_until=draw(moments),
            rights_from=draw(moments),
            rights_until=draw(moments),
            territories=draw(territories),
            url_expires_at=draw(moments),
            expired=draw(st.sampled_from([False, False, True])),
            provider_enabled=draw(st.sampled_from([True, True, False])),
            provider_down=draw(st.sampled_from([False, False, True])),
            unproven=draw(st.sampled_from([False, False, True])),
            trust_claims=draw(st.booleans()),
            reliability=draw(st.sampled_from([0.2, 0.9, 1.0])),
            priority=draw(st.integers(0, 2)),
            first_seen=draw(moments.filter(bool)),
        )
        for number in range(count)
    ]
    rules = Rules(
        target=draw(st.sampled_from(Quality)),
        minimum=draw(st.sampled_from(Quality)),
        allow_lower=draw(st.booleans()),
        territory=draw(st.sampled_from(["", "DE"])),
        pinned=draw(st.booleans()),
        enforce=draw(st.booleans()),
    )
    return (
        draw(st.none() | st.sampled_from([c.key for c in candidates])) if candidates else None,
        candidates,
        rules,
    )


@given(movies())
def test_it_never_takes_an_ineligible_one(movie: tuple[str | None, list[Candidate], Rules]) -> None:
    current, candidates, rules = movie
    decision = decide(current, candidates, rules, NOW)
    if decision.chosen != current and decision.chosen is not None:
        taken = next(v for v in decision.verdicts if v.key == decision.chosen)
        assert taken.eligible
        chosen = next(c for c in candidates if c.key == decision.chosen)
        assert not list(unplayable(chosen, NOW))
        assert not is_suppressed(chosen, NOW)


@given(movies())
def test_it_goes_down_only_by_failover(movie: tuple[str | None, list[Candidate], Rules]) -> None:
    current, candidates, rules = movie
    decision = decide(current, candidates, rules, NOW)
    if current is None or decision.action in {Action.FAILOVER, Action.WITHDRAW}:
        return
    quality = {c.key: c.quality for c in candidates}
    assert decision.chosen is not None
    if decision.chosen != current:
        assert decision.action is Action.UPGRADE
        before, after = quality[current], quality[decision.chosen]
        assert after is not None
        assert before is None or after > before


@given(movies(), st.randoms())
def test_the_order_of_input_does_not_matter(
    movie: tuple[str | None, list[Candidate], Rules], random: object
) -> None:
    current, candidates, rules = movie
    shuffled = list(candidates)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(current, shuffled, rules, NOW) == decide(current, candidates, rules, NOW)


@given(movies())
def test_deciding_twice_changes_nothing(movie: tuple[str | None, list[Candidate], Rules]) -> None:
    current, candidates, rules = movie
    first = decide(current, candidates, rules, NOW)
    settled = replace(rules, pinned=rules.pinned and not first.clears_pin)
    second = decide(first.chosen, candidates, settled, NOW)
    assert second.action is Action.KEEP
    assert second.chosen == first.chosen


@given(movies())
def test_every_candidate_gets_a_verdict_with_reasons(
    movie: tuple[str | None, list[Candidate], Rules],
) -> None:
    current, candidates, rules = movie
    decision = decide(current, candidates, rules, NOW)
    assert sorted(v.key for v in decision.verdicts) == sorted(c.key for c in candidates)
    assert all(verdict.reasons for verdict in decision.verdicts)
    assert [v.key for v in decision.verdicts if Reason.CURRENT in v.reasons] == ([current] if current else [])


@given(movies())
def test_a_healthy_stream_survives_any_change_of_settings(
    movie: tuple[str | None, list[Candidate], Rules],
) -> None:
    current, candidates, rules = movie
    healthy = [
        replace(
            c,
            health=Health.HEALTHY,
            suppressed=False,
            rights_from=None,
            rights_until=None,
            provider_enabled=True,
        )
        if c.key == current
        else c
        for c in candidates
    ]
    decision = decide(current, healthy, replace(rules, enforce=False), NOW)
    assert decision.action not in {Action.FAILOVER, Action.WITHDRAW}
