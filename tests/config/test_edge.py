"""The outermost layers, behind a real uvicorn: whom a request is from, and by which scheme it came."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from config import edge
from core import addresses
from streaming.live import http as live
from streaming.live.http import Receive, Scope, Send
from tests import loops

WATCHDOG_S = 10.0


async def tells(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with whom it was asked by."""
    told = {"client": live.client_address(scope), "scheme": scope["scheme"]}
    await live.whole(send, 200, "application/json", json.dumps(told).encode())


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """The port of a uvicorn that serves `app` with the switches of config.supervisor.processes."""
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="critical", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    give_up = time.monotonic() + WATCHDOG_S
    while not server.started:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(WATCHDOG_S)
        assert not thread.is_alive()


def ask(port: int, *headers: tuple[str, str]) -> dict[str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WATCHDOG_S)
    try:
        connection.putrequest("GET", "/")
        for name, value in headers:
            connection.putheader(name, value)
        connection.endheaders()
        told: dict[str, str] = json.loads(connection.getresponse().read())
        return told
    finally:
        connection.close()


@pytest.fixture(scope="module")
def behind() -> Iterator[int]:
    """A port whose proxies are this machine and 10.0.0.0/8."""
    with serving(edge.Proxies(tells, addresses.networks(["127.0.0.1", "10.0.0.0/8"]))) as port:
        yield port


@pytest.fixture(scope="module")
def alone() -> Iterator[int]:
    """A port that trusts nobody, which is the default."""
    with serving(edge.Proxies(tells, ())) as port:
        yield port


FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"


def test_a_trusted_proxy_is_believed(behind: int) -> None:
    told = ask(behind, (FOR, "203.0.113.5"), (PROTO, "https"))
    assert told == {"client": "203.0.113.5", "scheme": "https"}
    assert ask(behind) == {"client": "127.0.0.1", "scheme": "http"}


def test_lines_are_read_in_their_order_and_proxies_passed_over(behind: int) -> None:
    told = ask(behind, (FOR, "6.6.6.6, 2001:db8::5"), (FOR, "10.0.0.2"), (FOR, "10.0.0.1"))
    assert told["client"] == "2001:db8::5"
    assert ask(behind, (FOR, "6.6.6.6"), (FOR, "nonsense"))["client"] == "127.0.0.1"


@pytest.mark.parametrize(
    "name", ["Forwarded", "X-Real-IP", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"]
)
def test_no_other_header_is_read_from_anybody(behind: int, name: str) -> None:
    told = ask(behind, (name, "for=6.6.6.6;proto=https" if name == "Forwarded" else "6.6.6.6"))
    assert told == {"client": "127.0.0.1", "scheme": "http"}


@pytest.mark.parametrize("said", ["https, http", "http,https", "HTTP/2", "wss", "", "httpss", "\xff"])
def test_a_scheme_that_is_not_one_word_is_none(behind: int, said: str) -> None:
    assert ask(behind, (PROTO, said))["scheme"] == "http"
    assert ask(behind, (PROTO, "https"), (PROTO, "http"))["scheme"] == "http"


def test_by_default_not_even_this_machine_is_believed(alone: int) -> None:
    told = ask(alone, (FOR, "203.0.113.5"), (PROTO, "https"), ("Forwarded", "for=203.0.113.5"))
    assert told == {"client": "127.0.0.1", "scheme": "http"}


def answer_of(status: int, *lines: tuple[str, str]) -> live.ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        sent = [(name.encode(), value.encode()) for name, value in lines]
        await send({"type": "http.response.start", "status": status, "headers": sent})
        await send({"type": "http.response.body", "body": b""})

    return app


def headers_of(app: live.ASGIApp, scheme: str = "http", **scope: Any) -> list[tuple[str, str]]:
    """The head of what the layer answers with, line by line."""
    said: list[live.Message] = []

    async def send(message: live.Message) -> None:
        said.append(message)

    asked = {"type": "http", "method": "GET", "path": "/", "headers": [], "scheme": scheme, **scope}
    loops.run(app(asked, None, send))  # type: ignore[arg-type, func-returns-value]
    return [(name.decode().lower(), value.decode()) for name, value in said[0]["headers"]]


SHARED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def test_every_answer_gets_the_shared_headers_and_keeps_its_own() -> None:
    app = edge.Headers(
        answer_of(503, ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Referrer-Policy", "origin"))
    )
    lines = headers_of(app)
    assert [value for name, value in lines if name == "set-cookie"] == ["a=1", "b=2"]
    assert {**SHARED, "referrer-policy": "origin"}.items() <= dict(lines).items()
    assert len([name for name, _ in lines if name != "set-cookie"]) == len(dict(lines)) - 1


def test_what_is_no_page_may_do_nothing_as_a_document() -> None:
    for kind in ("application/json", "text/event-stream", "text/javascript", "image/svg+xml"):
        for own in ((), (("Content-Security-Policy", "default-src *"),)):
            lines = headers_of(edge.Headers(answer_of(200, ("Content-Type", kind), *own)))
            assert [v for n, v in lines if n == "content-security-policy"] == [edge.CLOSED_POLICY]
    assert dict(headers_of(edge.Headers(answer_of(204))))["content-security-policy"] == edge.CLOSED_POLICY


def test_a_page_without_a_policy_gets_the_pages_one_and_keeps_a_wider_one() -> None:
    page = ("Content-Type", "text/html; charset=utf-8")
    given = dict(headers_of(edge.Headers(answer_of(413, page))))["content-security-policy"]
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(given.split("; "))
    assert "unsafe" not in given
    own = ("Content-Security-Policy", "default-src 'self'")
    lines = headers_of(edge.Headers(answer_of(200, page, own)))
    assert [v for n, v in lines if n == "content-security-policy"] == ["default-src 'self'"]


def test_the_permissions_policy_names_what_players_need_and_closes_the_rest() -> None:
    told = dict(headers_of(edge.Headers(answer_of(200))))["permissions-policy"].split(", ")
    assert {"fullscreen=*", "picture-in-picture=*", "autoplay=*", "encrypted-media=*"} <= set(told)
    assert {"camera=()", "microphone=()", "geolocation=()", "payment=()", "usb=()"} <= set(told)
    assert {rule.partition("=")[2] for rule in told} == {"*", "()"}


def test_only_over_tls_browsers_are_told_to_keep_to_it(settings: Any) -> None:
    app = edge.Headers(answer_of(200))
    assert "strict-transport-security" not in dict(headers_of(app, "https"))
    settings.SECURE_HSTS_SECONDS = 31_536_000
    assert "strict-transport-security" not in dict(headers_of(app, "http"))
    assert dict(headers_of(app, "https"))["strict-transport-security"] == "max-age=31536000"


NO_HOST = "GET / HTTP/1.1\r\n\r\n"


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (NO_HOST, 400),
        ("GET / HTTP/1.1\r\nHost: a.example\r\nHost: b.example\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\nHost: a.example\r\nHost: b.example\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 200),
        ("GET / HTTP/1.0\r\n\r\n", 200),
    ],
)
def test_whoever_names_no_host_or_several_is_refused(request_head: str, status: int) -> None:
    with serving(edge.OneHost(tells)) as port, socket.create_connection(("127.0.0.1", port)) as wire:
        wire.settimeout(WATCHDOG_S)
        wire.sendall(request_head.encode())
        assert wire.makefile("rb").readline().split()[1] == str(status).encode()
