"""The HTTP catalogue, on the format that docs/catalogue-format.md promises."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.catalogue import Catalogue
from providers.errors import ProviderBadResponse, ProviderMisconfigured
from providers.http import GuardedSession
from providers.messages import Response
from providers.types import Delivery, MovieRef, Rights, SearchAnswer
from tests.providers.origin import Answer, Origin

FORMAT = (Path(__file__).parents[2] / "docs" / "catalogue-format.md").read_text()
URL = "https://cdn.example.org/films/list"
PER_FILM = "https://cdn.example.org/films/{tmdb_id}.json"
TOKEN = "a-token-of-this-catalogue"
BUNNY = MovieRef(
    tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207", year=2008, original_title="Peach"
)
ROW: dict[str, Any] = {"url": "a.mp4", "delivery": "progressive"}
OTHER = {"url": "wrong.mp4", "delivery": "progressive"}


def catalogue(url: str = URL, **config: object) -> Catalogue:
    return Catalogue({"url": url, **config})


def read(
    body: object, *, movie: MovieRef = BUNNY, url: str = URL, status: int = 200, **headers: str
) -> SearchAnswer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = Response(
        status=status,
        headers=names,
        body=raw,
        url="https://cdn.example.org/films/list",
        secrets=frozenset({TOKEN}),
    )
    return catalogue(url, token=TOKEN).parse_search(movie, [response])


def m3u(*lines: str, movie: MovieRef = BUNNY) -> SearchAnswer:
    return read("\n".join(("#EXTM3U", *lines)).encode(), movie=movie)


def entry(
    attributes: str = 'tmdb-id="10378"', title: str = "Film", url: str = "a.mp4", **options: Any
) -> SearchAnswer:
    return m3u(f"#EXTINF:-1 {attributes},{title}", url, **options)


def urls(answer: SearchAnswer) -> list[str]:
    return [candidate.url.rpartition("/")[2] for candidate in answer.candidates]


# Asking


def test_one_file_for_everything_is_asked_for_whole() -> None:
    (request,) = catalogue().build_search(BUNNY)
    assert (request.url, dict(request.headers), request.accept_statuses) == (URL, {}, frozenset())


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("https://cdn.example.org/{tmdb_id}.json", "https://cdn.example.org/10378.json"),
        ("https://cdn.example.org/{imdb_id}/{tmdb_id}", "https://cdn.example.org/tt1254207/10378"),
    ],
)
def test_a_template_is_asked_for_one_film(template: str, url: str) -> None:
    (request,) = catalogue(template).build_search(BUNNY)
    assert request.url == url
    assert request.accept_statuses == {404, 410}


def test_without_the_id_that_the_template_needs_nothing_is_asked() -> None:
    assert (
        catalogue("https://cdn.example.org/{imdb_id}.json").build_search(replace(BUNNY, imdb_id=None)) == ()
    )


def test_an_id_cannot_lead_to_another_place() -> None:
    provider = catalogue("https://cdn.example.org/films/{imdb_id}.json")
    (request,) = provider.build_search(replace(BUNNY, imdb_id="../../tt1?a#b"))
    assert request.url == "https://cdn.example.org/films/..%2F..%2Ftt1%3Fa%23b.json"


@pytest.mark.parametrize("wrong", ["{title}", "{TMDB_ID}", "{}", "{tmdb_id", "{tmdb_id}{year}"])
def test_a_placeholder_that_there_is_not_is_named(wrong: str) -> None:
    with pytest.raises(ProviderMisconfigured, match=r"url names .*; allowed: \{tmdb_id\}, \{imdb_id\}"):
        catalogue(f"https://cdn.example.org/{wrong}.json")


def test_a_token_goes_to_the_catalogues_own_origin_alone(origin: Origin) -> None:
    with Origin().running() as cdn:
        origin.on("/list", Answer(302, b"", {"Location": f"{cdn.url}/list"}))
        cdn.on("/list", Answer(body=b'{"movies": []}'))
        provider = catalogue(f"{origin.url}/list", token=TOKEN)
        with GuardedSession(
            provider="catalogue", trusted_origins=[origin.url, cdn.url], max_retries=0, secrets=[TOKEN]
        ) as session:
            (response,) = provider.ask(BUNNY, session.send)
        assert provider.parse_search(BUNNY, [response]) == SearchAnswer(candidates=())
        assert origin.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert "authorization" not in cdn.asked[0].headers


# Whose entry it is


@pytest.mark.parametrize(
    "names",
    [
        {"tmdb_id": 10378},
        {"tmdb_id": 10378.0},
        {"tmdb_id": 10378, "imdb_id": "tt0000001", "title": "Another", "year": 1999},
        {"imdb_id": "tt1254207"},
        {"imdb_id": "tt1254207", "title": "Another", "year": 1999},
        {"title": "big buck bunny!", "year": 2008},
        {"title": "Peach", "year": 2008},
    ],
)
def test_an_entry_is_matched_by_id_first_else_by_title_and_year(names: dict[str, Any]) -> None:
    assert urls(read({"movies": [{**names, "renditions": [ROW]}]})) == ["a.mp4"]


@pytest.mark.parametrize(
    "names",
    [
        {"tmdb_id": 1, "imdb_id": "tt1254207", "title": "Big Buck Bunny", "year": 2008},
        {"imdb_id": "tt0000001", "title": "Big Buck Bunny", "year": 2008},
        {"title": "Big Buck Bunny", "year": 2009},
        {"title": "Big Buck Bunny 2", "year": 2008},
    ],
)
def test_another_films_entry_is_not_looked_into(names: dict[str, Any]) -> None:
    assert read({"movies": [{**names, "renditions": ["not even a row"]}]}) == SearchAnswer(candidates=())


def test_without_an_imdb_id_of_its_own_a_movie_is_matched_by_title() -> None:
    named = {"imdb_id": "tt1254207", "title": "Big Buck Bunny", "year": 2008, "renditions": [ROW]}
    assert urls(read({"movies": [named]}, movie=replace(BUNNY, imdb_id=None))) == ["a.mp4"]


@pytest.mark.parametrize(
    "wrong",
    [
        7,
        {},
        {"renditions": [ROW]},
        {"title": "Big Buck Bunny", "renditions": [ROW]},
        {"title": " ", "year": 2008, "renditions": [ROW]},
        {"tmdb_id": "10378", "renditions": [ROW]},
        {"tmdb_id": True, "renditions": [ROW]},
        {"tmdb_id": 0, "renditions": [ROW]},
        {"tmdb_id": 1.5, "renditions": [ROW]},
        {"imdb_id": "1254207", "renditions": [ROW]},
        {"imdb_id": 1254207, "renditions": [ROW]},
        {"tmdb_id": 10378, "year": "2008", "renditions": [ROW]},
        {"tmdb_id": 10378},
        {"tmdb_id": 10378, "renditions": ROW},
        {"tmdb_id": 10378, "renditions": [ROW] * 201},
    ],
)
def test_an_entry_that_cannot_be_read_is_skipped_counted_and_logged(
    wrong: object, caplog: pytest.LogCaptureFixture
) -> None:
    found = read({"movies": [wrong, {"tmdb_id": 10378, "renditions": [ROW]}]})
    assert (urls(found), found.skipped) == (["a.mp4"], 1)
    assert "1 entries of the catalogue cannot be read" in caplog.text


def test_rows_of_several_entries_are_one_list_in_which_nothing_stands_twice() -> None:
    entries = [{"tmdb_id": 10378, "renditions": [ROW, {**ROW, "url": "b.mp4"}]}]
    found = read({"movies": [*entries, {"imdb_id": "tt1254207", "renditions": [ROW]}]})
    assert (urls(found), found.skipped) == (["a.mp4", "b.mp4"], 1)


def test_more_renditions_of_a_film_than_anybody_has_are_a_bad_response() -> None:
    rows = [{**ROW, "url": f"{n}.mp4"} for n in range(150)]
    with pytest.raises(ProviderBadResponse, match="more than 200 renditions of one film"):
        read({"movies": [{"tmdb_id": 10378, "renditions": rows}] * 2})


# One file per film


def test_a_films_own_file_lists_its_renditions() -> None:
    found = read({"renditions": [ROW]}, url=PER_FILM, Cache_Control="max-age=60")
    assert (urls(found), found.fresh_for_s) == (["a.mp4"], 60)


def test_a_films_own_file_may_be_a_catalogue_too() -> None:
    assert urls(read({"movies": [{"tmdb_id": 10378, "renditions": [ROW]}]}, url=PER_FILM)) == ["a.mp4"]


def test_no_file_of_a_film_is_a_complete_answer() -> None:
    found = read(b"gone", url=PER_FILM, status=404, Cache_Control="max-age=60")
    assert found == SearchAnswer(candidates=(), fresh_for_s=60)


def test_a_films_own_file_is_no_catalogue_of_all_films() -> None:
    """Else its renditions would be offered for every film there is."""
    with pytest.raises(ProviderBadResponse, match='"movies"'):
        read({"renditions": [ROW]})


# URLs


@pytest.mark.parametrize(
    "url", [f"a.mp4?token={TOKEN}", f"https://{TOKEN}.example.org/a.mp4", f"{TOKEN[0]}%2D{TOKEN[2:]}/a"]
)
def test_a_playback_url_never_carries_the_token(url: str, caplog: pytest.LogCaptureFixture) -> None:
    found = read({"movies": [{"tmdb_id": 10378, "renditions": [{**ROW, "url": url}, ROW]}]})
    assert (urls(found), found.skipped) == (["a.mp4"], 1)
    assert "it shows a secret setting" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("name", ["Signature", "Policy", "token", "hdnts", "X-Amz-Signature", "X-Goog-Date"])
def test_a_new_signature_is_no_new_rendition(name: str) -> None:
    provider = catalogue()
    one, other = (provider.canonical_url(f"https://cdn.example.org/a.mp4?{name}={n}&v=2") for n in (1, 2))
    assert one == other == "https://cdn.example.org/a.mp4?v=2"
    assert f"`{name}`" in FORMAT or f"`{name.rpartition('-')[0]}-\u2026`" in FORMAT


# M3U


def test_the_example_in_m3u_is_read_as_documented() -> None:
    example = re.search(r"```m3u\n(.+?)```", FORMAT, re.DOTALL)
    assert example
    lines = example[1].splitlines()
    assert lines.pop(0) == "#EXTM3U"
    (bunny,) = m3u(*lines).candidates
    assert (bunny.ref, bunny.claimed, bunny.delivery) == ("bbb-1080", "1080p", Delivery.HLS)
    assert bunny.rights == Rights(licence="CC BY 3.0", attribution="Blender Foundation")
    sintel = MovieRef(tmdb_id=45745, title="Sintel", imdb_id="tt1727587", year=2010)
    assert urls(m3u(*lines, movie=sintel)) == ["sintel-2160p.mp4"]
    assert urls(m3u(*lines, movie=replace(sintel, imdb_id=None))) == ["sintel-2160p.mp4"]
    steel = MovieRef(tmdb_id=133701, title="Tears of Steel", year=2012)
    assert [c.delivery for c in m3u(*lines, movie=steel).candidates] == [Delivery.DASH]


@pytest.mark.parametrize(
    ("attributes", "title"),
    [
        ('tmdb-id="10378"', "Film"),
        ('TMDB-ID="10378"', "Film"),
        ('group-title="Films, and more" tmdb-id="10378"', "Film"),
        ('imdb-id="tt1254207"', "Film"),
        ('tvg-id="tt1254207"', "Film"),
        ('tvg-id="tmdb:10378"', "Film"),
        ('tvg-id="films.example"', "Big Buck Bunny (2008)"),
        ('tvg-name="x"', "Big Buck Bunny, (2008)"),
    ],
)
def test_an_entry_of_a_playlist_is_matched_by_id_first_else_by_title_and_year(
    attributes: str, title: str
) -> None:
    assert urls(entry(attributes, title)) == ["a.mp4"]


@pytest.mark.parametrize(
    ("attributes", "title"),
    [
        ('tmdb-id="1" imdb-id="tt1254207"', "Big Buck Bunny (2008)"),
        ('tvg-id="tt0000001"', "Big Buck Bunny (2008)"),
        ('tvg-id="10378"', "Film"),
        ('tvg-id="news.example"', "News"),
        ('group-title="Films"', "Big Buck Bunny"),
        ('group-title="Films"', "Big Buck Bunny (2009)"),
    ],
)
def test_what_is_another_film_or_none_is_left_alone(attributes: str, title: str) -> None:
    assert entry(attributes, title) == SearchAnswer(candidates=())


def test_attributes_say_what_fields_do() -> None:
    told = (
        'id="x" quality="4K UHD" edition="Director\'s Cut" languages="en, de-CH" subtitles="fr" licence="L"'
        ' licence-url="https://example.org/l" attribution="A" territories="CH,AT"'
        ' valid-from="2026-01-01T00:00:00Z" valid-until="2031-01-01T01:00:00+01:00"'
        ' url-expires-at="2030-05-01T12:00:00Z" tmdb-id="10378"'
    )
    (found,) = entry(told, url="https://cdn.example.org/a.m3u8?x=1").candidates
    row = {
        "url": "https://cdn.example.org/a.m3u8?x=1",
        "delivery": "hls",
        **{"id": "x", "quality": "4K UHD", "edition": "Director's Cut"},
        **{"languages": ["en", "de-CH"], "subtitles": ["fr"], "url_expires_at": "2030-05-01T12:00:00Z"},
        "rights": {
            **{"licence": "L", "licence_url": "https://example.org/l", "attribution": "A"},
            **{"territories": ["CH", "AT"], "valid_from": "2026-01-01T00:00:00Z"},
            "valid_until": "2031-01-01T00:00:00Z",
        },
    }
    assert (found,) == read({"movies": [{"tmdb_id": 10378, "renditions": [row]}]}).candidates
    assert found.rights.valid_until == datetime(2031, 1, 1, tzinfo=UTC)
    documented = set(re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| (`.+?) \|", FORMAT, re.MULTILINE))))
    assert set(re.findall(r'([a-z-]+)="', told)) <= documented


@pytest.mark.parametrize(
    ("url", "delivery"),
    [
        ("a.m3u8?x=b.mp4", Delivery.HLS),
        ("a.MPD", Delivery.DASH),
        ("a.mp4#t=5", Delivery.PROGRESSIVE),
        ("a.m4v", Delivery.PROGRESSIVE),
        ("a.webm", Delivery.PROGRESSIVE),
    ],
)
def test_the_ending_of_a_url_says_how_it_is_delivered(url: str, delivery: Delivery) -> None:
    assert [candidate.delivery for candidate in entry(url=url).candidates] == [delivery]
    assert [c.delivery for c in entry('tmdb-id="10378" delivery="dash"', url=url).candidates] == [
        Delivery.DASH
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ("#EXTINF:-1 tmdb-id=10378,Film", "b.mp4"),
        ('#EXTINF:-1 tmdb-id="10378" Film', "b.mp4"),
        ('#EXTINF:soon tmdb-id="10378",Film', "b.mp4"),
        ('#EXTINF:-1 tmdb-id="x",Film', "b.mp4"),
        ('#EXTINF:-1 imdb-id="x",Film', "b.mp4"),
        ('#EXTINF:-1 tmdb-id="10378" ' + 'a="b" ' * 2_000 + ",Film", "b.mp4"),
        ('#EXTINF:-1 tmdb-id="10378",Film', "b"),
        ('#EXTINF:-1 tmdb-id="10378" delivery="tape",Film', "b.mp4"),
        ('#EXTINF:-1 tmdb-id="10378" territories="ch",Film', "b.mp4"),
        ('#EXTINF:-1 tmdb-id="10378" valid-until="soon",Film', "b.mp4"),
        ('#EXTINF:-1 tmdb-id="10378",Film', "ftp://cdn.example.org/b.mp4"),
        ('#EXTINF:-1 tmdb-id="10378",Film', "http://[::1/b.mp4"),
        ('#EXTINF:-1 tmdb-id="10378",Film',),
        ("b.mp4",),
    ],
)
def test_an_entry_of_a_playlist_that_cannot_be_read_is_skipped_and_counted(lines: tuple[str, ...]) -> None:
    good = ('#EXTINF:-1 tmdb-id="10378",Film', "a.mp4")
    for order in ((*lines, *good), (*good, *lines)):
        found = m3u(*order)
        assert (urls(found), found.skipped) == (["a.mp4"], 1)


def test_other_lines_and_line_ends_do_not_matter() -> None:
    lines = (
        '\ufeff#EXTM3U x-tvg-url=""',
        "",
        "#PLAYLIST:All",
        '#EXTINF:-1 tmdb-id="10378",Film',
        "#EXTGRP:Films",
        "#EXTVLCOPT:a=b",
        " a.mp4 ",
        "",
    )
    assert read("\r\n".join(lines).encode()) == entry()


def test_the_playlist_of_one_stream_is_no_catalogue() -> None:
    with pytest.raises(ProviderBadResponse, match="HLS playlist of one stream"):
        m3u("#EXT-X-TARGETDURATION:6", "#EXTINF:6.0,Big Buck Bunny (2008)", "a.mp4")


@settings(deadline=None)
@given(st.text(st.sampled_from('#EXTINF:-1 ,="tmdb-id10378\n\r\t.mp4/(2008)\x00é'), max_size=200))
def test_no_playlist_crashes_the_reading(text: str) -> None:
    with suppress(ProviderBadResponse):
        assert m3u(text).skipped >= 0
