"""Laws of the back-off ladder, for whatever a provider goes through; and who may ask once a pause is over."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from providers import calls, health
from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderRateLimited,
    ProviderTransient,
)
from providers.health import LADDER, TOP_RUNG, TRIAL, Columns
from providers.models import Provider

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DOWN = ProviderTransient("failed with HTTP 500", status=500)
OUT_OF_REACH = ProviderTransient("did not resolve", unreachable=True)
HTML = ProviderBadResponse("not JSON")
BAD_KEY = ProviderMisconfigured("base_url is required")


def told_to_wait(seconds: float | None) -> ProviderRateLimited:
    return ProviderRateLimited("asked us to slow down", status=429, retry_after_s=seconds)


waits = st.none() | st.floats(0, 10**7)
climbing = st.sampled_from([DOWN, HTML]) | st.builds(told_to_wait, waits)
anything = st.none() | climbing | st.just(OUT_OF_REACH) | st.just(BAD_KEY)
"""What comes of a question: None is an answer."""


def provider(rung: int = 0, **columns: Any) -> Provider:
    over = START if rung else None
    return Provider(slug="films", enabled=True, backoff_rung=rung, backoff_until=over, **columns)


def asked(films: Provider, came: ProviderError | None, at: datetime) -> Provider:
    """The question is put when the provider may be asked, and something comes of it two seconds later."""
    then = at + 2 * SECOND
    if came is None:
        columns: Columns = health.after_success(films, latency_ms=100, asked_at=at, at=then)
    else:
        columns = health.after_failure(films, came, asked_at=at, at=then)
    for name, value in columns.items():
        setattr(films, name, value)
    return films


@given(st.lists(anything, max_size=30))
def test_one_that_is_asked_when_it_may_be_stays_on_the_ladder_and_waits_as_its_rung_says(
    story: list[ProviderError | None],
) -> None:
    films, at = provider(), START
    for came in story:
        at = health.asked_again_at(films, at)
        rung = films.backoff_rung
        asked(films, came, at)
        assert 0 <= films.backoff_rung <= TOP_RUNG
        assert 0 <= films.success_rate <= 1
        if came is None:
            assert (films.backoff_rung, films.backoff_until) == (max(rung - 1, 0), None)
        elif came is not BAD_KEY:
            assert films.backoff_until == at + 2 * SECOND + LADDER[films.backoff_rung]
        assert films.trial_until is None


@given(st.integers(0, TOP_RUNG), st.sampled_from([DOWN, HTML, told_to_wait(None)]))
def test_a_failure_climbs_one_rung(rung: int, error: ProviderError) -> None:
    assert asked(provider(rung), error, START).backoff_rung == min(rung + 1, TOP_RUNG)


@given(st.integers(0, TOP_RUNG), st.integers(1, 30))
def test_a_host_out_of_reach_never_leads_past_the_first_rung_nor_down(rung: int, times: int) -> None:
    films, at = provider(rung), START
    for _ in range(times):
        at = health.asked_again_at(films, at)
        asked(films, OUT_OF_REACH, at)
    assert films.backoff_rung == max(rung, 1)


@given(st.integers(0, TOP_RUNG), st.floats(0.001, 24 * 3600))
def test_a_429_goes_to_the_lowest_rung_that_covers_its_word_and_climbs_one_at_least(
    rung: int, seconds: float
) -> None:
    then = asked(provider(rung), told_to_wait(seconds), START).backoff_rung
    lowest = next(n for n, step in enumerate(LADDER) if step >= timedelta(seconds=seconds))
    assert then == max(min(rung + 1, TOP_RUNG), lowest)


@given(st.integers(1, TOP_RUNG), st.lists(climbing, max_size=8))
def test_what_was_under_way_when_a_back_off_began_never_ends_or_shortens_it(
    rung: int, late: list[ProviderError]
) -> None:
    films = provider(rung)
    films.backoff_until = START + LADDER[rung]
    for came in [None, *late, None]:
        before = films.backoff_until
        asked(films, came, START - SECOND)
        assert films.backoff_until is not None
        assert before is not None
        assert films.backoff_until >= before
        assert films.backoff_rung >= rung


@given(st.lists(st.none() | climbing, min_size=1, max_size=12))
def test_as_many_answers_as_rungs_lead_back_to_the_ground(story: list[ProviderError | None]) -> None:
    films, at = provider(), START
    for came in [*story, *[None] * TOP_RUNG]:
        at = health.asked_again_at(films, at)
        asked(films, came, at)
    assert (films.backoff_rung, films.backoff_until) == (0, None)


# Half-open: the pause is over, and one goes ahead.


@pytest.fixture
def films(db: None) -> Provider:
    films = provider(3)
    films.save(force_insert=True)
    return films


def row() -> Provider:
    return Provider.objects.get(pk="films")


def test_of_all_who_read_the_same_row_one_may_ask(films: Provider) -> None:
    assert [health.admit(as_read, START) for as_read in (row(), films, films)] == [True, False, False]
    assert not health.admit(row(), START + TRIAL - SECOND)


def test_one_that_does_not_back_off_may_be_asked_by_all(films: Provider) -> None:
    health.forgive(films)
    assert [health.admit(row(), START) for _ in range(3)] == [True] * 3
    assert row().trial_until is None


def test_before_the_pause_is_over_nobody_may_ask(films: Provider) -> None:
    assert not health.admit(films, START - SECOND)
    assert row().trial_until is None


def test_an_asker_that_died_is_waited_for_a_while_and_then_the_next_one_goes(films: Provider) -> None:
    assert health.admit(films, START)
    assert [health.admit(row(), START + TRIAL) for _ in range(2)] == [True, False]


def test_the_one_that_went_ahead_is_waited_for_as_long_as_a_search_takes_and_hardly_longer() -> None:
    longest = timedelta(seconds=calls.SEARCH.most_s + calls.GRACE_S)
    assert longest < TRIAL < 2 * longest


def test_an_answer_lets_all_ask_and_a_failure_none(films: Provider) -> None:
    assert health.admit(films, START)
    health.note(films, lambda r: health.after_success(r, latency_ms=9, asked_at=START, at=START + SECOND))
    assert all(health.admit(row(), START + SECOND) for _ in range(2))
    health.note(films, lambda r: health.after_failure(r, DOWN, asked_at=START + SECOND, at=START + SECOND))
    assert not health.admit(row(), START + SECOND)
    assert row().trial_until is None


@pytest.mark.parametrize("learnt", ["nothing was sent", "a wrong setting"])
def test_one_that_learnt_nothing_lets_the_next_one_go_ahead(films: Provider, learnt: str) -> None:
    assert health.admit(films, START)
    if learnt == "nothing was sent":
        health.note(films, lambda r: health.after_no_question(r, asked_at=START))
    else:
        health.note(films, lambda r: health.after_failure(r, BAD_KEY, asked_at=START, at=START))
    assert [health.admit(row(), START + SECOND) for _ in range(2)] == [True, False]


def test_what_was_under_way_since_before_the_back_off_is_not_the_one_that_went_ahead(films: Provider) -> None:
    assert health.admit(films, START)
    early = START - 5 * MINUTE
    health.note(films, lambda r: health.after_success(r, latency_ms=9, asked_at=early, at=START))
    assert row().trial_until == START + TRIAL
    assert not health.admit(row(), START + SECOND)


def test_a_reset_ends_back_off_trial_and_blame(films: Provider) -> None:
    assert health.admit(films, START)
    health.note(films, lambda r: health.after_blame(r, why="11 of 12 streams failed", at=START))
    assert health.is_blamed("films")
    health.forgive(films)
    stored = row()
    assert (stored.backoff_rung, stored.backoff_until, stored.trial_until) == (0, None, None)
    assert (stored.blamed_at, stored.blame) == (None, "")
    assert not health.is_blamed("films")


def test_of_many_processes_exactly_one_asks(transactional_db: None) -> None:
    provider(3).save(force_insert=True)
    workers = 8
    together = threading.Barrier(workers)

    def ask(_: int) -> bool:
        as_read = row()
        together.wait(10)
        try:
            return health.admit(as_read, START)
        finally:
            connection.close()

    with ThreadPoolExecutor(workers) as pool:
        assert sum(pool.map(ask, range(workers))) == 1
