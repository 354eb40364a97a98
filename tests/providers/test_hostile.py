"""A server that means harm, and addresses that hide where they lead: each ends as a typed failure, and soon.

Loops, drips, bombs and plain sizes are in test_http_limits.py; the table of addresses is in test_guard.py.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from providers import transport
from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderPermanent,
    ProviderRefused,
    ProviderTransient,
)
from providers.http import GuardedSession, Request
from tests.providers.origin import Answer, Origin, raw_server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
KEY = "k3y-9f8e7d6c5b4a"
Talk = Callable[[socket.socket], None]


def saying(*parts: bytes, times: int = 1) -> Talk:
    def talk(connection: socket.socket) -> None:
        for _ in range(times):
            for part in parts:
                connection.sendall(part)
        connection.recv(1)

    return talk


def fetched(talk: Talk, *, max_bytes: int = 10_000) -> Exception | bytes:
    with raw_server(talk) as port:
        url = f"http://127.0.0.1:{port}"
        with GuardedSession(provider="p", trusted_origins=[url], max_retries=0) as guarded:
            try:
                return guarded.fetch(Request(url=url, max_bytes=max_bytes, deadline_s=2)).body
            except ProviderError as error:
                return error


# What is said instead of an answer


@pytest.mark.parametrize(
    ("talk", "expected"),
    [
        (saying(b"\x00\xff junk\r\n\r\n"), ProviderTransient),
        (saying(b"<html>HTTP/0.9 had no head</html>\r\n"), ProviderTransient),
        (saying(b"HTTP/1.1 abc OK\r\n\r\n"), ProviderTransient),
        (saying(b"HTTP/1.1 99999 OK\r\n\r\n"), ProviderTransient),
        (saying(b"H" * 100_000), ProviderTransient),
        (saying(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 5000), ProviderTransient),
        (saying(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000), ProviderTransient),
        (saying(b"HTTP/1.1 103 Early Hints\r\n\r\n"), ProviderBadResponse),
        (saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), ProviderBadResponse),
        (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"), ProviderTransient),
        (
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 200_000),
            ProviderTransient,
        ),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 99\r\n\r\n{}"), ProviderBadResponse),
    ],
    ids=[
        *(
            "junk",
            "0.9",
            "status",
            "long status",
            "endless status",
            "headers",
            "header",
            "hints",
            "switching",
        ),
        *("chunk size", "endless chunk size", "two lengths"),
    ],
)
def test_what_is_no_answer_is_a_typed_failure(talk: Talk, expected: type[ProviderError]) -> None:
    tracemalloc.start()
    try:
        error = fetched(talk)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert type(error) is expected, error
    assert peak < 3_000_000


@pytest.mark.parametrize("length", [b"-1", b"nonsense", b"1e3", b"0x10"])
def test_a_length_that_is_none_is_passed_over(length: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n{}")

    assert fetched(talk) == b"{}"


def test_a_body_longer_than_it_says_answers_no_later_request() -> None:
    """What lies behind an answer would be taken for the next one if the connection were used again."""
    smuggled = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsmuggle"

    def talk(connection: socket.socket) -> None:
        connection.sendall(OK + smuggled)
        while connection.recv(65_536):
            connection.sendall(OK + smuggled)

    with raw_server(talk) as port:
        url = f"http://127.0.0.1:{port}"
        with GuardedSession(provider="p", trusted_origins=[url], max_retries=0) as guarded:
            assert [guarded.fetch(Request(url=url)).body for _ in range(3)] == [b"{}"] * 3


def test_an_interim_answer_answers_no_later_request() -> None:
    with raw_server(saying(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK)) as port:
        url = f"http://127.0.0.1:{port}"
        with GuardedSession(provider="p", trusted_origins=[url], max_retries=0) as guarded:
            for _ in range(3):
                with pytest.raises(ProviderBadResponse, match="103"):
                    guarded.fetch(Request(url=url))


# Addresses that hide where they lead


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1./",
        "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",  # full-width digits
        "http://127\u30020\u30020\u30021/",  # ideographic full stops
        "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",  # circled digits
        "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",  # circled letters
        "http://loc\u00adalhost/",  # a soft hyphen
        "http://[::1%25lo]/",
        "http://[fe80::1%25eth0]/",
        "http://[::ffff:0:127.0.0.1]/",
        "http://0177.0.0.1/",
        "http://127.0.0.1%00.example.org/",
        "http://127.0.0.1%0d%0a.example.org/",
        "http:\\\\127.0.0.1/",
        "http:/\\127.0.0.1/",
        "http://127.0.0.1\t/",
        "\x00http://127.0.0.1/",
        " http://127.0.0.1/",
        "HTTP://127.0.0.1/",
        "http://[::]:80/",
        "jar:http://127.0.0.1/!",
    ],
)
def test_no_spelling_leads_inwards(url: str) -> None:
    def dial(address: str, port: int, timeout_s: float) -> socket.socket:
        raise AssertionError(f"connected to {address}")

    with (
        GuardedSession(provider="p", max_retries=0, dial=dial) as guarded,
        pytest.raises(ProviderError) as caught,
    ):
        guarded.fetch(Request(url=url, deadline_s=5))
    assert isinstance(caught.value, ProviderPermanent) or getattr(caught.value, "unreachable", False)


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/.films.example",
        "http://films.example.evil.example/",
        "http://films.example@evil.example/",
        "http://evil.example#films.example",
        "http://evil.example?films.example",
        "http://evil.example\\.films.example/",
        "http://xn--films-example/",
        "http://\u0192ilms.example/",  # looks alike
    ],
)
def test_no_spelling_passes_the_list_of_hosts(url: str) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise AssertionError(f"looked up {host}")

    guarded = GuardedSession(
        provider="p", max_retries=0, allowed_hosts=["films.example", "*.films.example"], resolve=resolve
    )
    with guarded, pytest.raises(ProviderRefused):
        guarded.fetch(Request(url=url))


def test_an_international_name_is_one_host_in_both_its_spellings() -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return []

    with GuardedSession(
        provider="p", max_retries=0, allowed_hosts=["b\u00fccher.example"], resolve=resolve
    ) as guarded:
        for url in (
            "http://b\u00fccher.example/",
            "http://xn--bcher-kva.example/",
            "http://B\u00dcCHER.example./",
        ):
            with pytest.raises(ProviderRefused, match="no public address"):
                guarded.fetch(Request(url=url))
    assert asked == ["xn--bcher-kva.example"] * 3


# Redirects


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:1/\r\nX-Evil: 1",
        "/film%0d%0aX-Evil:%201",
        "/film\tx",
        "/fi lm",
        "/f\u00eblm",
        "?" + "x" * 60_000,
    ],
)
def test_what_a_redirect_says_adds_no_header(location: str) -> None:
    heads: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
        connection.sendall(head + location.encode() + b"\r\n\r\n")
        heads.append(connection.recv(100_000))
        connection.sendall(OK)

    fetched(talk)
    assert all(b"\r\nX-Evil" not in head for head in heads)
    assert all(line.count(b" ") == 2 for head in heads if head for line in [head.partition(b"\r\n")[0]])


@pytest.mark.parametrize("part", ["url", "params"])
def test_what_a_request_says_adds_no_header(origin: Origin, part: str) -> None:
    evil = "a\r\nX-Evil: 1\r\n\r\nGET /second HTTP/1.1\r\n"
    wanted = (
        Request(url=f"{origin.url}/{evil}") if part == "url" else Request(url=origin.url, params={"q": evil})
    )
    with GuardedSession(provider="p", trusted_origins=[origin.url], max_retries=0) as guarded:
        guarded.fetch(wanted)
    (asked,) = origin.asked
    assert "x-evil" not in asked.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_go_nowhere_but_to_their_own_origin(origin: Origin, status: int) -> None:
    """Neither to another port nor, unencrypted, to the same name."""
    sent = {"Authorization": f"Bearer {KEY}", "X-Api-Key": KEY, "Cookie": KEY, "Referer": KEY}
    with Origin().running() as other:
        other.on("/film", Answer())
        origin.on("/a", Answer(status, headers={"Location": f"{other.url}/film"}))
        both = [origin.url, other.url]
        with GuardedSession(provider="p", trusted_origins=both, max_retries=0) as guarded:
            guarded.send(Request(url=f"{origin.url}/a", params={"api_key": KEY}, headers=sent))
        (asked,) = other.asked
    assert KEY not in str(asked)


def test_a_redirect_may_not_change_ports_to_get_in(origin: Origin) -> None:
    for target in ("http://films.example:8080/", "http://films.example:0/", "https://films.example:80443/"):
        origin.on("/a", Answer(302, headers={"Location": target}))
        with (
            GuardedSession(provider="p", trusted_origins=[origin.url], max_retries=0) as guarded,
            pytest.raises(ProviderRefused),
        ):
            guarded.fetch(Request(url=f"{origin.url}/a"))


# What surrounds us


def test_neither_proxies_nor_netrc_nor_bundles_of_the_environment_count(
    origin: Origin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login user password {KEY}\n")
    (tmp_path / ".netrc").chmod(0o600)
    for name in ("HOME", "NETRC"):
        monkeypatch.setenv(name, str(tmp_path / ".netrc" if name == "NETRC" else tmp_path))
    for name in (
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    ):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with GuardedSession(provider="p", trusted_origins=[origin.url], max_retries=0) as guarded:
        guarded.send(Request(url=origin.on("/a", Answer())))
    assert "authorization" not in origin.asked[0].headers


def certificate(folder: Path, *, days: int, name: str) -> Path:
    """A certificate that is its own authority, and its key, in one file."""
    code = """
