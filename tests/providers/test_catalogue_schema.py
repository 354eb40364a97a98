"""The JSON Schema of catalogues, the parser and the documentation say the same.

What the schema accepts is read in full; what it refuses is refused, or skipped and counted.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from providers.adapters.catalogue import Catalogue
from providers.errors import ProviderBadResponse
from providers.messages import Response
from providers.types import MovieRef, SearchAnswer

DOCS = Path(__file__).parents[2] / "docs"
ANSWERS = Path(__file__).parent / "answers"
SCHEMA = json.loads((DOCS / "catalogue.schema.json").read_text())
BUNNY = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207", year=2008)
SHORT: dict[str, Any] = {"url": "a.mp4", "delivery": "progressive"}

formats = FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def is_a_day(text: object) -> bool:
    """The pattern has seen to the form; whether there is such a day is left."""
    if isinstance(text, str) and re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        date.fromisoformat(text[:10])
    return True


validator = Draft202012Validator(SCHEMA, format_checker=formats)


def read(document: object, *, per_film: bool) -> SearchAnswer:
    url = "https://cdn.example.org/" + ("{tmdb_id}.json" if per_film else "all.json")
    body = json.dumps(document).encode()
    response = Response(status=200, headers={}, body=body, url="https://cdn.example.org/films/all.json")
    return Catalogue({"url": url}).parse_search(BUNNY, [response])


def is_read_in_full(document: object, *, per_film: bool) -> bool:
    try:
        return not read(document, per_film=per_film).skipped
    except ProviderBadResponse:
        return False


def agree(document: object, *, per_film: bool) -> None:
    """Documents that name one rendition twice are beyond a schema; the strategies make none."""
    assert is_read_in_full(document, per_film=per_film) is validator.is_valid(document), [
        error.message for error in validator.iter_errors(document)
    ]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def examples() -> list[Any]:
    texts = [(DOCS / name).read_text() for name in ("catalogue-format.md", "library-format.md")]
    found = [json.loads(each) for text in texts for each in re.findall(r"```json\n(.+?)```", text, re.DOTALL)]
    assert len(found) >= 3
    return found


@pytest.mark.parametrize("document", examples())
def test_the_examples_in_the_documentation_are_catalogues(document: Any) -> None:
    validator.validate(document)
    assert is_read_in_full(document, per_film="movies" not in document)


def recorded() -> list[tuple[str, str, Any]]:
    """Each answer in JSON that is recorded of the catalogue and the library: file, situation, document."""
    files = sorted([*ANSWERS.glob("catalogue*.toml"), *ANSWERS.glob("library*.toml")])
    found = []
    for file in files:
        for situation, answers in tomllib.loads(file.read_text()).items():
            if situation in {"normal", "renewed", "empty", "malformed"}:
                found += [(file.stem, situation, a["body"]) for a in answers if a["body"].strip()[:1] == "{"]
    assert len(found) >= 7
    return [(stem, situation, json.loads(body)) for stem, situation, body in found]


@pytest.mark.parametrize(("stem", "situation", "document"), recorded())
def test_the_schema_says_of_recorded_answers_what_they_are(stem: str, situation: str, document: Any) -> None:
    assert validator.is_valid(document) is (situation != "malformed")


def test_the_documentation_names_every_field() -> None:
    text = (DOCS / "catalogue-format.md").read_text() + (DOCS / "library-format.md").read_text()
    defined = SCHEMA["$defs"]
    for kind in ("catalogue", "film", "movie", "rendition", "rights"):
        for field in defined[kind]["properties"]:
            assert re.search(rf"[`.\"]{field}[`\"]", text), f"{field} of a {kind} is documented nowhere"


# Documents, most of them nearly right

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
URLS = [
    "a.mp4", "../a b.mp4", "/a", "?x=1", "#", ".", "1:2.mp4", "é.mp4", "a[1].mp4", "a.mp4 ",
    "//cdn.example.org/a", "https://cdn.example.org", "HTTPS://cdn_1.example.org:65535/a?b#c",
    "http://1.2.3.4", "", " ", " a.mp4", "a\\b", "a:b", "https:a.mp4", "https:/a", "https://", "///a", "//",
    "http:///a", "http://h:0/", "http://h:65536/", "http://h:x/", "http://h:/", "http://u@h/",
    "http://u:p@h/a", "//u@h", "http://[::1]/", "http://[::1/", "http://-h/", "ftp://h/a", "data:x",
    "javascript:alert(1)", "http://h\\@x/", "http://ex\u2100mple.org/", "http://h\n/", "a\n", "\ta",
    "a\u2028b", "a\ud800", "\u00a0", "a" * 2001, "http://h%zz/",
]  # fmt: skip
PAGES = [
    "https://creativecommons.org/licenses/by/3.0/", " HTTP://h ", "", "  ", "javascript:alert(1)",
    "data:text/html,x", "JAVASCRIPT://h/%0aalert(1)", "//h/l", "/l", "http:l", "https://", "https://[::1]/", "ftp://h/l",
    "http://h\n", "x" * 501, "https://h/" + "x" * 490, "https://h/" + "x" * 491,
]  # fmt: skip
TIMES = [
    "2031-01-01T00:00:00Z", "2031-01-01T00:00:00.123456789+05:30", "2028-02-29T23:59:59-23:59",
    "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "9999-12-31T23:59:59Z",
    "2031-02-29T00:00:00Z", "2031-04-31T00:00:00Z", "2031-13-01T00:00:00Z", "0000-01-01T00:00:00Z",
    "2031-01-01T24:00:00Z", "2031-01-01T00:60:00Z", "2031-01-01T00:00:60Z", "2031-01-01T00:00:00+24:00",
    "2031-01-01T00:00:00", "2031-01-01", "20310101T000000Z", "2031-01-01 00:00:00Z", "2031-W01-1T00:00:00Z",
    "2031-01-01T00:00:00z", "2031-01-01T00:00:00Z\n", "2031-01-01T00:00:00.Z", "\u0662031-01-01T00:00:00Z",
    "",
]  # fmt: skip
_TIMES = st.datetimes().map(lambda moment: moment.isoformat() + "Z") | st.sampled_from(TIMES)
_LINES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "x" * 100, "x" * 101, "x" * 500, "x" * 501, "a\nb", "a\x7f", "a\u00a0b", "\U0001f430"]
    ),
    st.sampled_from(["a\ud800", "a\u2029", "a\u200d", " a ", "\x85", "\ufeffa"]),
)
_TAGS = st.lists(
    st.sampled_from(
        ["en", "de-CH", "zh-Hant-TW", "CH", "ch", "EN", "", "e", "English", "en\n", "en_US", 1, None]
    ),
    max_size=3,
)
_ODD = {
    **dict.fromkeys(("id", "quality", "edition", "title", "licence", "attribution"), _LINES),
    "licence_url": st.sampled_from(PAGES),
    **dict.fromkeys(("languages", "subtitles", "territories"), _TAGS),
    **dict.fromkeys(("url_expires_at", "valid_from", "valid_until"), _TIMES),
    "url": st.sampled_from(URLS),
    "delivery": st.sampled_from(["hls", "dash", "progressive", "embed", "HLS", ""]),
    "tmdb_id": st.sampled_from([10378, 10378.0, 1, 0, -1, 10378.5, True, "10378", 2**53 + 1, 1e308, None]),
    "imdb_id": st.sampled_from(["tt1254207", " tt1254207", "tt1254207\n", "1254207", "tt12", "", 7, None]),
    "year": st.sampled_from([2008, 2008.0, 1869, 3000, "2008", False, None]),
}
_GOOD: Mapping[str, st.SearchStrategy[Any]] = {
    **{name: st.just(None) for name in _ODD},
    **{"id": st.just("x"), "quality": st.just("1080p"), "languages": st.just(["en"])},
}


def _fields(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these fields; what stands there is mostly right or nearly so, seldom anything at all."""
    return st.fixed_dictionaries({}, optional={n: _GOOD[n] | _ODD[n] | _ODD[n] | _JSON for n in names})


