"""Headers under attack: none is given back as it came, believed, or an error of ours."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests import clients
from tests.hostile.judge import faults, leaks, rows

pytestmark = pytest.mark.django_db

PATHS = (
    "/",
    "/watch/45745",
    "/api/movies",
    "/api/movies/45745/active-stream",
    "/healthz",
    "/admin/login/",
    "/nowhere",
)
FORGED = [
    *(
        "x\r\nSet-Cookie: a=b",
        "x\nX-Evil: 1",
        "\r\n\r\n<script>",
        "a b",
        "",
        "\x00",
        "x" * 65,
        "ÿþ",
        "\u2028",
    ),
    *('"><script>', "../../etc/passwd", "' OR 1=1 --", "${jndi:ldap://a}"),
]
HOSTS = [
    *("evil.example", "testserver.evil.example", "testserver@evil.example", "testserver:80@evil.example", ""),
    *("testserver\r\nX-Evil: 1", "testserver/evil", "[::1", "testserver:port", "te\x00stserver", "ÿ"),
]
ODD = {
    "if-none-match": ["*x", '"', "W/", "x" * 9000, '"a", "b', "\x00", "ÿ"],
    "accept": ["", "x", "text/html;q=nan", "*/*;q=9" * 500, "application/json;version=../..", "\x00"],
    "authorization": [
        "Bearer",
        "Bearer a b",
        "Bearer " + "x" * 9000,
        "Basic YTpi",
        "Bearer \x00",
        "Bearer ÿ",
        "bearer .",
    ],
    "cookie": [
        "sessionid=" + "x" * 9000,
        "sessionid=../../x",
        "csrftoken=<script>",
        "a" * 9000,
        "messages=x",
    ],
    "content-type": [
        "",
        "x",
        "application/json; charset=utf-7",
        "multipart/form-data",
    ],
    "content-length": ["-1", "x", "9" * 30, ""],
    "x-http-method-override": ["DELETE"],
    "x-forwarded-host": ["evil.example"],
    "range": ["bytes=0-", "bytes=-1", "x"],
    "origin": ["null", "https://evil.example", "\x00", "x" * 9000],
    "accept-language": ["x" * 9000, "../../etc", "de-\x00"],
}
EACH = [(name, value) for name, values in ODD.items() for value in values]


@pytest.mark.parametrize("given", FORGED)
def test_a_forged_request_id_is_replaced(stage: dict[str, Any], given: str) -> None:
    for path in PATHS:
        response = Client().get(path, headers={"x-request-id": given})
        assert response["X-Request-ID"] != given, path
        assert leaks(response, sent=given) == []
        assert not any("\n" in value or "\r" in value for value in response.headers.values())


@pytest.mark.parametrize("host", HOSTS)
def test_no_host_but_ours_is_served_or_named(stage: dict[str, Any], settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    for path in PATHS:
        response = (
            Client().get(path, headers={"host": host})
            if host
            else Client(SERVER_NAME="evil.example").get(path)
        )
        text = b"".join(response) if response.streaming else response.content
        assert b"evil" not in text, path
        assert "evil" not in str(response.headers).lower(), path
        assert response.status_code < 500, path


def test_a_forwarded_host_is_not_believed(stage: dict[str, Any]) -> None:
    for header in ("x-forwarded-host", "forwarded", "x-host", "x-original-url", "x-rewrite-url"):
        for path in ("/api/movies?limit=1", "/admin/", "/"):
            response = Client().get(path, headers={header: "host=evil.example"})
            assert "evil" not in response.content.decode() + str(response.headers), (header, path)


@pytest.mark.parametrize(("name", "value"), EACH, ids=[f"{name}-{n}" for n, (name, _) in enumerate(EACH)])
def test_a_header_that_makes_no_sense_is_no_error_of_ours(
    stage: dict[str, Any], name: str, value: str
) -> None:
    before = rows()
    for path in PATHS:
        response = Client().get(path, headers={name: value})
        assert response.status_code < 500, path
        assert leaks(response, sent=value) == [], path
    for path in ("/api/ingest/run/tmdb.discover", "/api/settings", "/api/movies/45745/rollback"):
        response = Client().post(path, b"{}", content_type="application/json", headers={name: value})
        assert faults(response, sent=value) == [], path
    assert rows() == before


@pytest.mark.parametrize("name", ["x-http-method-override", "x-method-override", "x-http-method"])
def test_no_header_makes_a_write_of_a_read(stage: dict[str, Any], name: str) -> None:
    client = clients.client("operator")
    before = rows()
    for path in (f"/api/ingest/runs/{stage['run']}", "/api/settings/TARGET_QUALITY"):
        assert client.get(path, headers={name: "DELETE"}).status_code == 200
        assert client.get(f"{path}?_method=DELETE").status_code < 500
    assert rows() == before
