"""How fast a run goes and when it may be done: laws, and the words of the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingestion import progress
from ingestion.models import IngestRun

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
durations = st.timedeltas(timedelta(milliseconds=1), timedelta(days=30))
counts = st.integers(1, 10**6)


def run(done: int, total: int, **times: datetime) -> IngestRun:
    return IngestRun(progress_done=done, progress_total=total, **times)


def test_half_of_it_in_ten_minutes_leaves_ten_minutes() -> None:
    half = progress.of(run(300, 600, started_at=AT), AT + timedelta(minutes=10))
    assert half.as_json() == {"done": 300, "total": 600, "per_minute": 30.0, "left_s": 600}


def test_nobody_knows_before_something_is_done_or_begun() -> None:
    unknown = {"done": 0, "total": 600, "per_minute": None, "left_s": None}
    assert progress.of(run(0, 600, started_at=AT), AT + timedelta(minutes=1)).as_json() == unknown
    assert progress.of(run(0, 600), AT).as_json() == unknown
    assert progress.of(run(5, 600, started_at=AT), AT).per_minute is None, "in no time at all"
    assert progress.of(run(5, 600, started_at=AT), AT - timedelta(seconds=2)).left is None, "clocks differ"


def test_a_run_that_is_over_says_how_fast_it_was_and_has_nothing_left() -> None:
    over = run(30, 600, started_at=AT, finished_at=AT + timedelta(minutes=1))
    assert progress.of(over, AT + timedelta(days=1)).as_json()["per_minute"] == 30.0
    assert progress.of(over, AT + timedelta(days=1)).left is None


@given(done=counts, total=counts, took=durations)
def test_what_is_left_at_this_pace_is_what_is_not_done(done: int, total: int, took: timedelta) -> None:
    now = progress.of(run(done, total, started_at=AT), AT + took)
    assert now.per_minute is not None
    assert now.left is not None
    assert now.per_minute > 0
    assert now.left >= timedelta(0)
    rest = max(total - done, 0)
    assert abs(now.per_minute * (now.left / timedelta(minutes=1)) - rest) <= max(1e-6 * rest, 0.1)


@given(total=counts, took=durations, more=durations)
def test_the_longer_the_same_took_the_longer_is_left(total: int, took: timedelta, more: timedelta) -> None:
    sooner, later = (
        progress.of(run(1, total, started_at=AT), AT + passed).left for passed in (took, took + more)
    )
    assert sooner is not None
    assert later is not None
    assert sooner <= later


@given(done=counts, took=durations)
def test_more_than_expected_leaves_nothing(done: int, took: timedelta) -> None:
    assert progress.of(run(done + 1, done, started_at=AT), AT + took).left == timedelta(0)
