"""What the guarded session makes of answers: statuses, redirects, ranges, nonsense."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderMisconfigured,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTransient,
)
from providers.http import GuardedSession, Request, Response, Unhurried
from tests.providers.origin import Answer, Origin, raw_server

NOW = 1_800_000_000.0
OK = Answer(body=b'{"ok": true}')


def session(origin: Origin, slept: list[float] | None = None, **options: Any) -> GuardedSession:
    sleep = (slept if slept is not None else []).append
    given = {"sleep": sleep, "rng": lambda: 1.0, "wall_clock": lambda: NOW, **options}
    return GuardedSession(provider="p", trusted_origins=[origin.url], **given)


def test_an_answer_comes_with_status_headers_body_and_final_url(origin: Origin) -> None:
    url = origin.on("/a", Answer(body=b'{"n": 1}', headers={"Content-Type": "application/json"}))
    answer = session(origin).send(Request(url=url, params={"page": "2"}, headers={"Accept": "text/json"}))
    assert (answer.status, answer.json(), answer.truncated) == (200, {"n": 1}, False)
    assert answer.headers["content-TYPE"] == "application/json"
    assert answer.url == url + "?page=2"
    assert origin.asked[0].query == {"page": "2"}
    assert origin.asked[0].headers["accept"] == "text/json"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ProviderPermanent),
        (401, ProviderMisconfigured),
        (403, ProviderMisconfigured),
        (404, ProviderPermanent),
        (408, ProviderTransient),
        (410, ProviderPermanent),
        (422, ProviderPermanent),
        (429, ProviderRateLimited),
        (500, ProviderTransient),
        (502, ProviderTransient),
        (503, ProviderTransient),
    ],
)
def test_a_status_is_a_typed_error_for_send_and_an_answer_for_fetch(
    origin: Origin, status: int, error: type[ProviderError]
) -> None:
    url = origin.on("/a", Answer(status, b"because"))
    with pytest.raises(error) as caught:
        session(origin, max_retries=0).send(Request(url=url))
    assert type(caught.value) is error
    assert (caught.value.status, caught.value.answer, caught.value.provider) == (status, "because", "p")
    assert caught.value.request == f"GET {url}"
    assert session(origin).fetch(Request(url=url)).status == status
    assert len(origin.asked) == 2


def test_a_request_may_name_statuses_that_are_an_answer(origin: Origin) -> None:
    url = origin.on("/a", Answer(404, b"{}"))
    accepting = Request(url=url, accept_statuses=frozenset({404}), max_bytes=2)
    assert session(origin).send(accepting).status == 404
    with pytest.raises(ProviderPermanent):
        session(origin).send(Request(url=url, accept_statuses=frozenset({410})))
    origin.on("/a", Answer(404, b"too long"))
    with pytest.raises(ProviderBadResponse, match="larger"):
        session(origin).send(accepting)


def test_every_request_on_the_wire_passes_the_throttle(origin: Origin) -> None:
    passed: list[int] = []
    origin.on("/b", Answer(500), OK)
    url = origin.on("/a", Answer(302, headers={"Location": "/b"}))

    class Turnstile(Unhurried):
        def wait(self) -> float:
            passed.append(len(origin.asked))
            return 0.0

    guarded = session(origin, pace=Turnstile())
    guarded.send(Request(url=url))
    assert origin.paths() == ["/a", "/b", "/a", "/b"]
    assert passed == [0, 1, 2, 3]


def test_what_the_throttle_raises_reaches_the_caller(origin: Origin) -> None:
    class Full(Unhurried):
        def wait(self) -> float:
            raise ProviderRateLimited("the next free slot is too far away", retry_after_s=100)

    with pytest.raises(ProviderRateLimited, match="free slot"):
        session(origin, pace=Full()).send(Request(url=origin.url))
    assert origin.asked == []


def test_redirects_are_followed_to_the_final_url(origin: Origin) -> None:
    origin.on("/c", OK)
    origin.on("/b/x", Answer(307, headers={"Location": "../c#fragment"}))
    url = origin.on("/a", Answer(301, b"x" * 100, headers={"Location": "/b/x"}))
    assert session(origin).send(Request(url=url)).url == origin.url + "/c"


@pytest.mark.parametrize("location", ["/a", "/b"])
def test_a_redirect_loop_is_refused_at_once(origin: Origin, slept: list[float], location: str) -> None:
    origin.on("/b", Answer(302, headers={"Location": "/a"}))
    url = origin.on("/a", Answer(302, headers={"Location": location}))
    with pytest.raises(ProviderRefused, match="loop"):
        session(origin, slept).fetch(Request(url=url))
    assert len(origin.asked) <= 2
    assert slept == []


def test_five_redirects_are_followed_and_a_sixth_is_refused(origin: Origin) -> None:
    for n in range(6):
        origin.on(f"/{n}", Answer(302, headers={"Location": f"/{n + 1}"}))
    origin.on("/6", OK)
    assert session(origin).send(Request(url=origin.url + "/1")).status == 200
    with pytest.raises(ProviderRefused, match="more than 5"):
        session(origin).send(Request(url=origin.url + "/0"))


def test_a_redirect_to_another_origin_takes_no_credentials_along(origin: Origin) -> None:
    headers = {
        "Authorization": "Bearer abcdef123456",
        "Cookie": "a=b",
        "X-Api-Key": "k",
        "Accept": "video/mp4",
    }
    with Origin().running() as other:
        other.on("/film", OK)
        origin.on("/same", Answer(302, headers={"Location": other.url + "/film"}))
        url = origin.on("/a", Answer(302, headers={"Location": "/same"}))
        guarded = GuardedSession(provider="p", trusted_origins=[origin.url, other.url])
        guarded.send(Request(url=url, headers={**headers, "Accept": "video/mp4"}, range=(0, 9)))
        assert origin.asked[1].headers["authorization"] == "Bearer abcdef123456"
        sent = other.asked[0].headers
    assert {"authorization", "cookie", "x-api-key"}.isdisjoint(sent)
    assert (sent["accept"], sent["range"]) == ("video/mp4", "bytes=0-9")


def test_a_range_is_asked_for_in_bytes_of_the_file_itself(origin: Origin) -> None:
    url = origin.on("/film", Answer(206, b"0123456789"))
    assert session(origin).fetch(Request(url=url, range=(10, 19))).body == b"0123456789"
    assert origin.asked[0].headers["range"] == "bytes=10-19"
    assert origin.asked[0].headers["accept-encoding"] == "identity"


def test_cookies_are_not_kept(origin: Origin) -> None:
    url = origin.on("/a", Answer(headers={"Set-Cookie": "seen=1"}))
    guarded = session(origin)
    for _ in range(2):
        guarded.send(Request(url=url))
    assert "cookie" not in origin.asked[1].headers


def test_the_environment_has_no_say(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert session(origin).send(Request(url=origin.on("/a", OK))).status == 200


def test_nobody_listening_is_unreachable(origin: Origin) -> None:
    with raw_server(lambda connection: None) as port:
        url = f"http://127.0.0.1:{port}"
    guarded = GuardedSession(provider="p", trusted_origins=[url], max_retries=0)
    with pytest.raises(ProviderTransient, match="refused") as caught:
        guarded.fetch(Request(url=url))
    assert caught.value.unreachable


@pytest.mark.parametrize(
    "url", ["http://", "http:///x", "http://exa mple/", "http://\u2603\u2603/", "http://[::1/", "films", ""]
)
def test_what_is_no_url_is_permanent(url: str) -> None:
    with pytest.raises(ProviderPermanent):
        GuardedSession(provider="p").send(Request(url=url))


def test_headers_cannot_smuggle_a_second_request(origin: Origin) -> None:
    with pytest.raises(ProviderPermanent):
        session(origin).send(Request(url=origin.url, headers={"X": "1\r\nHost: evil.example"}))
    assert origin.asked == []


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": ', b"\xff\xfe\x00", b"[" * 100_000, b"9" * 5000])
def test_what_is_not_json_is_a_bad_response(body: bytes) -> None:
    with pytest.raises(ProviderBadResponse, match="not JSON"):
        Response(status=200, headers={}, body=body, url="http://x/").json()


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/html; charset=ISO-8859-1", b"caf\xe9", "caf\u00e9"),
        ("text/html", "caf\u00e9".encode(), "caf\u00e9"),
        ("text/plain; charset=nonsense", b"abc", "abc"),
        ("application/json", b"\xff", "\ufffd"),
    ],
)
def test_text_follows_the_declared_charset(kind: str, body: bytes, text: str) -> None:
    assert Response(status=200, headers={"content-type": kind}, body=body, url="http://x/").text() == text


def test_many_threads_share_one_session(origin: Origin) -> None:
    for n in range(8):
        origin.on(f"/{n}", Answer(body=json.dumps(n).encode()))
    guarded = session(origin)
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: guarded.send(Request(url=f"{origin.url}/{n % 8}")).json(), range(64))
    assert list(answers) == [n % 8 for n in range(64)]
