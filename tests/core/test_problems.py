"""Every way to fail under `/api/` ends in `application/problem+json`, also outside the API's own views."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import DatabaseError, DataError, IntegrityError, OperationalError, ProgrammingError
from django.test import Client
from rest_framework.test import APIClient

from core.api.auth import Me
from tests import clients
from tests.clients import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def quiet() -> Client:
    """A client that answers with the 500 page, as a server does, instead of raising."""
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/movies/0",
        "/api/movies/007/active-stream",
        "/api/movies/2147483648/active-stream",
        f"/api/movies/{'9' * 5000}/active-stream",
        "/api/movies/-1",
        "/api/movies/1.5",
        "/api/movies/%D9%A3/active-stream",
        "/api/movies/1%00",
        "/api/movies/%ff%fe",
        "/api/ingest/runs/not-a-uuid",
        "/api/%22%3Cscript%3E",
    ],
)
@pytest.mark.parametrize("method", ["get", "post", "delete", "patch"])
def test_where_nothing_is_every_method_is_404(quiet: Client, path: str, method: str) -> None:
    assert_problem(getattr(quiet, method)(path), 404, reason="not_found")


def test_elsewhere_a_person_gets_a_page(quiet: Client) -> None:
    response = quiet.get("/nothing")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_a_method_that_is_not_there_is_405_and_says_which_are(quiet: Client) -> None:
    response = quiet.put("/api/movies/1/active-stream")
    assert_problem(response, 405)
    assert response["Allow"] == "GET, HEAD, OPTIONS"


def test_whoever_is_not_signed_in_is_told_how_to(quiet: Client) -> None:
    response = quiet.get("/api/auth/me")
    assert_problem(response, 401)
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("header", ["Bearer x", "Bearer", "Bearer a b", "Bearer \xff", "Bearer eyJ.e30."])
def test_a_token_that_is_none_is_401_in_a_sentence(quiet: Client, header: str) -> None:
    response = quiet.get("/api/movies", headers={"authorization": header})
    assert "{" not in assert_problem(response, 401)["detail"]
    assert "WWW-Authenticate" in response


def test_a_session_of_the_admin_is_nobody_here(quiet: Client) -> None:
    quiet.force_login(clients.user(is_superuser=True, is_staff=True))
    assert quiet.get("/admin/").status_code == 200
    assert_problem(quiet.get("/api/settings"), 401)
    assert_problem(quiet.post("/api/ingest/initialize"), 401)


def test_an_answer_in_another_form_than_json_is_not_to_be_had(quiet: Client) -> None:
    assert_problem(quiet.get("/api/movies", headers={"accept": "text/html"}), 406)
    assert quiet.get("/api/movies", headers={"accept": "text/html,*/*;q=0.1"}).status_code == 200


def test_a_host_that_is_not_ours_is_400_and_is_not_repeated(quiet: Client) -> None:
    response = quiet.get("/api/movies", headers={"host": "evil.example"})
    assert_problem(response, 400)
    assert b"evil" not in response.content


def test_a_query_without_end_is_400(quiet: Client) -> None:
    assert_problem(quiet.get("/api/movies?" + "&".join(["a=1"] * 2000)), 400)


BUGS = (RuntimeError, DatabaseError, DataError, IntegrityError, ProgrammingError)


@pytest.mark.parametrize("error", [bug("secret") for bug in BUGS])
def test_a_bug_is_500_and_tells_nothing(quiet: Client, monkeypatch: Any, error: Exception) -> None:
    def fail(*args: Any) -> None:
        raise error

    monkeypatch.setattr(Me, "permission_classes", [])
    monkeypatch.setattr(Me, "get", fail)
    response = quiet.get("/api/auth/me")
    assert_problem(response, 500)
    assert b"secret" not in response.content


@pytest.mark.parametrize("path", ["/api/movies", "/api/movies/1/active-stream", "/api/auth/login"])
def test_a_database_that_is_away_is_503_and_worth_another_try(no_database: None, path: str) -> None:
    signing_in = path.endswith("login")
    body = {"username": "ada", "password": "x"}
    response = APIClient().post(path, body) if signing_in else APIClient().get(path)
    assert_problem(response, 503)
    assert int(response["Retry-After"]) > 0
    assert not re.search(rb"sqlite|postgres|mongo|127\.0\.0\.1", response.content.lower())


def test_a_locked_database_is_an_outage(quiet: Client, monkeypatch: Any) -> None:
    def locked(*args: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(Me, "permission_classes", [])
    monkeypatch.setattr(Me, "get", locked)
    assert_problem(quiet.get("/api/auth/me"), 503)


def test_a_page_whose_database_is_away_is_a_plain_503(no_database: None, quiet: Client) -> None:
    quiet.cookies["sessionid"] = "x" * 32  # the session is read by a middleware, before any view
    for path in ("/", "/watch/1", "/admin/", "/admin/core/setting/"):
        response = quiet.get(path)
        assert (response.status_code, response["Content-Type"]) == (503, "text/html; charset=utf-8"), path
        assert int(response["Retry-After"]) > 0
        assert b"Back in a moment" in response.content
        assert b"Traceback" not in response.content
        assert not re.search(rb"sqlite|postgres|mongo|127\.0\.0\.1", response.content.lower())


def test_what_is_wrong_is_said_field_by_field() -> None:
    problem = assert_problem(clients.client("operator").post("/api/settings", {"value": 1, "kye": "X"}), 400)
    assert problem["errors"] == {"kye": ["Unknown. Known: key, value, comment."]}
    problem = assert_problem(clients.client("editor").post("/api/settings", {}), 403)
    assert "errors" not in problem
