"""What every adapter gets from its base class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

import pytest

from providers import rows
from providers.errors import ProviderBadResponse
from providers.messages import Response
from providers.options import ConfigField, problems
from providers.types import MovieRef, Rights, StreamCandidate
from tests.providers.broken.tidy import Tidy

TOKEN = "a/secret of+ours"
BUNNY = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207")
GOOD = {"url": "https://films.example.org/bbb.m3u8", "type": "hls", "licence": "CC BY 3.0"}


def answer(*rows: dict[str, str]) -> Sequence[Response]:
    body = json.dumps({"streams": rows}).encode()
    return [Response(status=200, headers={}, body=body, url="https://films.example.org/streams")]


@pytest.mark.parametrize("written", [TOKEN, quote(TOKEN), quote(TOKEN, safe=""), "a%2Fsecret+of%2Bours"])
@pytest.mark.parametrize("field", ["url", "quality", "licence"])
def test_a_stream_that_shows_a_secret_of_ours_is_left_out_and_counted(
    field: str, written: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Playback URLs are public by nature: one that carries our credentials never leaves the server."""
    provider = Tidy({"base_url": "https://films.example.org", "token": TOKEN}, name="films")
    revealing = {**GOOD, "url": "https://films.example.org/2.m3u8"}
    revealing[field] = revealing.get(field, "") + f"?token={written}"
    found = provider.read(BUNNY, answer(GOOD, revealing))
    assert [candidate.url for candidate in found.candidates] == [GOOD["url"]]
    assert found.skipped == 1, "so that its absence proves nothing"
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("url", ["", "bbb.m3u8", "https://", "https://films.example.org:port/bbb.m3u8"])
def test_a_candidate_without_an_address_is_a_bad_answer_of_its_provider(url: str) -> None:
    """And of nobody else: were it noticed when it is stored, a whole search would be lost."""
    provider = Tidy({"base_url": "https://films.example.org", "token": TOKEN}, name="films")
    with pytest.raises(ProviderBadResponse, match="films: not an absolute URL"):
        provider.read(BUNNY, answer(GOOD, {**GOOD, "url": url}))


def test_a_stream_that_is_not_of_the_web_is_a_bad_answer_of_its_provider() -> None:
    provider = Tidy({"base_url": "https://films.example.org", "token": TOKEN}, name="films")
    with pytest.raises(ProviderBadResponse, match="films: a stream is neither http nor https: 'javascript'"):
        provider.read(BUNNY, answer({**GOOD, "url": "javascript://films.example.org/%0aalert(1)"}))


@pytest.mark.parametrize(
    "page", ["javascript:alert(1)", " javascript://h/%0aalert(1)", "data:text/html,x", "//h/l"]
)
def test_a_licence_that_leads_to_a_script_is_a_bad_answer_of_its_provider(page: str) -> None:
    """It becomes a link on the page that viewers watch, and in whatever a frontend makes of it."""

    class Linking(Tidy):
        """Says where its licence can be read."""

        def candidate(self, row: rows.Row) -> StreamCandidate:
            return replace(super().candidate(row), rights=Rights(licence="L", licence_url=page))

    provider = Linking({"base_url": "https://films.example.org", "token": TOKEN}, name="films")
    with pytest.raises(ProviderBadResponse, match="films: a licence's page is neither http nor https"):
        provider.read(BUNNY, answer(GOOD))


def test_without_secrets_nothing_is_left_out() -> None:
    class Open(Tidy):
        """Its API needs no token of ours."""

        config_fields = Tidy.config_fields[:1]

    provider = Open({"base_url": "https://films.example.org"})
    read: tuple[StreamCandidate, ...] = provider.read(BUNNY, answer(GOOD)).candidates
    assert read == provider.parse_search(BUNNY, answer(GOOD)).candidates
    assert len(read) == 1


def test_a_secret_too_short_to_be_masked_is_refused_without_being_said() -> None:
    fields = (ConfigField(name="token", label="Token", help="Of the licence.", secret=True),)
    assert problems(fields, {"token": "sesame"}) == ()
    (said,) = problems(fields, {"token": "s3sam"})
    assert "token must have at least 6 characters" in said
    assert "s3sam" not in said
