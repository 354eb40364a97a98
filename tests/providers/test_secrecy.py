"""Whatever a secret consists of, wherever it is sent, and however a server throws it back: nobody reads it.

Hypothesis makes up secrets and servers; all that anybody could ever read is searched for each.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.redact import MASK, beginning, redact
from providers.adapters.catalogue import Catalogue
from providers.errors import ProviderError
from providers.http import GuardedSession, Request
from providers.probe import probe
from providers.types import Delivery, MovieRef, ProbeOutcome
from tests.providers.origin import Answer, Origin

BUNNY = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207", year=2008)

SIGNS = st.characters(min_codepoint=0x21, max_codepoint=0x7E)
SECRETS = st.one_of(
    st.text(SIGNS, min_size=8, max_size=60),
    st.text(st.characters(min_codepoint=0xA1, max_codepoint=0x17F), min_size=8, max_size=20),
    st.binary(min_size=9, max_size=40).map(lambda raw: base64.b64encode(raw).decode()),
).filter(lambda secret: MASK not in secret and len(set(secret)) > 4)

PLACES: Mapping[str, Callable[[str, str], Request]] = {
    "a parameter": lambda url, secret: Request(url=url, params={"q": secret, "page": "1"}),
    "a header": lambda url, secret: Request(url=url, headers={"X-Films": quote(secret)}),
    "the path": lambda url, secret: Request(url=f"{url}/{quote(secret, safe='')}"),
    "the query": lambda url, secret: Request(url=f"{url}?q={quote_plus(secret)}"),
}
SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as it is": str,
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a URL, in lower case": lambda secret: quote(secret, safe="").lower(),
    "in a form": quote_plus,
    "in JSON": lambda secret: json.dumps({"e": secret}),
    "in HTML": html.escape,
    "in base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "in Python": repr,
    "over and over": lambda secret: secret * (5000 // len(secret)),
}


def fitting(said: str, length: int) -> str:
    """A server that cuts a secret in half itself is beyond anybody's help."""
    return said if len(said) <= length else ""


ANSWERS: Mapping[str, Callable[[str], Answer]] = {
    "200": lambda said: Answer(200, said.encode()),
    "401": lambda said: Answer(401, said.encode()),
    "404": lambda said: Answer(404, said.encode()),
    "429": lambda said: Answer(429, said.encode(), {"Retry-After": "1"}),
    "500": lambda said: Answer(500, said.encode(), {"Content-Type": "text/html; charset=utf-8"}),
    "inwards": lambda said: Answer(302, b"", {"Location": f"http://10.0.0.1/{quote(fitting(said, 500))}"}),
    "to a host of that name": lambda said: Answer(
        302, b"", {"Location": f"http://{quote(fitting(said, 60))}.example:1/"}
    ),
    "cut off": lambda said: Answer(200, said.encode(), {"Content-Length": "99999", "Connection": "close"}),
    "no coding": lambda said: Answer(200, said.encode(), {"Content-Encoding": quote(fitting(said, 50))}),
}


class Readers(logging.Handler):
    """Everybody who reads a log, at any level, with any formatter."""

    def __init__(self) -> None:
        super().__init__(level=logging.DEBUG)
        self.read: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.read += [record.getMessage(), repr(record.args), str(record.exc_text)]
        if record.exc_info:
            self.read += traceback.format_exception(*record.exc_info)


@contextmanager
def reading() -> Iterator[list[str]]:
    root, readers = logging.getLogger(), Readers()
    level = root.level
    root.addHandler(readers)
    root.setLevel(logging.DEBUG)
    try:
        yield readers.read
    finally:
        root.setLevel(level)
        root.removeHandler(readers)


def said_of(error: BaseException) -> list[str]:
    """All that an error says, and all that it drags along."""
    said, chain = [], error
    while chain is not None:
        said += [str(chain), repr(chain), repr(vars(chain)), repr(chain.args)]
        chain = chain.__cause__ or chain.__context__  # type: ignore[assignment]
    return [*said, "".join(traceback.format_exception(error))]


