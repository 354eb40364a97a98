"""The library adapter, on the format that docs/library-format.md promises."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.library import Library
from providers.errors import ProviderBadResponse, ProviderMisconfigured, ProviderTransient
from providers.http import GuardedSession
from providers.messages import Response
from providers.renditions import DELIVERIES
from providers.types import Delivery, MovieRef, Rights, SearchAnswer, StreamCandidate
from tests.providers.media import MediaOrigin

BASE = "https://media.example.org/library"
BUNNY = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207", year=2008)
FORMAT = (Path(__file__).parents[2] / "docs" / "library-format.md").read_text()
SHORT: dict[str, Any] = {"url": "a.mp4", "delivery": "progressive"}


def library(**config: object) -> Library:
    return Library({"base_url": BASE, **config})


def answer(body: object, *, status: int = 200, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=status, headers=names, body=raw, url=f"{BASE}/movies/10378.json")


def read(body: object, **options: Any) -> SearchAnswer:
    return library().parse_search(BUNNY, [answer(body, **options)])


def test_one_small_file_per_film_is_asked_for() -> None:
    (request,) = library(base_url=f" {BASE}/\n").build_search(BUNNY)
    assert request.url == "https://media.example.org/library/movies/10378.json"


def test_the_example_in_the_documentation_is_read_as_documented() -> None:
    example = re.search(r"```json\n(.+?)```", FORMAT, re.DOTALL)
    assert example
    assert read(json.loads(example[1])).candidates == (
        StreamCandidate(
            url="https://media.example.org/library/media/big-buck-bunny/1080p.m3u8",
            delivery=Delivery.HLS,
            ref="bbb-1080",
            claimed="1080p",
            languages=("en",),
            rights=Rights(
                licence="CC BY 3.0",
                licence_url="https://creativecommons.org/licenses/by/3.0/",
                attribution="Blender Foundation | www.blender.org",
                valid_until=datetime(2031, 1, 1, tzinfo=UTC),
            ),
        ),
    )


def test_every_field_and_delivery_of_the_documentation_is_known() -> None:
    row = {
        **SHORT,
        "id": "x",
        "quality": "4K UHD",
        "edition": "Director's Cut",
        "languages": ["de-CH", "en", "en"],
        "subtitles": ["fr"],
        "url_expires_at": "2030-05-01T12:00:00+02:00",
        "rights": {"territories": ["CH", "AT"], "valid_from": "2026-01-01T00:00:00Z"},
    }
    documented = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.+?) \|", FORMAT, re.MULTILINE))))
    assert set(row) <= documented
    assert all(f"`{delivery}`" in FORMAT for delivery in DELIVERIES)
    (found,) = read({"renditions": [row]}).candidates
    assert found.languages == ("de-CH", "en")
    assert found.url_expires_at == datetime(2030, 5, 1, 10, tzinfo=UTC)
    assert found.rights == Rights(territories=("CH", "AT"), valid_from=datetime(2026, 1, 1, tzinfo=UTC))
    assert (found.claimed, found.edition, found.subtitles) == ("4K UHD", "Director's Cut", ("fr",))


@pytest.mark.parametrize(
    ("given_url", "resolved"),
    [
        ("a.mp4", f"{BASE}/movies/a.mp4"),
        ("../media/a.mp4", f"{BASE}/media/a.mp4"),
        ("/elsewhere/a.mp4", "https://media.example.org/elsewhere/a.mp4"),
        ("//cdn.example.org/a.mp4", "https://cdn.example.org/a.mp4"),
        ("http://cdn.example.org/a.mp4?x=1", "http://cdn.example.org/a.mp4?x=1"),
    ],
)
def test_addresses_are_relative_to_the_file(given_url: str, resolved: str) -> None:
    (found,) = read({"renditions": [{**SHORT, "url": given_url}]}).candidates
    assert found.url == resolved


@pytest.mark.parametrize("status", [404, 410])
def test_no_file_is_a_complete_answer(status: int) -> None:
    found = library().parse_search(BUNNY, [answer(b"<html>gone", status=status, Cache_Control="max-age=60")])
    assert found == SearchAnswer(candidates=(), fresh_for_s=60)


def test_an_empty_list_is_a_complete_answer() -> None:
    assert read({"renditions": []}) == SearchAnswer(candidates=())


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("max-age=300", 300),
        ("public, max-age=300, must-revalidate", 300),
        ("MAX-AGE=300", 300),
        ('max-age="300"', 300),
        ("max-age=1", 30),
        ("max-age=99999999", 30 * 24 * 3600),
        ("max-age=999999999999999", 30 * 24 * 3600),
        ("s-maxage=300", None),
        ("no-store, max-age=300", None),
        ("no-cache", None),
        ("max-age=soon", None),
        ("max-age=-5", None),
        ("", None),
    ],
)
def test_the_origin_says_how_long_its_answer_holds(header: str, seconds: int | None) -> None:
    assert read({"renditions": []}, Cache_Control=header).fresh_for_s == seconds


@pytest.mark.parametrize(
    "wrong",
    [
        "a.mp4",
        None,
        [],
        {},
        {**SHORT, "url": ""},
        {**SHORT, "url": 7},
        {**SHORT, "url": "ftp://media.example.org/a.mp4"},
        {**SHORT, "url": "javascript:alert(1)"},
        {**SHORT, "url": "file:///etc/passwd"},
        {**SHORT, "url": "https://user:secret@media.example.org/a.mp4"},
        {**SHORT, "url": "https://"},
        {**SHORT, "url": "http://[::1/a.mp4"},
        {**SHORT, "url": "http://media.example.org:port/a.mp4"},
        {**SHORT, "url": "http://media.example.org:port/a.mp4", "id": "x"},
        {**SHORT, "url": "https:a.mp4"},
        {**SHORT, "url": "a" * 2001},
        {**SHORT, "url": "a\nb"},
        {**SHORT, "delivery": "embed"},
        {**SHORT, "delivery": "HLS"},
        {**SHORT, "delivery": ["hls"]},
        {"url": "a.mp4"},
        {**SHORT, "id": 5},
        {**SHORT, "id": "x" * 201},
        {**SHORT, "quality": ["1080p"]},
        {**SHORT, "languages": "en"},
        {**SHORT, "languages": ["English language"]},
        {**SHORT, "languages": [1]},
        {**SHORT, "rights": "mine"},
        {**SHORT, "rights": {"territories": "CH"}},
        {**SHORT, "rights": {"territories": ["ch"]}},
        {**SHORT, "rights": {"valid_until": "tomorrow"}},
        {**SHORT, "rights": {"valid_until": "2031-01-01T00:00:00"}},
        {**SHORT, "rights": {"valid_from": 0}},
        {**SHORT, "url_expires_at": "never"},
    ],
)
def test_a_malformed_rendition_is_skipped_counted_and_logged(
    wrong: object, caplog: pytest.LogCaptureFixture
) -> None:
    found = read({"renditions": [wrong, {**SHORT, "id": "good"}]})
    assert [candidate.ref for candidate in found.candidates] == ["good"]
    assert found.skipped == 1
    assert "rendition 0 of movie 10378 skipped" in caplog.text
    assert "secret" not in caplog.text


def test_the_log_says_what_was_expected(caplog: pytest.LogCaptureFixture) -> None:
    read({"renditions": [{**SHORT, "delivery": "tape"}]})
    assert "delivery must be one of hls, dash, progressive, got 'tape'" in caplog.text


@pytest.mark.parametrize("rows", [[{**SHORT, "id": "x"}, {**SHORT, "id": "x"}], [SHORT, SHORT]])
def test_the_same_rendition_twice_is_one(rows: list[object], caplog: pytest.LogCaptureFixture) -> None:
    found = read({"renditions": rows})
    assert (len(found.candidates), found.skipped) == (1, 1)
    assert "is listed twice" in caplog.text


def test_of_two_renditions_with_one_id_the_first_counts() -> None:
    (found,) = read({"renditions": [{**SHORT, "id": "x"}, {**SHORT, "id": "x", "url": "b.mp4"}]}).candidates
    assert found.url.endswith("/a.mp4")


def test_null_means_absent() -> None:
    row = dict.fromkeys(["id", "quality", "edition", "languages", "subtitles", "rights", "url_expires_at"])
    assert read({"renditions": [{**SHORT, **row}]}) == read({"renditions": [SHORT]})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"renditions": {}}',
        b'{"renditions": null}',
        b"[" * 99_999,
    ],
)
def test_an_answer_of_another_form_is_a_bad_response(body: bytes) -> None:
    with pytest.raises(ProviderBadResponse):
        read(body)


def test_too_many_renditions_are_a_bad_response() -> None:
    with pytest.raises(ProviderBadResponse, match="at most 200"):
        read({"renditions": [{**SHORT, "id": str(number)} for number in range(201)]})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = [
    "id",
    "url",
    "delivery",
    "quality",
    "edition",
    "languages",
    "subtitles",
    "rights",
    "url_expires_at",
]
_RIGHTS = ["licence", "licence_url", "attribution", "territories", "valid_from", "valid_until"]
_ROWS = st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=5).map(lambda row: {**SHORT, **row})
_RIGHTS_ROWS = st.dictionaries(st.sampled_from(_RIGHTS), _JSON, max_size=3).map(
    lambda row: {**SHORT, "rights": row}
)


@settings(deadline=None)
@given(st.lists(st.one_of(_JSON, _ROWS, _RIGHTS_ROWS), max_size=4))
def test_no_rows_crash_the_reading(rows: list[object]) -> None:
    found = read({"renditions": rows})
    assert len(found.candidates) + found.skipped == len(rows)


def test_over_http_a_missing_film_is_an_answer_and_a_broken_origin_is_a_failure(
    media_origin: MediaOrigin,
) -> None:
    adapter = Library({"base_url": f"{media_origin.url}/library"})
    (request,) = adapter.build_search(BUNNY)
    with GuardedSession(provider="library", trusted_origins=[media_origin.url], max_retries=0) as session:
        assert adapter.parse_search(BUNNY, [session.send(request)]).candidates == ()
        media_origin.put("/library/movies/10378.json", json.dumps({"renditions": [SHORT]}))
        (found,) = adapter.parse_search(BUNNY, [session.send(request)]).candidates
        assert found.url == f"{media_origin.url}/library/movies/a.mp4"
        media_origin.put("/library/movies/10378.json", b"", status=500)
        with pytest.raises(ProviderTransient):
            session.send(request)


@pytest.mark.parametrize(
    "base_url",
    [
        None,
        "",
        "  ",
        5,
        "media.example.org",
        "ftp://media.example.org",
        "https://",
        "https://user:secret@media.example.org",
        "https://media.example.org/?a=b",
        "https://media.example.org/#top",
        "https://media.example.org:99999",
        "https://media.example.org/a\x00b",
        "https://" + "a" * 500,
    ],
)
def test_a_wrong_base_url_is_named_with_what_is_allowed(base_url: object) -> None:
    with pytest.raises(ProviderMisconfigured, match=r"base_url .*an http or https URL"):
        library(base_url=base_url)
