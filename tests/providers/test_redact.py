"""A secret that is sent is never shown: in no error, no log line at any level, no repr, no traceback."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from urllib.parse import quote

import pytest

from core.redact import redact, shown_url
from providers.errors import ProviderError
from providers.http import GuardedSession, Request
from tests.providers.origin import Answer, Origin, raw_server

KEY = "k3y-9f8e7d6c5b4a/+="
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJxdWVlIn0.c2lnbmF0dXJl"
PATH_SECRET = "subscriber-4711"


def request(url: str, **options: object) -> Request:
    return Request(
        url=url,
        params={"api_key": KEY, "page": "3"},
        headers={"Authorization": f"Bearer {TOKEN}", "X-Auth-Token": TOKEN},
        **options,  # type: ignore[arg-type]
    )


def leaks(text: str) -> list[str]:
    return [secret for secret in (KEY, quote(KEY, safe=""), quote(KEY), TOKEN, PATH_SECRET) if secret in text]


def everything_said_of(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    said = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    context = error.__cause__ or error.__context__
    return "\n".join([*said, repr(context), caplog.text, *(str(r.args) for r in caplog.records)])


TROUBLES: dict[str, Callable[[Origin], str]] = {
    "echoed by a 401": lambda origin: origin.on(
        f"/{PATH_SECRET}/a", Answer(401, f'{{"status_message": "no such key {KEY} or {TOKEN}"}}'.encode())
    ),
    "rate limited": lambda origin: origin.on(
        f"/{PATH_SECRET}/a", Answer(429, KEY.encode(), {"Retry-After": "1"})
    ),
    "server error": lambda origin: origin.on(f"/{PATH_SECRET}/a", Answer(500, f"token={TOKEN}".encode())),
    "too large": lambda origin: origin.on(f"/{PATH_SECRET}/a", Answer(body=b"x" * 5000)),
    "redirected away": lambda origin: origin.on(
        f"/{PATH_SECRET}/a", Answer(302, headers={"Location": f"http://10.0.0.1/?api_key={quote(KEY)}"})
    ),
    "cut off": lambda origin: origin.on(
        f"/{PATH_SECRET}/a", Answer(headers={"Content-Length": "99", "Connection": "close"})
    ),
    "broken header": lambda origin: origin.on(f"/{PATH_SECRET}/a", Answer(500, headers={"X y\x00": "z"})),
    "refused": lambda origin: f"http://127.0.0.1/{PATH_SECRET}/a",
    "no such scheme": lambda origin: f"ftp://user:{KEY}@films.example/{PATH_SECRET}",
    "no URL at all": lambda origin: f"http://[::1/{PATH_SECRET}?token={TOKEN}",
    "no host name": lambda origin: f"http://exa mple/{PATH_SECRET}?token={TOKEN}",
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_no_failure_shows_a_secret(origin: Origin, caplog: pytest.LogCaptureFixture, trouble: str) -> None:
    caplog.set_level(logging.DEBUG)
    guarded = GuardedSession(
        provider="p", trusted_origins=[origin.url], secrets=[PATH_SECRET], max_retries=1, sleep=lambda s: None
    )
    with pytest.raises(ProviderError) as caught:
        guarded.send(request(TROUBLES[trouble](origin), max_bytes=1000))
    assert leaks(everything_said_of(caught.value, caplog)) == []


def test_a_broken_connection_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with raw_server(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n")) as port:
        url = f"http://127.0.0.1:{port}"
        guarded = GuardedSession(provider="p", trusted_origins=[url], max_retries=0, secrets=[PATH_SECRET])
        guarded.fetch(request(f"{url}/{PATH_SECRET}"))
    with pytest.raises(ProviderError) as caught:
        guarded.fetch(request(f"{url}/{PATH_SECRET}"))
    assert leaks(everything_said_of(caught.value, caplog)) == []


def test_a_credential_that_is_no_header_is_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    wanted = Request(url="http://films.example/", headers={"Authorization": f"Bearer {TOKEN}\n"})
    with pytest.raises(ProviderError) as caught:
        GuardedSession(provider="p").send(wanted)
    assert leaks(everything_said_of(caught.value, caplog)) == []


def test_success_shows_no_secret_either(origin: Origin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    wanted = request(origin.on("/a", Answer(body=b"{}")))
    answer = GuardedSession(provider="p", trusted_origins=[origin.url]).send(wanted)
    assert leaks(repr(wanted) + repr(answer) + caplog.text) == []
    assert origin.asked[0].query["api_key"] == KEY
    assert origin.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_what_helps_to_understand_stays_readable(origin: Origin) -> None:
    url = origin.on("/a", Answer(404, b'{"status_message": "Invalid API key: You must be granted one."}'))
    with pytest.raises(ProviderError) as caught:
        GuardedSession(provider="p", trusted_origins=[origin.url]).send(request(url))
    assert caught.value.request == f"GET {url}?api_key=***&page=3"
    assert caught.value.answer == '{"status_message": "Invalid API key: You must be granted one."}'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://h/p?api_key=abc&page=2", "http://h/p?api_key=***&page=2"),
        ("https://user:pw@h/p#f", "https://***@h/p"),
        (
            "http://h/get.php?username=joe&password=x&type=m3u",
            "http://h/get.php?username=***&password=***&type=m3u",
        ),
        ("http://h/v.mp4?X-Amz-Signature=abc&Expires=1", "http://h/v.mp4?X-Amz-Signature=***&Expires=1"),
        ("http://h/p?language=en&region=CH", "http://h/p?language=en&region=CH"),
        ("http://[broken?token=abcdef", "http://[broken?token=***"),
    ],
)
def test_urls_are_shown_without_what_is_secret_by_name(text: str, shown: str) -> None:
    assert shown_url(text) == shown


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"access_token": "abc", "page": 1}', '{"access_token": "***", "page": 1}'),
        ("Authorization: Basic dXNlcjpwdw==", "Authorization: ***"),
        ("sent Bearer abcdef.ghi to them", "sent Bearer *** to them"),
        (
            "Invalid API key: You must be granted a valid key.",
            "Invalid API key: You must be granted a valid key.",
        ),
        ("a basic mistake", "a basic mistake"),
    ],
)
def test_texts_are_masked_by_shape(text: str, masked: str) -> None:
    assert redact(text) == masked


@pytest.mark.parametrize("form", ["a/b c+d%e", "a%2Fb%20c%2Bd%25e", "a/b%20c%2Bd%25e", "a%2Fb+c%2Bd%25e"])
def test_a_known_secret_is_masked_however_it_is_quoted(form: str) -> None:
    assert redact(f"http://h/{form}/film", ["a/b c+d%e"]) == "http://h/***/film"


def test_urllib3_still_warns_but_without_the_path(caplog: pytest.LogCaptureFixture) -> None:
    GuardedSession(provider="p")
    logger = logging.getLogger("urllib3.connection")
    logger.warning("Failed to parse headers (url=%s): %s", f"http://h/{PATH_SECRET}?k={KEY}", "defects")
    logger.debug("%s", KEY)
    assert caplog.messages == ["Failed to parse headers (url=http://h/…): defects"]
