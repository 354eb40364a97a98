"""Servers that send too much, too slowly, too little, or to whom TLS must not be believed."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from providers import transport
from providers.errors import ProviderBadResponse, ProviderTransient
from providers.http import GuardedSession, Request
from tests.providers.origin import Answer, Origin, raw_server

PEM = Path(__file__).parent / "fixtures" / "tls" / "films.example.pem"
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def _trusting_the_test_certificate(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(certifi, "where", lambda: str(PEM))
    transport.tls_context.cache_clear()
    yield
    transport.tls_context.cache_clear()


def session(url: str, **options: Any) -> GuardedSession:
    return GuardedSession(
        provider="p", trusted_origins=[url], **{"max_retries": 0, "sleep": lambda s: None, **options}
    )


def films_example(port: int) -> GuardedSession:
    """A session for which every https name leads to a local port, through a public address."""
    return GuardedSession(
        provider="p",
        max_retries=0,
        resolve=lambda host, wanted: ["93.184.216.34"],
        dial=lambda address, wanted, timeout_s: transport.dial("127.0.0.1", port, timeout_s),
    )


def dripping(head: bytes, drop: bytes, pause_s: float = 0.02) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(drop)
            time.sleep(pause_s)

    return talk


def test_a_body_of_just_the_allowed_size_is_whole(origin: Origin) -> None:
    url = origin.on("/a", Answer(body=b"x" * 1000))
    assert not session(origin.url).send(Request(url=url, max_bytes=1000)).truncated


def test_a_body_too_large_is_a_bad_response_for_send_and_cut_off_by_fetch(origin: Origin) -> None:
    url = origin.on("/a", Answer(body=b"x" * 1001))
    with pytest.raises(ProviderBadResponse, match="larger than 1000 bytes"):
        session(origin.url).send(Request(url=url, max_bytes=1000))
    answer = session(origin.url).fetch(Request(url=url, max_bytes=1000))
    assert (answer.body, answer.truncated) == (b"x" * 1000, True)


@pytest.mark.parametrize(
    "head", [b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"Content-Length: 99999999999\r\n\r\n"]
)
def test_a_body_without_end_is_left_after_max_bytes(head: bytes) -> None:
    chunked = b"chunked" in head
    piece = (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") if chunked else b"x" * 0x4000
    with raw_server(dripping(HEAD + head, piece, pause_s=0)) as port:
        url = f"http://127.0.0.1:{port}"
        answer = session(url).fetch(Request(url=url, max_bytes=100_000, deadline_s=5))
    assert (len(answer.body), answer.truncated) == (100_000, True)


def test_the_body_of_a_redirect_is_not_read(origin: Origin) -> None:
    """requests would swallow it whole, even when it is told not to follow."""
    origin.on("/b", Answer(body=b"{}"))
    with raw_server(
        dripping(b"HTTP/1.1 302 Found\r\nLocation: " + origin.url.encode() + b"/b\r\n\r\n", b"x")
    ) as port:
        url = f"http://127.0.0.1:{port}"
        guarded = GuardedSession(provider="p", trusted_origins=[url, origin.url], max_retries=0)
        assert guarded.send(Request(url=url, deadline_s=5)).body == b"{}"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_answer_is_unpacked(origin: Origin, coding: str) -> None:
    packed = gzip.compress(b"film" * 100) if coding == "gzip" else zlib.compress(b"film" * 100)
    url = origin.on("/a", Answer(body=packed, headers={"Content-Encoding": coding}))
    assert session(origin.url).send(Request(url=url)).body == b"film" * 100


@pytest.mark.parametrize("wbits", [31, 15])
def test_a_compressed_bomb_is_never_unpacked(origin: Origin, wbits: int) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(50)) + packer.flush()
    coding = "gzip" if wbits == 31 else "deflate"
    url = origin.on("/a", Answer(body=bomb, headers={"Content-Encoding": coding}))
    guarded = session(origin.url)
    guarded.fetch(Request(url=origin.url))  # connections and buffers are there before the measuring
    tracemalloc.start()
    try:
        answer = guarded.fetch(Request(url=url, max_bytes=50_000))
        with pytest.raises(ProviderBadResponse):
            guarded.send(Request(url=url, max_bytes=50_000))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(answer.body) == 50_000
    assert peak < 3_000_000


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress", "x" * 1000])
def test_a_content_coding_that_we_did_not_ask_for_is_a_bad_response(origin: Origin, coding: str) -> None:
    url = origin.on("/a", Answer(headers={"Content-Encoding": coding}))
    with pytest.raises(ProviderBadResponse, match="content coding"):
        session(origin.url).fetch(Request(url=url))


def test_broken_compression_is_a_bad_response(origin: Origin) -> None:
    url = origin.on("/a", Answer(body=b"not gzip at all", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(ProviderBadResponse, match="compression"):
        session(origin.url).send(Request(url=url))


def test_a_body_that_is_cut_off_is_transient_and_retried(origin: Origin) -> None:
    slept: list[float] = []
    cut = Answer(body=b"half", headers={"Content-Length": "100", "Connection": "close"})
    url = origin.on("/a", cut, Answer(body=b"whole"))
    assert session(origin.url, max_retries=1, sleep=slept.append).send(Request(url=url)).body == b"whole"
    assert len(slept) == 1


def test_a_chunked_body_that_is_cut_off_is_transient() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n40\r\nhalf")

    with raw_server(talk) as port:
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(ProviderTransient):
            session(url).send(Request(url=url))


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (HEAD + b"Content-Length: 1000\r\n\r\n", b"x"),  # the body drips
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"X-Slow: ", b"x"),  # a header drips
        (b"", b"H"),  # the status line drips
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),  # it never comes to the point
        (
            HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10],
            b"\0\0\0\xff\xff",
        ),  # empty blocks
    ],
    ids=["body", "chunks", "header", "status", "continue", "empty blocks"],
)
def test_a_server_that_drips_is_left_at_the_deadline(head: bytes, drop: bytes) -> None:
    with raw_server(dripping(head, drop)) as port:
        url = f"http://127.0.0.1:{port}"
        started = time.monotonic()
        with pytest.raises(ProviderTransient, match="in time"):
            session(url).fetch(Request(url=url, deadline_s=0.25))
    assert 0.2 < time.monotonic() - started < 2


def test_a_server_that_says_nothing_is_left_at_the_deadline() -> None:
    with raw_server(lambda connection: time.sleep(3)) as port:
        url = f"http://127.0.0.1:{port}"
        with pytest.raises(ProviderTransient, match="in time"):
            session(url).fetch(Request(url=url, deadline_s=0.2))


def test_the_deadline_covers_all_redirects_together(origin: Origin) -> None:
    def slow_redirect(connection: socket.socket) -> None:
        time.sleep(0.2)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + next(targets) + b"\r\n\r\n")

    targets = iter(f"/{n}".encode() for n in range(10))
    with raw_server(slow_redirect) as port:
        url = f"http://127.0.0.1:{port}"
        # A busy machine may reach the deadline at any step of a request.
        with pytest.raises(ProviderTransient, match=r"in time|DeadlineExceeded"):
            session(url).fetch(Request(url=url, deadline_s=0.5))
    assert next(targets) in (b"/3", b"/2", b"/1")


def test_a_resolver_that_hangs_is_left_at_the_deadline() -> None:
    def resolve(host: str, port: int) -> list[str]:
        time.sleep(2)
        return ["93.184.216.34"]

    guarded = GuardedSession(provider="p", max_retries=0, resolve=resolve)
    started = time.monotonic()
    with pytest.raises(ProviderTransient) as caught:
        guarded.send(Request(url="http://films.example/", deadline_s=0.2))
    assert caught.value.unreachable
    assert time.monotonic() - started < 1.5


def test_a_resolver_that_hangs_is_given_no_more_threads_than_there_are_look_ups(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, answered = list[str](), threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        answered.wait(30)
        return []

    monkeypatch.setattr(transport, "_lookups", threading.BoundedSemaphore(2))
    guarded = GuardedSession(provider="p", max_retries=0, resolve=resolve)
    for number in range(4):
        with pytest.raises(ProviderTransient):
            guarded.send(Request(url=f"http://films{number}.example/", deadline_s=0.05))
    answered.set()
    assert asked == ["films0.example", "films1.example"]


@pytest.mark.parametrize(("deadline_s", "allowed_s"), [(15.0, 5.0), (2.0, 2.0)])
def test_a_connection_is_waited_for_five_seconds_at_most_and_no_longer_than_the_deadline(
    deadline_s: float, allowed_s: float
) -> None:
    waits = list[float]()

    def dial(address: str, port: int, timeout_s: float) -> socket.socket:
        waits.append(timeout_s)
        raise TimeoutError

    guarded = GuardedSession(
        provider="p", max_retries=0, resolve=lambda host, port: ["93.184.216.34"], dial=dial
    )
    with pytest.raises(ProviderTransient) as caught:
        guarded.send(Request(url="http://films.example/", deadline_s=deadline_s))
    assert caught.value.unreachable
    assert waits == [pytest.approx(allowed_s, abs=0.5)]
    assert waits[0] <= allowed_s


@pytest.mark.parametrize(("deadline_s", "allowed_s"), [(60.0, 10.0), (4.0, 4.0)])
def test_a_byte_is_waited_for_ten_seconds_at_most_and_no_longer_than_the_deadline(
    origin: Origin, deadline_s: float, allowed_s: float
) -> None:
    sockets = list[socket.socket]()

    def dial(address: str, port: int, timeout_s: float) -> socket.socket:
        sockets.append(transport.dial(address, port, timeout_s))
        return sockets[-1]

    session(origin.url, dial=dial).send(Request(url=origin.on("/", Answer()), deadline_s=deadline_s))
    (waited_s,) = (connection.gettimeout() for connection in sockets)
    assert waited_s is not None
    assert allowed_s - 1 < waited_s <= allowed_s


def answering(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")


@pytest.mark.usefixtures("_trusting_the_test_certificate")
def test_the_certificate_is_checked_against_the_name_not_the_address() -> None:
    with raw_server(answering, pem=PEM) as port:
        assert films_example(port).send(Request(url="https://films.example/")).json() == {}
        with pytest.raises(ProviderTransient, match="TLS") as caught:
            films_example(port).send(Request(url="https://other.example/"))
    assert caught.value.unreachable


def test_a_certificate_that_nobody_vouches_for_is_not_accepted() -> None:
    with raw_server(answering, pem=PEM) as port, pytest.raises(ProviderTransient, match="TLS"):
        films_example(port).send(Request(url="https://films.example/"))


@pytest.mark.usefixtures("_trusting_the_test_certificate")
@pytest.mark.parametrize("head", [HEAD + b"Content-Length: 1000\r\n\r\n", b""])
def test_the_deadline_holds_under_tls(head: bytes) -> None:
    with raw_server(dripping(head, b"H"), pem=PEM) as port:
        started = time.monotonic()
        with pytest.raises(ProviderTransient, match="in time"):
            films_example(port).fetch(Request(url="https://films.example/", deadline_s=0.3))
    assert time.monotonic() - started < 2


def test_the_deadline_holds_during_the_handshake() -> None:
    with raw_server(dripping(b"", b"\x16")) as port:
        started = time.monotonic()
        with pytest.raises(ProviderTransient):
            films_example(port).fetch(Request(url="https://films.example/", deadline_s=0.3))
    assert time.monotonic() - started < 2
