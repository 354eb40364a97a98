"""What may be kept of each answer, by whom: every path that is read, by hand; and 304 for what is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import clients
from tests.clients import assert_problem
from tests.test_api_roles import places
from tests.urls import published

__all__ = ["places"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

SHORTLY, NOBODY = "public, max-age=30", "private, no-store"

#                                           anyone      who may read it    Vary
TABLE = """
healthz                                   | nobody    | nobody           |
metrics                                   | no-store  | no-store         |
readyz                                    | nobody    | nobody           |
api/schema                                | shortly   | nobody           | Authorization
api/docs                                  | shortly   | nobody           | Authorization
api/stats                                 | nobody    | nobody           |
api/auth/me                               | nobody    | nobody           |
api/movies                                | shortly   | nobody           | Authorization
api/movies/{movie}                        | shortly   | nobody           | Authorization
api/movies/{movie}/active-stream          | no-cache  | no-cache         |
api/movies/{movie}/stream-versions        | shortly   | nobody           | Authorization
api/movies/{movie}/switches               | nobody    | nobody           |
api/movies/{movie}/decision               | nobody    | nobody           |
api/ingest/status                         | nobody    | nobody           |
api/ingest/logs                           | nobody    | nobody           |
api/ingest/runs                           | nobody    | nobody           |
api/ingest/runs/{run}                     | nobody    | nobody           |
api/providers                             | nobody    | nobody           |
api/providers/{provider}                  | nobody    | nobody           |
api/settings                              | nobody    | nobody           |
api/settings/{key}                        | nobody    | nobody           |
api/settings/{key}/history                | nobody    | nobody           |
"""
COUNT_TIME = ("api/ingest/status", "api/stats", "metrics")
"""Whose answers tell the time, and so may differ from one tick of a clock to the next."""
WORDS = {"shortly": SHORTLY, "nobody": NOBODY}


def rows() -> Iterator[tuple[str, str, str, str]]:
    for line in filter(None, TABLE.splitlines()):
        path, *said, vary = (cell.strip() for cell in line.split("|"))
        anyone, viewer = (WORDS.get(word, word) for word in said)
        yield path, anyone, viewer, vary


each_path = pytest.mark.parametrize(
    ("path", "anyone", "viewer", "vary"), [pytest.param(*row, id=row[0]) for row in rows()]
)


@each_path
def test_each_answer_says_who_may_keep_it(
    places: dict[str, Any], path: str, anyone: str, viewer: str, vary: str
) -> None:
    for role, said in (("anyone", anyone), ("viewer", viewer)):
        response = clients.client(role).get(f"/{path}".format(**places))
        assert response["Cache-Control"] == said, role
        if response.status_code == 200:
            assert response.get("Vary", "") == vary
        else:
            assert (role, response.status_code) == ("anyone", 401)


@each_path
def test_what_is_known_already_is_304_and_head_says_the_same_as_get(
    places: dict[str, Any], path: str, anyone: str, viewer: str, vary: str
) -> None:
    client, url = clients.client("viewer"), f"/{path}".format(**places)
    first = client.get(url)
    known = {"if-none-match": f'"other", W/{first["ETag"]}'}
    for method in (client.get, client.head):
        again = method(url, headers=known)
        if path in COUNT_TIME:
            same = again["ETag"] == first["ETag"]  # within the same tick of the process's clock
            assert again.status_code == (304 if same else 200)
            continue
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
        assert (again["Cache-Control"], again.get("Vary", "")) == (viewer, vary)
    head = client.head(url)
    assert (head.status_code, head.content, head["Cache-Control"]) == (200, b"", viewer)


def test_every_path_that_is_read_has_its_row() -> None:
    assert sorted(path for path, *_ in rows()) == sorted(
        path for method, path in published() if method == "GET"
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/movies/999", 404),
        ("GET", "/api/movies/999/active-stream", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/movies?page=2", 400),
        ("GET", "/api/settings", 401),
        ("PUT", "/api/movies/1/active-stream", 405),
        ("POST", "/api/auth/login", 400),
    ],
)
def test_no_refusal_is_kept(method: str, path: str, status: int) -> None:
    response = clients.client().generic(method, path)
    assert_problem(response, status)
    assert "no-store" in response["Cache-Control"]
    assert "ETag" not in response


def test_a_condition_that_does_not_hold_is_a_problem(places: dict[str, Any]) -> None:
    response = clients.client().get("/api/movies", headers={"if-match": '"other"'})
    assert_problem(response, 412)
    assert response["Cache-Control"] == NOBODY


def test_an_answer_that_changed_has_another_tag(places: dict[str, Any]) -> None:
    operator = clients.client("operator")
    tag = operator.get("/api/settings/TARGET_QUALITY")["ETag"]
    operator.post("/api/settings", {"key": "TARGET_QUALITY", "value": "720p"})
    again = operator.get("/api/settings/TARGET_QUALITY", headers={"if-none-match": tag})
    assert (again.status_code, again.json()["value"]) == (200, "720p")


@pytest.mark.parametrize("path", ["/", "/watch/{movie}"])
def test_pages_are_asked_for_each_time(places: dict[str, Any], path: str) -> None:
    assert clients.client().get(path.format(**places))["Cache-Control"] == "no-cache"
