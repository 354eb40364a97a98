"""Who may do what: every path and method of the API by hand, one row each.

The statuses are those of a request without a body; 400 where one is needed, which is as far as it may come.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ingestion import runs, status
from ingestion.models import Job
from providers.models import Provider
from streaming import switching
from tests import clients, urls
from tests.clients import ROLES
from tests.streaming import factory
from tests.streaming.factory import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

#                                                   anyone user viewer editor operator
TABLE = """
GET     healthz                                        200  200    200    200    200
GET     readyz                                         200  200    200    200    200
GET     metrics                                        200  200    200    200    200
GET     api/schema                                     200  200    200    200    200
GET     api/docs                                       200  200    200    200    200

POST    api/auth/register                              400  400    400    400    400
POST    api/auth/login                                 400  400    400    400    400
POST    api/auth/refresh                               400  400    400    400    400
POST    api/auth/logout                                400  400    400    400    400
GET     api/auth/me                                    401  200    200    200    200

GET     api/movies                                     200  200    200    200    200
POST    api/movies                                     401  403    403    400    403
GET     api/movies/{movie}                             200  200    200    200    200
PATCH   api/movies/{movie}                             401  403    403    400    403
DELETE  api/movies/{movie}                             401  403    403    400    403
GET     api/movies/{movie}/active-stream               200  200    200    200    200
GET     api/movies/{movie}/stream-versions             200  200    200    200    200
GET     api/movies/{movie}/switches                    401  403    200    200    200
GET     api/movies/{movie}/decision                    401  403    200    200    200
POST    api/movies/{movie}/activate-stream             401  403    403    400    403
POST    api/movies/{movie}/rollback                    401  403    403    400    403
POST    api/movies/{movie}/recheck                     401  202    202    202    202
POST    api/movies/{movie}/playback-reports            400  400    400    400    400

GET     api/ingest/status                              401  403    200    200    200
GET     api/ingest/logs                                401  403    200    200    200
GET     api/ingest/runs                                401  403    200    200    200
GET     api/ingest/runs/{run}                          401  403    200    200    200
DELETE  api/ingest/runs/{run}                          401  403    403    403    200
POST    api/ingest/run/{job}                           401  403    403    403    202
POST    api/ingest/initialize                          401  403    403    403    200

GET     api/providers                                  401  403    200    200    200
GET     api/providers/{provider}                       401  403    200    200    200
POST    api/providers/{provider}/test                  401  403    403    403    200

GET     api/stats                                      401  403    200    200    200

GET     api/settings                                   401  403    200    200    200
POST    api/settings                                   401  403    403    403    400
GET     api/settings/{key}                             401  403    200    200    200
DELETE  api/settings/{key}                             401  403    403    403    200
GET     api/settings/{key}/history                     401  403    200    200    200
POST    api/settings/{key}/revert                      401  403    403    403    400
"""


def rows() -> Iterator[tuple[str, str, dict[str, int]]]:
    for line in filter(None, TABLE.splitlines()):
        method, path, *statuses = line.split()
        yield method, path, dict(zip(ROLES, map(int, statuses), strict=True))


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What stands for the names in paths."""
    monkeypatch.setattr(status, "PING_S", 0.01)
    movie = factory.movie()
    factory.version(movie, "a")
    switching.reconsider(movie.pk, at=NOW)
    run, _ = runs.queue(Job.PRUNE, at=NOW, trigger="test")
    Provider.objects.create(slug="unfinished", label="Unfinished", adapter="library")
    names = {"job": "tmdb.discover", "key": "TARGET_QUALITY", "provider": "unfinished"}
    return {"movie": movie.pk, "run": run.pk, **names}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("method", "path", "statuses"), [pytest.param(*row, id=" ".join(row[:2])) for row in rows()]
)
def test_each_role_comes_as_far_as_the_table_says(
    places: dict[str, Any], method: str, path: str, statuses: dict[str, int], role: str
) -> None:
    client = clients.client(role)
    for url in (f"/{path}", f"/{path}/"):
        response = client.generic(method, url.format(**places))
        assert response.status_code == statuses[role], response.content


def test_an_account_that_was_locked_comes_no_further_than_anyone(places: dict[str, Any]) -> None:
    account = clients.user(is_superuser=True, is_staff=True)
    client = clients.client_of(account)
    account.is_active = False
    account.save()
    for method, path, statuses in rows():
        if statuses["anyone"] == 401:
            assert client.generic(method, f"/{path}".format(**places)).status_code == 401


def test_a_superuser_has_every_role(places: dict[str, Any]) -> None:
    client = clients.client_of(clients.user(is_superuser=True))
    for method, path, _ in rows():
        assert client.generic(method, f"/{path}".format(**places)).status_code not in (401, 403), path


@pytest.mark.parametrize("role", ROLES)
def test_whatever_has_no_row_is_not_answered(places: dict[str, Any], role: str) -> None:
    known = {(method, path) for method, path, _ in rows()}
    client = clients.client(role)
    for path in sorted({path for _, path in known}):
        for method in (*urls.METHODS, "TRACE", "PROPFIND", "X-OWN"):
            if (method, path) not in known:
                response = client.generic(method, f"/{path}".format(**places))
                assert response.status_code in {"anyone": (401, 405)}.get(role, (403, 405)), (method, path)
                assert response["Content-Type"] == "application/problem+json"


def test_a_superuser_is_told_which_methods_there_are(places: dict[str, Any]) -> None:
    client = clients.client_of(clients.user(is_superuser=True))
    known = {(method, path) for method, path, _ in rows()}
    for path in sorted({path for _, path in known}):
        response = client.generic("TRACE", f"/{path}".format(**places))
        assert response.status_code == 405, path
        allowed = set(response["Allow"].split(", ")) - {"HEAD", "OPTIONS"}
        assert allowed == {method for method in urls.METHODS if (method, path) in known}, path


def test_head_is_get_without_a_body(places: dict[str, Any]) -> None:
    for method, path, statuses in rows():
        for role, status_code in statuses.items() if method == "GET" else ():
            response = clients.client(role).head(f"/{path}".format(**places))
            assert (response.status_code, response.content) == (status_code, b""), path


def test_every_path_and_method_has_its_row() -> None:
    assert sorted(urls.published()) == sorted((method, path) for method, path, _ in rows())


def test_a_path_without_its_slash_is_the_same_as_with_it() -> None:
    routes = [route for route, _ in urls.answered()]
    for route in routes:
        assert routes.count(route.rstrip("/")) == routes.count(route.rstrip("/") + "/") == 1, route
