"""Pages of the origins that are named may read the API; no others may, and nobody with cookies."""

from __future__ import annotations

import pytest

from config import cors
from streaming.live import http as live
from streaming.live.http import Receive, Scope, Send
from tests import loops

APP, OTHER = "https://app.example.org", "http://localhost:5173"


async def django(scope: Scope, receive: Receive, send: Send) -> None:
    lines = [(b"Vary", b"Accept"), (b"vary", b"Cookie"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await send({"type": "http.response.start", "status": 418, "headers": lines})
    await send({"type": "http.response.body", "body": b"tea"})


def ask(path: str = "/api/movies", method: str = "GET", **headers: str) -> tuple[int, dict[str, str]]:
    said: list[live.Message] = []

    async def send(message: live.Message) -> None:
        said.append(message)

    lines = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": lines, "scheme": "http"}
    loops.run(cors.Cors(django, [APP, OTHER])(scope, None, send))  # type: ignore[arg-type]
    assert len([name for name, _ in said[0]["headers"] if name == b"set-cookie"]) in (0, 2)
    return said[0]["status"], {name.decode().lower(): v.decode() for name, v in said[0]["headers"]}


def sharing(headers: dict[str, str]) -> set[str]:
    return {name for name in headers if name.startswith("access-control-")}


@pytest.mark.parametrize("origin", [APP, OTHER])
def test_an_origin_on_the_list_may_read(origin: str) -> None:
    status, headers = ask(origin=origin)
    assert status == 418
    assert headers["access-control-allow-origin"] == origin
    exposed = {name.strip() for name in headers["access-control-expose-headers"].split(",")}
    assert exposed == {"ETag", "Link", "Location", "Retry-After", "X-Request-ID"}
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example.org",
        "https://app.example.org:8443",
        "https://app.example.org.evil.example",
        "https://sub.app.example.org",
        "https://APP.example.org",
        "https://app.example.org/",
        f"{APP}, https://evil.example",
        "null",
        "*",
        "",
        "\xff",
    ],
)
def test_no_other_origin_may_read(origin: str) -> None:
    status, headers = ask(origin=origin)
    assert (status, sharing(headers)) == (418, set())
    asked = {"origin": origin, "access_control_request_method": "POST"}
    status, headers = ask(method="OPTIONS", **asked)
    assert (status, sharing(headers)) == (403 if origin else 418, set())


def test_answers_differ_by_origin_and_say_so_whoever_asks() -> None:
    for headers in ({}, {"origin": APP}, {"origin": "https://evil.example"}):
        assert ask(**headers)[1]["vary"] == "Accept, Cookie, Origin"
        assert ask(method="OPTIONS", access_control_request_method="PUT", origin=APP)[1]["vary"] == "Origin"


def test_a_preflight_is_answered_before_anything_else() -> None:
    asked = {"access_control_request_method": "PATCH", "access_control_request_headers": "authorization"}
    status, headers = ask(method="OPTIONS", origin=APP, **asked)
    assert status == 204
    assert headers["access-control-allow-origin"] == APP
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(headers["access-control-allow-methods"].split(", "))
    assert {"Authorization", "If-None-Match"} <= set(headers["access-control-allow-headers"].split(", "))
    assert int(headers["access-control-max-age"]) <= 7200


def test_an_options_that_is_no_preflight_goes_on() -> None:
    assert ask(method="OPTIONS", origin=APP)[0] == 418
    assert ask(method="OPTIONS", access_control_request_method="PUT")[0] == 418


@pytest.mark.parametrize(
    "path", ["/", "/admin/", "/watch/1", "/static/a.js", "/healthz", "/metrics", "/apixyz"]
)
def test_pages_and_the_back_office_are_nobody_elses(path: str) -> None:
    status, headers = ask(path, origin=APP)
    assert (status, sharing(headers), headers["vary"]) == (418, set(), "Cookie")