def leaks(secret: str, said: list[str]) -> list[str]:
    text = "\n".join(said)
    spelt = {spell(secret) for name, spell in SPELLINGS.items() if name != "over and over"}
    halves = {secret[: 3 * len(secret) // 4]} if len(secret) > 12 else set()
    return [form for form in spelt | halves if form in text or form.lower() in text.lower()]


@pytest.mark.parametrize("place", PLACES)
@given(secret=SECRETS, spelling=st.sampled_from(sorted(SPELLINGS)), answer=st.sampled_from(sorted(ANSWERS)))
@example(secret="abcdefghijklmnopqrstuvwxyz0123456789ABCD", spelling="over and over", answer="401")
@example(secret='qu"ote\\and/slash', spelling="in JSON", answer="500")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_secret_is_never_read(origin: Origin, place: str, secret: str, spelling: str, answer: str) -> None:
    url = origin.url + "/films"
    wanted = PLACES[place](url, secret)
    path = wanted.url.removeprefix(origin.url).partition("?")[0]
    origin.on(path, ANSWERS[answer](SPELLINGS[spelling](secret)))
    guarded = GuardedSession(
        provider="p", trusted_origins=[origin.url], secrets=[secret], max_retries=1, sleep=lambda s: None
    )
    with reading() as said, guarded:
        for ask in (guarded.send, guarded.fetch):
            try:
                response = ask(wanted)
                said += [repr(response), str(response), response.excerpt(), response.shown]
                said += said_of(response.bad("it is not what was promised"))
            except ProviderError as error:
                said += said_of(error)
    assert leaks(secret, [*said, repr(wanted)]) == []


@given(secret=SECRETS, before=st.integers(0, 300), length=st.integers(0, 400))
def test_a_cut_divides_no_secret(secret: str, before: int, length: int) -> None:
    text = "." * before + secret + "." * 50
    shown = beginning(text, length, [secret])
    assert shown.strip(".") in ("", MASK)
    assert len(shown) <= length + len(MASK)


@given(secret=SECRETS, text=st.text(max_size=200))
def test_masking_twice_is_masking_once(secret: str, text: str) -> None:
    once = redact(f"{text}{secret}{text}", [secret])
    assert redact(once, [secret]) == once


@given(
    secret=SECRETS,
    row=st.dictionaries(
        st.sampled_from(["id", "url", "delivery", "quality", "languages", "rights"]), st.just("")
    ),
    spelling=st.sampled_from(sorted(SPELLINGS)),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_that_throw_our_token_back_are_skipped_in_silence_about_it(
    origin: Origin, secret: str, row: dict[str, str], spelling: str
) -> None:
    thrown = SPELLINGS[spelling](secret)
    token = quote(secret)  # what a header can carry
    rows = [dict.fromkeys(row, thrown), {**dict.fromkeys(row, thrown), "delivery": "hls"}]
    url = origin.on("/films.json", Answer(body=json.dumps({"renditions": rows, "movies": rows}).encode()))
    adapter = Catalogue({"url": url, "token": token}, name="films")
    guarded = GuardedSession(
        provider="films", trusted_origins=[origin.url], secrets=[token, secret], max_retries=0
    )
    with reading() as said, guarded:
        try:
            adapter.parse_search(BUNNY, list(adapter.ask(BUNNY, guarded.send)))
        except ProviderError as error:
            said += said_of(error)
    assert leaks(secret, said) == []


@pytest.mark.parametrize("secret", ["s3cret-Token-42", "jwt-" + "x7" * 60])
def test_a_manifest_that_gives_our_token_back_shows_it_in_no_evidence(origin: Origin, secret: str) -> None:
    """The name of what is gone is part of the evidence, and a server may have made it of anything."""
    playlist = f'#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="{secret}"\n{secret}.m3u8\n'
    url = origin.on("/film.m3u8", Answer(body=playlist.encode()))
    with GuardedSession(
        provider="p", trusted_origins=[origin.url], secrets=[secret], max_retries=0
    ) as guarded:
        found = probe(url, Delivery.HLS, guarded)
    assert found.outcome is ProbeOutcome.DEAD
    assert leaks(secret, [repr(found)]) == []
    assert "x7x7" not in found.evidence
    assert "answers 404" in found.evidence
