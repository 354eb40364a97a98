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
from streaming.quality import Quality
from tests import clients
from tests.clients import assert_problem
from tests.queries import costs
from tests.streaming import factory
from tests.streaming.factory import EDITOR, NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


PUBLIC = {
    "id", "imdb_id", "title", "original_title", "original_language", "year", "release_date", "runtime_min",
    "genres", "tagline", "overview", "poster", "backdrop", "popularity", "vote_average", "vote_count",
    "quality", "seq", "switched_at",
}  # fmt: skip
STAFF = {
    "target_quality", "pinned", "hidden", "locked_fields", "removed_at", "discovered_at", "metadata_at",
    "tmdb_gone_at", "matched_at", "refresh_at", "next_check_at", "fruitless_searches",
}  # fmt: skip


def published(movie_id: int, quality: Quality = Quality.P1080, **facts: Any) -> Movie:
    movie = factory.movie(movie_id, **facts)
    factory.version(movie, "a", quality)
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


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        f"q={'x' * 101}",
        "page=2",
        "genre[$ne]=Drama",
        "genre__holds=Drama",
        f"genre={'x' * 61}",
        "genre=%00",
        "language=english",
        "language=EN",
        "year=0",
        "year=twenty",
        "year_from=99999999999999999999",
        "quality=HD",
        "quality=1080P",
        "min_quality=40",
        "ordering=id",
        "ordering=--title",
        "ordering=active_stream__url",
        "standing=secret",
        "limit=0",
        "limit=101",
        "hidden=true",
    ],
)
def test_a_query_that_is_not_understood_is_refused(query: str) -> None:
    problem = assert_problem(get(f"/api/movies?{query}"), 400)
    assert problem["errors"].keys() == {query.partition("=")[0]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("genre=Comedy", {1, 2}),
        ("genre=comedy", set()),
        ("genre=Com", set()),
        ('genre="Comedy"', set()),
        ("genre=Com%25", set()),
        ('genre=Science Fiction %26 "Fantasy"', {3}),
        ("genre=Comédie", {3}),
        ("genre=$ne", set()),
        ("language=de", {1}),
        ("year=1920", {1}),
        ("year_from=1920", {1, 2}),
        ("year_from=1921&year_to=2010", {2}),
        ("year_to=1919", set()),
        ("quality=720p", {2}),
        ("quality=2160p", {3}),
        ("min_quality=1080p", {1, 3}),
        ("min_quality=CAM", {1, 2, 3}),
        ("genre=Comedy&quality=720p&q=GEN", {2}),
        ("genre=Comedy&quality=2160p", set()),
    ],
)
def test_filters_narrow_the_list_down_together(query: str, found: set[int]) -> None:
    published(
        1,
        Quality.P1080,
        genres=["Horror", "Comedy"],
        original_language="de",
        release_date=date(1920, 12, 31),
    )
    published(2, Quality.P720, title="The General", genres=["Comedy"], release_date=date(2010, 1, 1))
    published(3, Quality.P2160, genres=["Comédie", 'Science Fiction & "Fantasy"'])
    published(4, genres=[])
    Movie.objects.filter(pk=4).update(hidden=True, genres=["Comedy"])
    assert set(ids(f"/api/movies?{query}")) == found


def test_a_filter_goes_on_over_all_pages_and_so_does_the_length_of_a_page() -> None:
    for movie_id in range(1, 8):
        published(movie_id, genres=["Drama"] if movie_id % 2 else ["Comedy"])
    page = get("/api/movies?genre=Drama&limit=3&ordering=title")
    assert [row["id"] for row in page.json()["results"]] == [1, 3, 5]
    assert page["Link"] == f'<{page.json()["next"]}>; rel="next"'
    last = get(page.json()["next"])
    assert ([row["id"] for row in last.json()["results"]], last.json()["next"]) == ([7], None)
    assert "Link" not in last


def test_a_choice_that_is_none_is_told_which_there_are() -> None:
    problem = assert_problem(get("/api/movies?ordering=best&quality=HD"), 400)
    assert "-popularity, popularity, -title" in problem["errors"]["ordering"][0]
    assert "CAM, SD, 720p" in problem["errors"]["quality"][0]


STANDINGS = {
    "published": {1, 3},
    "without-a-stream": {2},
    "pinned": {3},
    "hidden": {4},
    "withdrawn": {5},
    "any": {1, 2, 3, 4, 5},
}


@pytest.fixture
def of_each_standing() -> None:
    by = {"actor": EDITOR, "comment": "a secret", "at": NOW}
    for movie_id in (1, 3, 4, 5):
        published(movie_id)
    factory.movie(2)
    switching.edit(3, pinned=True, **by)
    switching.edit(4, hidden=True, **by)
    switching.withdraw(5, **by)


@pytest.mark.usefixtures("of_each_standing")
@pytest.mark.parametrize(("standing", "found"), STANDINGS.items())
def test_staff_list_movies_of_any_standing_with_what_only_they_know(standing: str, found: set[int]) -> None:
    rows = clients.client("viewer").get(f"/api/movies?standing={standing}").json()["results"]
    assert {row["id"] for row in rows} == found
    assert all(row.keys() == PUBLIC | STAFF for row in rows)


@pytest.mark.usefixtures("of_each_standing")
def test_without_a_standing_staff_see_what_anyone_does() -> None:
    assert clients.client("viewer").get("/api/movies").json() == get("/api/movies").json()


@pytest.mark.usefixtures("of_each_standing")
@pytest.mark.parametrize(("role", "status"), [("anyone", 401), ("user", 403)])
@pytest.mark.parametrize("standing", STANDINGS)
def test_the_standing_of_movies_is_for_staff(role: str, status: int, standing: str) -> None:
    assert_problem(clients.client(role).get(f"/api/movies?standing={standing}"), status)


@pytest.mark.usefixtures("of_each_standing")
@pytest.mark.parametrize("movie_id", [1, 2, 3, 4, 5])
def test_staff_read_any_movie_whole_and_others_its_public_part_or_nothing(movie_id: int) -> None:
    path = f"/api/movies/{movie_id}"
    seen = clients.client("viewer").get(path).json()
    assert seen.keys() == PUBLIC | STAFF
    assert (seen["hidden"], seen["pinned"], seen["removed_at"] is not None) == (
        movie_id == 4,
        movie_id == 3,
        movie_id == 5,
    )
    for client in (clients.client(), clients.client("user")):
        response = client.get(path)
        if movie_id in (1, 3):
            assert response.json() == {name: seen[name] for name in PUBLIC}
        else:
            assert_problem(response, 404, reason="not_found")


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
