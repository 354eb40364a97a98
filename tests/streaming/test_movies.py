"""`GET /api/movies` and `/api/movies/<id>`: the published catalogue, searched and page by page."""

from __future__ import annotations

from base64 import b64encode
from datetime import date
from typing import Any

import pytest
from rest_framework.test import APIClient

from streaming import switching
from streaming.api.movies import PAGE_SIZE
from streaming.models import Movie
from tests.clients import assert_problem
from tests.queries import costs
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


def published(movie_id: int, **facts: Any) -> Movie:
    movie = factory.movie(movie_id, **facts)
    factory.version(movie, "a")
    switching.reconsider(movie.pk, at=NOW)
    return movie


def get(path: str = "/api/movies") -> Any:
    return APIClient().get(path)


def ids(path: str = "/api/movies") -> list[int]:
    return [row["id"] for row in get(path).json()["results"]]


def test_a_movie_comes_with_its_facts_pictures_and_quality() -> None:
    facts = {"title": "Sita", "release_date": date(2008, 2, 11), "poster_path": "/s.jpg", "runtime_min": 82}
    published(20529, genres=["Animation"], popularity=3.5, **facts)
    (row,) = get().json()["results"]
    assert (row["id"], row["title"], row["year"], row["runtime_min"]) == (20529, "Sita", 2008, 82)
    assert (row["quality"], row["seq"], row["genres"]) == ("1080p", 1, ["Animation"])
    assert row["poster"] == "https://image.tmdb.org/t/p/w500/s.jpg"
    assert row["backdrop"] == ""
    assert get("/api/movies/20529").json() == row


def test_only_what_is_published_is_listed_or_found() -> None:
    shown, hidden, removed = published(1), published(2), published(3)
    factory.movie(4)
    by = {"actor": EDITOR, "comment": "", "at": NOW}
    switching.edit(hidden.pk, hidden=True, **by)
    switching.withdraw(removed.pk, **by)
    assert ids() == [shown.pk]
    for movie_id in (2, 3, 4, 5):
        assert_problem(get(f"/api/movies/{movie_id}"), 404, reason="not_found")


def test_the_popular_ones_come_first_and_pages_hold_each_movie_once() -> None:
    popularity = {n: float(n % 7) for n in range(1, PAGE_SIZE * 2 + 6)}
    for movie_id, value in popularity.items():
        published(movie_id, popularity=value)
    wanted = sorted(popularity, key=lambda n: (-popularity[n], n))
    pages, url = [], "/api/movies"
    while url:
        page = get(url).json()
        pages.append([row["id"] for row in page["results"]])
        url = page["next"]
    assert [movie_id for page in pages for movie_id in page] == wanted
    assert [len(page) for page in pages] == [PAGE_SIZE, PAGE_SIZE, 5]


def test_movies_of_one_popularity_are_paged_too() -> None:
    for movie_id in range(1, PAGE_SIZE + 4):
        published(movie_id)
    page = get().json()
    assert ids(page["next"]) == [PAGE_SIZE + 1, PAGE_SIZE + 2, PAGE_SIZE + 3]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("caliGARI", [1]),
        ("Kabinett", [1]),
        ("100%25", [2]),
        ("%25", [2]),
        ("a_b", []),
        ("  ", [1, 2]),
        ("", [1, 2]),
    ],
)
def test_search_looks_for_the_words_in_either_title(query: str, found: list[int]) -> None:
    published(1, title="The Cabinet of Dr. Caligari", original_title="Das Kabinett des Doktor Caligari")
    published(2, title="100% Wolf axb")
    assert sorted(ids(f"/api/movies?q={query}")) == found


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "é",
        "cD0",
        *(b64encode(t).decode() for t in (b"p=x", b"p=nan", b"p=1e999", b"o=x", b"r=x")),
    ],
)
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    published(1)
    problem = assert_problem(get(f"/api/movies?cursor={cursor}"), 400)
    assert problem["errors"].keys() == {"cursor"}


@pytest.mark.parametrize("query", ["q=%00", f"q={'x' * 101}", "page=2", "genre=1"])
def test_a_query_that_is_not_understood_is_refused(query: str) -> None:
    problem = assert_problem(get(f"/api/movies?{query}"), 400)
    assert problem["errors"].keys() == {query.partition("=")[0]}


def test_versions_are_included_when_asked_for_as_the_public_sees_them() -> None:
    published(1)
    (version,) = get("/api/movies/1?include=versions").json()["versions"]
    assert version["active"] is True
    assert "url" not in version
    assert_problem(get("/api/movies/1?include=secrets"), 400)


def test_a_page_costs_one_query() -> None:
    for movie_id in range(1, 6):
        published(movie_id)
    with costs(1):
        get()