_RIGHTS = _fields("licence", "licence_url", "attribution", "territories", "valid_from", "valid_until")
_ROW = st.builds(
    lambda row, rights: {**SHORT, **row, **rights},
    _fields("id", "url", "delivery", "quality", "edition", "languages", "subtitles", "url_expires_at"),
    st.fixed_dictionaries({}, optional={"rights": _RIGHTS | _RIGHTS | _JSON}),
)
_LISTED = st.lists(_ROW, max_size=1) | st.lists(_ROW | _JSON, max_size=1) | _JSON


@pytest.mark.parametrize("url", URLS)
def test_schema_and_parser_agree_on_every_such_url(url: str) -> None:
    agree({"renditions": [{"id": "x", "url": url, "delivery": "hls"}]}, per_film=True)


@pytest.mark.parametrize("page", PAGES)
def test_schema_and_parser_agree_on_every_such_page_of_a_licence(page: str) -> None:
    agree({"renditions": [{**SHORT, "rights": {"licence_url": page}}]}, per_film=True)


@pytest.mark.parametrize("moment", TIMES)
def test_schema_and_parser_agree_on_every_such_time(moment: str) -> None:
    agree({"renditions": [{**SHORT, "rights": {"valid_until": moment}}]}, per_film=True)


@settings(deadline=None, max_examples=300)
@given(_LISTED)
@example([SHORT] * 0)
@example([{**SHORT, "id": str(n)} for n in range(200)])
@example([{**SHORT, "id": str(n)} for n in range(201)])
@example([{**SHORT, "languages": ["en"] * 300}])
@example([{**SHORT, "languages": ["en"] * 301}])
def test_schema_and_parser_agree_on_a_films_own_file(listed: Any) -> None:
    agree({"renditions": listed, "note": "ours"}, per_film=True)


