"""When a movie is searched for again: our ladder and the providers' word, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingestion.searching import LADDER, PUT_OFF, SOONEST, Came, next_search

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def came(**facts: Any) -> Came:
    return Came(**{"reached": False, "improved": False, "complete": True, **facts})


def after(came: Came, *, refresh_at: datetime | None = None, fruitless: int = 0) -> dict[str, Any]:
    return next_search(came, refresh_at=refresh_at, fruitless=fruitless, at=AT)


@pytest.mark.parametrize(("fruitless", "days"), [(0, 1), (1, 3), (2, 7), (3, 30), (4, 30)])
def test_finding_nothing_better_backs_off(fruitless: int, days: int) -> None:
    columns = after(came(), refresh_at=AT, fruitless=fruitless)
    assert columns["refresh_at"] == AT + days * DAY
    assert columns["fruitless_searches"] == min(fruitless + 1, len(LADDER))


def test_finding_something_better_starts_the_ladder_anew() -> None:
    columns = after(came(improved=True), refresh_at=AT + 9 * DAY, fruitless=3)
    assert (columns["refresh_at"], columns["fruitless_searches"]) == (AT + DAY, 0)


def test_a_search_that_the_ladder_asked_for_finds_its_clock_put_off_and_climbs() -> None:
    columns = after(came(), refresh_at=AT + PUT_OFF, fruitless=1)
    assert (columns["refresh_at"], columns["fruitless_searches"]) == (AT + 3 * DAY, 2)


def test_the_target_ends_the_search() -> None:
    columns = after(came(reached=True, ask_again=(AT + DAY,)), refresh_at=AT, fruitless=2)
    assert (columns["refresh_at"], columns["next_check_at"]) == (None, None)


def test_a_search_that_a_provider_asked_for_does_not_climb_the_ladder() -> None:
    columns = after(came(ask_again=(AT + timedelta(seconds=45),)), refresh_at=AT + DAY, fruitless=1)
    assert columns == {"matched_at": AT, "next_check_at": AT + timedelta(seconds=45)}


def test_the_earliest_word_counts_but_not_sooner_than_half_a_minute() -> None:
    moments = (AT + DAY, AT + timedelta(seconds=1))
    assert after(came(ask_again=moments))["next_check_at"] == AT + SOONEST


def test_without_anybodys_word_the_ladder_is_all() -> None:
    assert after(came())["next_check_at"] is None


def test_a_search_with_a_failure_in_it_climbs_nothing_and_was_no_match() -> None:
    columns = after(came(complete=False, ask_again=(AT + DAY,)), refresh_at=AT, fruitless=1)
    assert "matched_at" not in columns
    assert (columns["fruitless_searches"], columns["next_check_at"]) == (1, AT + DAY)


def test_a_url_that_expires_is_renewed_even_at_the_target() -> None:
    assert after(came(reached=True, renew_at=AT + DAY))["next_check_at"] == AT + DAY
