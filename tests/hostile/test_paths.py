"""Ids and names in paths that nothing has: 404 in words, and nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hostile.judge import faults, leaks, rows
from tests.hostile.table import IN_PATHS, TABLE

pytestmark = pytest.mark.django_db

WITH_PLACES = [key for key in TABLE if "{" in key[1]]
ODD = [
    *["/api/%00", "/api/%ff%fe", "/api/movies/..%2f..%2fetc%2fpasswd", "/api//movies", "/api/movies;a=b"],
    *["/api/movies/1/active-stream%00", "/api/movies/%0d%0aSet-Cookie:%20a=b", "/api/.git/config"],
    *["/api/../admin/", "/api/movies/45745/active-stream/../../../settings"],
    *("/api/" + "a/" * 2000, "/api/" + "%2e" * 900),
]
PAGES = [
    *["/watch/%00", "/watch/-1", "/watch/999999999999", "/watch/%ff", "/%00", "/%0d%0aa:b", "/?page=-1"],
    *["/?page=%00", "/?q=%00", "/?q=%ff", "/?part[$ne]=films", "/API/MOVIES"],
    *("/?page=" + "9" * 400, "/?q=" + "x" * 9000),
]


@pytest.mark.parametrize(("method", "path"), WITH_PLACES, ids=[" ".join(key) for key in WITH_PLACES])
def test_what_nothing_is_called_is_not_found(
    everyone: Any, stage: dict[str, Any], method: str, path: str
) -> None:
    before = rows()
    place = path.split("{")[1].split("}")[0]
    wrong = {}
    for value in IN_PATHS[place]:
        url = f"/{path}".replace(f"{{{place}}}", value)
        response = everyone.generic(method, url, b"{}", content_type="application/json")
        found = faults(response, sent=url)
        if response.status_code not in (400, 404):
            found.append(f"{response.status_code}")
        if found:
            wrong[url] = found
    assert wrong == {}
    assert rows() == before


@pytest.mark.parametrize("url", ODD)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_addresses_that_lead_nowhere_are_problems(
    everyone: Any, stage: dict[str, Any], method: str, url: str
) -> None:
    before = rows()
    response = everyone.generic(method, url, b"{}", content_type="application/json")
    assert faults(response, sent=url) == []
    assert rows() == before


@pytest.mark.parametrize("path", PAGES)
def test_pages_bear_it_too(everyone: Any, stage: dict[str, Any], path: str) -> None:
    response = everyone.get(path)
    assert response.status_code in ({400} if "%00" in path else {200, 404})
    assert leaks(response, sent=path) == []
