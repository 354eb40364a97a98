"""The web process as `make run` starts it: what nobody gets past from outside."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import requests

from config.env import BASE_DIR
from config.supervisor import processes
from tests import servers
from tests.folders import temporary

pytestmark = pytest.mark.servers
WATCHDOG_S = 60.0
A_MINUTE = 10  # attempts to sign in, from one address
Start = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Starts a web process of a Marquee that is set up, with these variables; yields its URL."""
    with temporary() as folder, servers.valkey(folder) as redis_url:
        ours = {"DATA_DIR": str(folder), "REDIS_URL": redis_url, "DATABASE_URL": "", "MONGODB_URI": ""}
        ours |= {"CORS_ALLOWED_ORIGINS": ""}
        ours |= {"DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": str(BASE_DIR)}
        subprocess.run(
            processes.manage("setup"), env={**os.environ, **ours}, check=True, stdout=subprocess.DEVNULL
        )

        @contextmanager
        def web(**variables: str) -> Iterator[str]:
            port = servers.free_port()
            env = [f"{name}={value}" for name, value in {**ours, **variables}.items()]
            command = ["env", *env, *processes.web(port)]
            url = f"http://127.0.0.1:{port}"
            with servers.running(servers.Server(command, folder / "web.log", up=lambda: alive(url))):
                yield url

        yield web


@pytest.fixture(scope="module")
def plain(start: Start) -> Iterator[str]:
    """The URL of one with the defaults."""
    with start() as url:
        yield url


def alive(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=WATCHDOG_S).ok
    except requests.ConnectionError:
        return False


