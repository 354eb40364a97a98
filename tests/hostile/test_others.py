"""What is another's, or nobody's any more: each role, on each path that names a movie, run or account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingestion.models import IngestRun
from tests import clients
from tests.clients import ROLES
from tests.hostile.conftest import NOTE
from tests.hostile.judge import rows
from tests.hostile.table import TABLE

pytestmark = pytest.mark.django_db

PUBLISHED, HIDDEN, REMOVED, UNKNOWN = 45745, 2, 3, 999
#                                                    hidden: anyone user viewer editor operator | removed
MOVIES = """
GET     api/movies/{movie}                                  404 404 200 200 200    404 404 200 200 200
PATCH   api/movies/{movie}                                  401 403 403 409 403    401 403 403 409 403
DELETE  api/movies/{movie}                                  401 403 403 409 403    401 403 403 409 403
GET     api/movies/{movie}/active-stream                    404 404 404 404 404    404 404 404 404 404
GET     api/movies/{movie}/stream-versions                  404 404 200 200 200    404 404 200 200 200
GET     api/movies/{movie}/switches                         401 403 200 200 200    401 403 200 200 200
GET     api/movies/{movie}/decision                         401 403 200 200 200    401 403 200 200 200
POST    api/movies/{movie}/activate-stream                  401 403 403 409 403    401 403 403 409 403
POST    api/movies/{movie}/rollback                         401 403 403 409 403    401 403 403 409 403
POST    api/movies/{movie}/recheck                          401 404 404 202 404    401 404 404 404 404
POST    api/movies/{movie}/playback-reports                 404 404 404 404 404    404 404 404 404 404
"""
OF_MOVIES = [
    (line.split()[0], line.split()[1], [*map(int, line.split()[2:])]) for line in MOVIES.split("\n") if line
]


def test_every_path_that_names_a_movie_has_its_row() -> None:
    assert {(method, path) for method, path, _ in OF_MOVIES} == {key for key in TABLE if "{movie}" in key[1]}


@pytest.mark.parametrize(
    ("method", "path", "statuses"), OF_MOVIES, ids=[" ".join(each[:2]) for each in OF_MOVIES]
)
def test_a_movie_that_is_not_public_is_there_for_whom_the_table_says(
    stage: dict[str, Any], method: str, path: str, statuses: list[int]
) -> None:
    body = {name: value for name, (_, value) in TABLE[method, path].body.items()}
    data = json.dumps(body).replace("{version}", stage["version"]).encode() if method != "GET" else b""
    for movie, expected in ((HIDDEN, statuses[:5]), (REMOVED, statuses[5:])):
        url = f"/{path}".format(movie=movie)
        seen = [
            clients.client(role).generic(method, url, data, content_type="application/json").status_code
            for role in ROLES
        ]
        assert seen == expected, url


@pytest.mark.parametrize("role", ["anyone", "user"])
def test_what_is_hidden_cannot_be_told_from_what_never_was(stage: dict[str, Any], role: str) -> None:
    client = clients.client(role)
    for method, path, _ in OF_MOVIES:
        told = set()
        for movie in (HIDDEN, REMOVED, UNKNOWN):
            body = {"version": stage["version"]} if "reports" in path else {}
            data = json.dumps(body).encode() if method != "GET" else b""
            url = f"/{path}".format(movie=movie)
            response = client.generic(method, url, data, content_type="application/json")
            told.add((response.status_code, response.content.decode().replace(f"movie {movie}", "movie")))
        assert len(told) == 1, told


def test_a_report_of_another_movies_stream_changes_nothing(stage: dict[str, Any]) -> None:
    before = rows()
    others = clients.client("user").get(f"/api/movies/{PUBLISHED}/stream-versions").json()
    for version in others:
        for movie in (HIDDEN, REMOVED, UNKNOWN):
            url = f"/api/movies/{movie}/playback-reports"
            assert clients.client().post(url, {"version": version["id"]}).status_code == 404
    changed = {name for name, known in rows().items() if known != before[name]}
    assert changed <= {"auth.User", "core.TokenFamily"}, "beside the account that asked"


def test_a_version_of_another_movie_is_never_activated(stage: dict[str, Any]) -> None:
    editor = clients.client("editor")
    before = rows()
    url = f"/api/movies/{HIDDEN}/activate-stream"
    assert editor.post(url, {"version": stage["version"], "reason": "x"}).status_code in (404, 409)
    assert rows() == before


@pytest.mark.parametrize("role", ["anyone", "user", "viewer", "editor"])
def test_nobody_cancels_a_run_that_is_not_theirs_to_cancel(stage: dict[str, Any], role: str) -> None:
    assert clients.client(role).delete(f"/api/ingest/runs/{stage['run']}").status_code in (401, 403)
    assert IngestRun.objects.get(pk=stage["run"]).status == IngestRun.Status.QUEUED


def test_a_run_of_somebody_else_does_not_say_who_asked_for_it(stage: dict[str, Any]) -> None:
    url = f"/api/movies/{PUBLISHED}/recheck"
    assert clients.client("editor").post(url).status_code == 202
    told = clients.client("user").post(url).json()
    assert told["again"] is True
    assert "editor-ada" not in json.dumps(told)


def test_me_is_whoever_the_token_says_and_no_parameter(stage: dict[str, Any]) -> None:
    other = clients.user("operator")
    for query in (f"?id={other.pk}", f"?user={other.username}", f"?username={other.username}"):
        assert clients.client("user").get(f"/api/auth/me{query}").json()["username"] == "user-ada"


@pytest.mark.parametrize("role", ["anyone", "user"])
def test_the_public_reads_no_note_and_no_token(stage: dict[str, Any], role: str) -> None:
    client = clients.client(role)
    for method, path in TABLE:
        if method == "GET":
            for movie in (PUBLISHED, HIDDEN, REMOVED):
                response = client.get(f"/{path}".format(**{**stage, "movie": movie}))
                assert NOTE not in response.content.decode(), path
                assert "somebody-else" not in response.content.decode(), path
    for page in ("/", f"/watch/{PUBLISHED}", f"/watch/{HIDDEN}", f"/watch/{REMOVED}"):
        assert NOTE not in client.get(page).content.decode()
