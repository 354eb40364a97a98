"""Which of the streams that are due come first, and that none waits for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.risk import RELIABLE, Risk, Why, share

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)

risks = st.builds(
    Risk,
    key=st.uuids(),
    active=st.booleans(),
    watched=st.booleans(),
    doubted=st.booleans(),
    switched=st.booleans(),
    reliability=st.integers(0, 10).map(lambda tenths: tenths / 10),
    popularity=st.sampled_from([0.0, 1.5, 80.0]),
    due_at=st.integers(0, 48).map(lambda hours: AT - timedelta(hours=hours)),
)


def riskiest(*found: Risk) -> list[Risk]:
    return sorted(found, key=lambda risk: risk.rank)


@given(st.lists(risks, unique_by=lambda risk: risk.key), st.randoms())
def test_the_order_is_total_whatever_order_they_are_read_in(found: list[Risk], random: st.Random) -> None:
    shuffled = random.sample(found, len(found))
    assert riskiest(*shuffled) == riskiest(*found)
    assert len({risk.rank for risk in found}) == len(found)


@pytest.mark.parametrize("what", ["active", "watched", "doubted", "switched"])
@given(risk=risks, key=st.uuids())
def test_what_has_a_reason_comes_before_its_like_without(what: str, risk: Risk, key: object) -> None:
    without, having = replace(risk, **{what: False}), replace(risk, **{what: True, "key": key})
    assert riskiest(without, having) == [having, without]


@given(risks, risks)
def test_no_lesser_reason_outweighs_a_greater_one(one: Risk, other: Risk) -> None:
    watched = replace(one, active=True, watched=True)
    assert riskiest(replace(other, watched=False), watched)[0] == watched
    doubted = replace(one, active=True, watched=False, doubted=True)
    assert riskiest(replace(other, watched=False, doubted=False), doubted)[0] == doubted


@given(risks, st.uuids())
def test_the_less_reliable_provider_then_the_more_popular_movie_then_the_longest_overdue(
    risk: Risk, key: object
) -> None:
    calm = replace(risk, reliability=0.9, popularity=2.0, due_at=AT)
    for worse in (
        replace(calm, key=key, reliability=0.1, popularity=0.0),
        replace(calm, key=key, popularity=3.0, due_at=AT + timedelta(hours=1)),
        replace(calm, key=key, due_at=AT - timedelta(hours=1)),
    ):
        assert riskiest(calm, worse) == [worse, calm]


@given(risks)
def test_every_reason_is_named_and_none_that_does_not_hold(risk: Risk) -> None:
    expected = {
        Why.WATCHED: risk.watched,
        Why.DOUBTED: risk.doubted,
        Why.SWITCHED: risk.active and risk.switched,
        Why.UNRELIABLE: risk.active and risk.reliability < RELIABLE,
    }
    assert {why: why in risk.why for why in Why} == expected


items = st.lists(st.integers(0, 60), unique=True)


@given(items, items, st.integers(0, 40))
def test_the_room_is_used_up_and_nobody_comes_twice(risky: list[int], overdue: list[int], room: int) -> None:
    chosen = share(risky, overdue, room)
    assert len(chosen) == len(set(chosen)) == min(room, len({*risky, *overdue}))


@given(items, items, st.integers(3, 40))
def test_neither_those_at_risk_nor_the_longest_overdue_are_crowded_out(
    risky: list[int], overdue: list[int], room: int
) -> None:
    chosen = share(risky, overdue, room)
    assert set(risky[: room - room // 3]) <= set(chosen)
    assert set(overdue[: room // 3]) <= set(chosen)