import datetime, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
path, days, host = sys.argv[1], int(sys.argv[2]), sys.argv[3]
key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    .serial_number(1).not_valid_before(ends - datetime.timedelta(days=30)).not_valid_after(ends)
    .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
    .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True))
made = made.sign(key, hashes.SHA256())
coded = serialization.Encoding.PEM
open(path, "wb").write(made.public_bytes(coded) + key.private_bytes(
    coded, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
"""
    path = folder / f"{name}{days}.pem"
    subprocess.run([sys.executable, "-c", code, str(path), str(days), name], check=True, timeout=60)
    return path


@pytest.mark.parametrize(
    ("days", "name", "known", "accepted"),
    [
        (10, "localhost", True, True),
        (10, "localhost", False, False),
        (-5, "localhost", True, False),
        (10, "elsewhere.example", True, False),
    ],
    ids=["good", "self-signed", "expired", "another's"],
)
def test_a_trusted_origin_has_to_prove_itself_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, name: str, known: bool, accepted: bool
) -> None:
    """HTTP_TRUSTED_ORIGINS says where we may go, not whom we believe."""
    pem = certificate(tmp_path, days=days, name=name)
    if known:
        monkeypatch.setattr("certifi.where", lambda: str(pem))
    transport.tls_context.cache_clear()
    try:
        with raw_server(saying(OK), pem=pem) as port:
            url = f"https://localhost:{port}"
            with GuardedSession(provider="p", trusted_origins=[url], max_retries=0) as guarded:
                if accepted:
                    assert guarded.send(Request(url=url)).body == b"{}"
                else:
                    with pytest.raises(ProviderTransient, match="TLS"):
                        guarded.send(Request(url=url))
    finally:
        transport.tls_context.cache_clear()
