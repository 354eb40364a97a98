"""A thread of Django's works and never waits: not for a slow body, not for a slow reader."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvicorn

from config import intake, probes
from tests import loops

WORKERS = 2
MOST = 100_000
WATCHDOG_S = 10.0
HUNG, GO_ON = threading.Semaphore(0), threading.Event()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Says what it was asked; `/large` answers with 40 MB, `/hangs` not until GO_ON."""
    if environ["PATH_INFO"] == "/hangs":
        HUNG.release()
        GO_ON.wait(WATCHDOG_S)
    if environ["PATH_INFO"] == "/large":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"x" * 400_000] * 100
    if environ["PATH_INFO"] == "/fails":
        raise RuntimeError("on purpose")
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    told["body"] = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(told).encode()]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    app = intake.Intake(application, workers=WORKERS, max_body_bytes=MOST)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, lifespan="off", log_level="critical", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    give_up = time.monotonic() + WATCHDOG_S
    while not server.started:
        assert time.monotonic() < give_up
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(WATCHDOG_S)
    assert not thread.is_alive()


def _ask(port: int, method: str = "GET", path: str = "/", **options: Any) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WATCHDOG_S)
    try:
        connection.request(method, path, **options)
        response = connection.getresponse()
        body = response.read()
        return response.status, json.loads(body) if response.headers["content-type"].endswith(
            "json"
        ) else body
    finally:
        connection.close()


def _open(port: int, said: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=WATCHDOG_S)
    client.sendall(said)
    return client


def test_bodies_that_never_end_hold_no_thread(port: int) -> None:
    unfinished = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nonly this"
    clients = [_open(port, unfinished) for _ in range(5 * WORKERS)]
    assert _ask(port)[0] == 200
    for client in clients:
        client.close()
    assert _ask(port)[0] == 200


def test_readers_that_do_not_read_hold_no_thread(port: int) -> None:
    clients = [_open(port, b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(2 * WORKERS)]
    for client in clients:
        assert client.recv(12) == b"HTTP/1.1 200"
    assert _ask(port)[0] == 200
    for client in clients:
        client.close()
    assert _ask(port)[0] == 200


def test_a_body_arrives_whole_with_its_length_whatever_its_coding(port: int) -> None:
    body = "é" * 30_000
    assert _ask(port, "POST", body=body.encode())[1]["body"] == body
    pieces = iter([b"one ", b"two ", b"three"])
    told = _ask(port, "POST", body=pieces, encode_chunked=True, headers={"Transfer-Encoding": "chunked"})[1]
    assert (told["body"], told["CONTENT_LENGTH"]) == ("one two three", "13")
    assert "CONTENT_LENGTH" not in _ask(port)[1]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "form"), [(b"/api/", b"application/problem+json"), (b"/admin/", b"<h1>That is too large</h1>")]
)
def test_a_body_that_is_too_large_is_refused(port: int, chunked: bool, path: bytes, form: bytes) -> None:
    head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n"
    said = (
        head + b"Transfer-Encoding: chunked\r\n\r\n" if chunked else head + b"Content-Length: 100001\r\n\r\n"
    )
    with _open(port, said + (b"186a1\r\n" + b"x" * 100_001 + b"\r\n" if chunked else b"")) as client:
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert form in answer
    assert b"100000 bytes" in answer


def test_a_body_that_takes_too_long_is_refused(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "BODY_WITHIN_S", 0.1)
    with _open(port, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nslow") as client:
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_name_with_an_underscore_cannot_pose_as_one_that_a_proxy_guards(port: int) -> None:
    told = _ask(port, headers={"X_Forwarded_For": "6.6.6.6", "X-Real": "yes"})[1]
    assert told["HTTP_X_REAL"] == "yes"
    assert "HTTP_X_FORWARDED_FOR" not in told


def test_an_application_that_fails_is_an_error_and_the_next_request_is_served(port: int) -> None:
    assert _ask(port, path="/fails")[0] == 500
    assert _ask(port)[0] == 200


def test_threads_that_all_hang_leave_no_backlog(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(2 * WORKERS) as clients:
        hanging = [clients.submit(_ask, port, path="/hangs") for _ in range(WORKERS)]
        for _ in hanging:
            assert HUNG.acquire(timeout=WATCHDOG_S)
        monkeypatch.setattr(intake, "THREAD_WITHIN_S", 0.0)  # from now on nobody is in time
        waiting = [clients.submit(_ask, port) for _ in range(WORKERS)]
        GO_ON.set()
        assert [asked.result()[0] for asked in hanging] == [200] * WORKERS
        assert [asked.result()[0] for asked in waiting] == [503] * WORKERS
    monkeypatch.undo()
    assert _ask(port)[0] == 200


def test_alive_is_answered_whatever_hangs() -> None:
    async def rest(*_: Any) -> None:
        raise AssertionError("not here")

    async def ask(path: str, method: str = "GET") -> list[dict[str, Any]]:
        said: list[dict[str, Any]] = []

        async def send(message: Any) -> None:
            said.append(message)

        scope = {"type": "http", "path": path, "method": method, "headers": []}
        await probes.Probes(rest, apart={"/readyz": rest})(scope, None, send)  # type: ignore[arg-type]
        return said

    for path in ("/healthz", "/healthz/"):
        start, body = loops.run(ask(path))
        assert (start["status"], json.loads(body["body"])) == (200, {"status": "ok"})
    with pytest.raises(AssertionError):
        loops.run(ask("/healthzz"))
