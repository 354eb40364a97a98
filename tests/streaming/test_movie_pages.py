"""Pages of movies while the catalogue changes: whatever stays where it is comes once, in every order."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from core import paging
from streaming.api.movies import ORDERS
from streaming.models import Movie
from tests.streaming.factory import NOW

pytestmark = pytest.mark.django_db

MOVIES = range(1, 13)
RANKS = range(4)
VALUES: dict[str, list[Any]] = {
    "popularity": [0.0, 0.1, 12.5, 1e300],
    "title": ["", "A film", "Ein Film", "Ünder % 'quoted\" \\ film 🎬"],
    "release_date": [None, date(1870, 1, 1), date(2010, 9, 27), date(2200, 12, 31)],
    "switched_at": [None, NOW, NOW + timedelta(milliseconds=1), datetime(1999, 12, 31, tzinfo=UTC)],
}

ranks = st.sampled_from(RANKS)
numbers = st.sampled_from(MOVIES)
changes = st.one_of(
    st.tuples(st.just("moves"), numbers, ranks),
    st.tuples(st.just("goes"), numbers, ranks),
    st.tuples(st.just("comes"), st.integers(100, 105), ranks),
)


def movie(number: int, column: str, rank: int) -> Movie:
    return Movie(**{"id": number, "title": "A film", "discovered_at": NOW, column: VALUES[column][rank]})


def walk(order: str, limit: int, between: list[list[tuple[str, int, int]]]) -> list[list[int]]:
    """The pages, with the changes that happen after each."""
    column, asked, pages = order.removeprefix("-"), "/api/movies", []
    for changed in [*between, *[[] for _ in range(40)]]:
        request = Request(APIRequestFactory().get(asked))
        page = paging.read(
            request,
            Movie.objects.all(),
            ORDERS[order],
            limit=limit,
            cursor=request.query_params.get("cursor", ""),
        )
        pages.append([row.pk for row in page.rows])
        for change in changed:
            apply(column, *change)
        if page.next is None:
            return pages
        asked = page.next
    raise AssertionError(f"there is no end to {pages}")


def apply(column: str, kind: str, number: int, rank: int) -> None:
    rows = Movie.objects.filter(pk=number)
    if kind == "moves":
        rows.update(**{column: VALUES[column][rank]})
    elif kind == "goes":
        rows.delete()
    elif not rows.exists():
        movie(number, column, rank).save()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    order=st.sampled_from(sorted(ORDERS)),
    placed=st.lists(ranks, min_size=len(MOVIES), max_size=len(MOVIES)),
    between=st.lists(st.lists(changes, max_size=3), max_size=5),
    limit=st.integers(1, 5),
)
def test_what_stays_comes_once_whatever_moves_comes_or_goes_between_pages(
    order: str, placed: list[int], between: list[list[tuple[str, int, int]]], limit: int
) -> None:
    Movie.objects.all().delete()
    column = order.removeprefix("-")
    Movie.objects.bulk_create([movie(n, column, rank) for n, rank in zip(MOVIES, placed, strict=True)])
    pages = walk(order, limit, between)
    came = Counter(number for page in pages for number in page)
    stay = set(MOVIES) - {number for changed in between for _, number, _ in changed}
    assert {number: came[number] for number in stay} == dict.fromkeys(stay, 1)
    assert all(len(page) == limit for page in pages[:-1])


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_an_order_goes_by_its_column_then_by_the_key_and_what_has_no_value_comes_last(order: str) -> None:
    column = order.removeprefix("-")
    rows = [movie(n, column, n % len(RANKS)) for n in MOVIES]
    Movie.objects.bulk_create(rows)
    pages = walk(order, 5, [])
    blank = [row.pk for row in rows if getattr(row, column) is None]
    found = [number for page in pages for number in page]
    assert sorted(found) == list(MOVIES)
    assert sorted(found[len(found) - len(blank) :]) == blank
    if column != "title":  # whose order is the database's
        valued = [row for row in rows if getattr(row, column) is not None]
        valued.sort(key=lambda row: row.pk, reverse=ORDERS[order][1] == "-id")
        valued.sort(key=lambda row: getattr(row, column), reverse=order.startswith("-"))
        assert found[: len(valued)] == [row.pk for row in valued]


def test_more_than_a_thousand_equals_come_to_an_end() -> None:
    Movie.objects.bulk_create([movie(n, "popularity", 0) for n in range(1, 1102)])
    pages = walk("-popularity", 100, [])
    assert [number for page in pages for number in page] == list(range(1, 1102))


def test_a_cursor_of_another_order_list_or_maker_is_refused() -> None:
    Movie.objects.bulk_create([movie(n, "popularity", 0) for n in MOVIES])

    def read(order: tuple[str, ...], cursor: str = "") -> paging.Page[Movie]:
        request = Request(APIRequestFactory().get("/api/movies"))
        return paging.read(request, Movie.objects.all(), order, limit=2, cursor=cursor)

    cursor = Request(APIRequestFactory().get(read(("title", "id")).next or "")).query_params["cursor"]
    assert read(("title", "id"), cursor).rows[0].pk == 3
    payload, _, signature = cursor.rpartition(":")
    for forged in (f"{payload}x:{signature}", f"{payload}:{signature}x", payload, ":", "é", "\0", "$gt"):
        with pytest.raises(ValidationError):
            read(("title", "id"), forged)
    for other in (("-title", "-id"), ("-popularity", "id"), ("-id",)):
        with pytest.raises(ValidationError):
            read(other, cursor)