def ask(url: str, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers (by lower-case name) and text. No header is added, and none twice."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=WATCHDOG_S)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


SHARED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
NAMES = itertools.count(1)


def attempts(url: str, headers: Callable[[int], dict[str, str]]) -> list[int]:
    """What so many attempts to sign in get, each with another name, that at least one is one too many.

    A minute may turn meanwhile, once.
    """
    with requests.Session() as session:
        return [
            session.post(
                f"{url}/api/auth/login",
                json={"username": f"user-{next(NAMES)}"},  # without a password, nothing is looked up
                headers=headers(number),
                timeout=WATCHDOG_S,
            ).status_code
            for number in range(2 * A_MINUTE + 1)
        ]


FORGED = {
    "X-Forwarded-For": "203.0.113.{}",
    "X-Real-IP": "203.0.113.{}",
    "Forwarded": "for=203.0.113.{}",
    "X_Forwarded_For": "203.0.113.{}",
}


@pytest.mark.parametrize(
    ("method", "path", "status", "page"),
    [
        ("GET", "/healthz", 200, False),
        ("GET", "/api/nothing", 404, False),
        ("GET", "/nothing", 404, True),
        ("GET", "/static/core/icon.svg", 200, False),
        ("PUT", "/api/movies/1/stream-events", 405, False),
        ("POST", "/api/auth/login", 413, False),
        ("POST", "/admin/login/", 413, True),
        ("POST", "/admin/logout/", 403, True),
        ("GET", "/admin/login/", 200, True),
        ("GET", "/api/docs/", 200, True),
        ("GET", "/", 200, True),
        ("GET", "/watch/1", 404, True),
    ],
)
def test_every_answer_carries_its_headers(
    plain: str, method: str, path: str, status: int, page: bool
) -> None:
    size = {"Content-Length": "3000000"} if status == 413 else {}
    answered, headers, text = ask(plain, method, path, **size)
    assert answered == status
    assert SHARED.items() <= headers.items()
    assert "camera=()" in headers["permissions-policy"]
    policy = headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert ("script-src 'self'" in policy) is page
    assert headers["content-type"].startswith("text/html") is page
    if page:
        assert "style=" not in text
        assert "<style" not in text


def test_a_host_that_is_not_ours_gets_a_page_or_a_problem(plain: str) -> None:
    status, headers, text = ask(plain, "GET", "/", Host="evil.example")
    assert (status, headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert "<h1>That was not understood</h1>" in text
    for path in ("/api/movies", "/api/movies/1/stream-events"):
        status, headers, _ = ask(plain, "GET", path, Host="evil.example")
        assert (status, headers["content-type"]) == (400, "application/problem+json")


def test_nobody_escapes_by_saying_to_be_somebody_else(start: Start) -> None:
    with start() as url:
        forged = attempts(url, lambda n: {name: said.format(n) for name, said in FORGED.items()})
    assert set(forged) == {400, 429}


def test_behind_a_trusted_proxy_each_caller_counts_and_what_callers_write_does_not(start: Start) -> None:
    with start(TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8") as url:
        each = attempts(url, lambda n: {"X-Forwarded-For": f"2001:db8:{n:x}::1, 10.0.0.2"})
        assert set(each) == {400}
        forged = attempts(url, lambda n: {"X-Forwarded-For": f"203.0.113.{n}, 2001:db8:99::{n:x}, 10.0.0.2"})
        assert set(forged) == {400, 429}


APP = "https://app.example.org"


@pytest.fixture(scope="module")
def shared(start: Start) -> Iterator[str]:
    """The URL of one that APP may use."""
    with start(CORS_ALLOWED_ORIGINS=APP) as url:
        yield url


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/movies", 200),
        ("GET", "/api/movies/1", 404),
        ("GET", "/api/auth/me", 401),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/movies/1/stream-events", 404),
        ("PUT", "/api/movies/1/stream-events", 405),
        ("POST", "/api/auth/login", 413),
        ("OPTIONS", "/api/movies/1/stream-events", 204),
    ],
)
def test_whatever_the_api_answers_an_allowed_origin_may_read(
    shared: str, method: str, path: str, status: int
) -> None:
    size = {"Content-Length": "3000000"} if status == 413 else {}
    for origin, allowed in ((APP, APP), ("https://evil.example", None)):
        answered, headers, _ = ask(shared, method, path, Origin=origin, **size)
        assert answered == status
        assert headers.get("access-control-allow-origin") == allowed
        assert "access-control-allow-credentials" not in headers
        assert "Origin" in headers["vary"].split(", ")


def test_a_preflight_of_a_write_or_of_an_event_stream_is_answered(shared: str, plain: str) -> None:
    asked = {"Access_Control_Request_Method": "POST", "Origin": APP}
    for path in ("/api/movies/1/rollback", "/api/movies/1/stream-events"):
        assert ask(shared, "OPTIONS", path, **asked)[0] == 204
        assert ask(plain, "OPTIONS", path, **asked)[0] == 403


TV = {"Host": "tv.example.org"}
BY_TLS = {**TV, "X_Forwarded_For": "203.0.113.5", "X_Forwarded_Proto": "https"}


@pytest.fixture(scope="module")
def deployed(start: Start) -> Iterator[str]:
    """The URL of one that others reach, through a proxy on this machine."""
    with start(ALLOWED_HOSTS="tv.example.org", TRUSTED_PROXIES="127.0.0.1") as url:
        yield url


@pytest.fixture(scope="module")
def direct(start: Start) -> Iterator[str]:
    """The same without a proxy that is trusted."""
    with start(ALLOWED_HOSTS="tv.example.org", HTTPS_REDIRECT="false") as url:
        yield url


def test_by_plain_http_everybody_is_sent_on_to_https(deployed: str) -> None:
    for path in ("/", "/api/movies?q=moon", "/admin/login/", "/nothing"):
        for said in (TV, {**TV, "X_Forwarded_For": "203.0.113.5", "X_Forwarded_Proto": "http"}):
            status, headers, _ = ask(deployed, "GET", path, **said)
            assert (status, headers["location"]) == (301, f"https://tv.example.org{path}")
            assert "strict-transport-security" not in headers
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(deployed, "GET", path, **TV)[0] not in (301, 302)


@pytest.mark.parametrize("path", ["/", "/api/movies", "/nothing", "/api/movies/1/stream-events", "/healthz"])
def test_by_https_browsers_are_told_to_stay_with_it_whoever_answers(
    deployed: str, direct: str, path: str
) -> None:
    _, headers, _ = ask(deployed, "GET", path, **BY_TLS)
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in ask(direct, "GET", path, **BY_TLS)[1]


def test_the_back_office_is_signed_in_to_behind_a_proxy_by_cookies_for_https_alone(deployed: str) -> None:
    _, headers, text = ask(deployed, "GET", "/admin/login/", **BY_TLS)
    cookie, *attributes = headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-csrftoken=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert not [attribute for attribute in attributes if attribute.startswith("Domain")]
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', text)[0]
    form = {"csrfmiddlewaretoken": token, "username": "nobody", "password": "wrong"}
    sent = {name.replace("_", "-"): value for name, value in BY_TLS.items()} | {"Cookie": cookie}
    for origin, status in (("https://tv.example.org", 200), ("https://evil.example", 403)):
        answer = requests.post(
            f"{deployed}/admin/login/", form, headers={**sent, "Origin": origin}, timeout=WATCHDOG_S
        )
        assert answer.status_code == status


RAW = {
    "a request line of bytes": b"\xff\xfe\x00\r\n\r\n",
    "no host": b"GET /api/movies HTTP/1.1\r\n\r\n",
    "NUL in the path": b"GET /api/\x00movies HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "NUL escaped": b"GET /watch/%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "bytes in the path": b"GET /api/movies/\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "NUL in a header": b"GET /api/movies/1 HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: a\x00b\r\n\r\n",
    "a bare CR in a header": b"GET /api/nowhere HTTP/1.1\r\nHost: localhost\r\nA: a\rX-Evil: 1\r\n\r\n",
    "a folded header": b"GET /api/nowhere HTTP/1.1\r\nHost: localhost\r\nA: b\r\n X-Evil: 1\r\n"
    b"Connection: close\r\n\r\n",
    "two lengths": b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
    b"Content-Length: 9\r\n\r\n{}",
    "length and chunks": b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n",
    "a length below zero": b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    "another host's events": b"GET /api/movies/1/stream-events HTTP/1.1\r\nHost: evil.example\r\n"
    b"Connection: close\r\n\r\n",
    "events of nothing": b"GET /api/movies/2147483648/stream-events HTTP/1.1\r\nHost: localhost\r\n"
    b"Last-Event-ID: \xff:1\r\nConnection: close\r\n\r\n",
    "an endless line": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "endless headers": b"GET /api/nowhere HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 20_000 + b"\r\n",
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_what_is_no_http_is_refused_on_the_wire(plain: str, raw: bytes) -> None:
    host, port = plain.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=WATCHDOG_S) as wire:
        with contextlib.suppress(ConnectionError):
            wire.sendall(raw)
            wire.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while more := wire.recv(65536):
                answer += more
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert not answer or re.match(rb"http/1\.[01] 4\d\d ", head), answer[:300]
    assert b"\nx-evil" not in head
    assert b"evil.example" not in answer
    assert b"Traceback" not in answer
    assert alive(plain)