@settings(deadline=None, max_examples=300)
@given(
    _fields("tmdb_id", "imdb_id", "title", "year"), _LISTED, st.sampled_from(["tmdb_id", "imdb_id", "title"])
)
def test_schema_and_parser_agree_on_an_entry_of_this_film(named: Any, listed: Any, by: str) -> None:
    """Of another film's entry the parser reads no more than whose it is."""
    ours = {"tmdb_id": {"tmdb_id": 10378}, "imdb_id": {"imdb_id": "tt1254207"}}
    this = ours.get(by, {"title": "Big Buck Bunny", "year": 2008})
    stronger = {"imdb_id": ("tmdb_id",), "title": ("tmdb_id", "imdb_id")}.get(by, ())
    kept = {name: value for name, value in named.items() if name not in stronger}
    agree({"movies": [{**kept, **this, "renditions": listed}]}, per_film=False)


@settings(deadline=None, max_examples=200)
@given(_fields("tmdb_id", "imdb_id", "title", "year"))
def test_schema_and_parser_agree_on_what_names_a_film(named: Any) -> None:
    agree({"movies": [{**named, "renditions": []}]}, per_film=False)


@settings(deadline=None)
@given(_JSON)
def test_schema_and_parser_agree_on_what_is_no_catalogue(document: Any) -> None:
    agree(document, per_film=True)
    assume(not (isinstance(document, dict) and "renditions" in document))
    agree({"movies": document}, per_film=False)


@pytest.mark.parametrize("document", [{"renditions": []}, {"movies": None, "renditions": []}])
def test_a_list_of_all_films_is_never_taken_for_one_films_own(document: Any) -> None:
    with pytest.raises(ProviderBadResponse):
        read(document, per_film=False)
    assert is_read_in_full(document, per_film=True) is validator.is_valid(document)
