"""What every adapter keeps to, whichever provider it speaks with. Registering a new one puts it in here."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Mapping

import pytest

from providers import registry
from providers.base import LicensedProvider
from providers.errors import ProviderBadResponse, ProviderMisconfigured
from providers.messages import Request, Response
from providers.options import ConfigKind
from providers.types import MovieRef, SearchAnswer

MOVIE = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207", year=2008, runtime_min=10)
BARE = MovieRef(tmdb_id=1, title="Nameless")
VALUES: Mapping[ConfigKind, object] = {
    ConfigKind.TEXT: "some words",
    ConfigKind.URL: "https://provider.example.org/base",
    ConfigKind.INTEGER: 7,
    ConfigKind.BOOLEAN: True,
}
FORBIDDEN_IN_ADAPTERS = {
    "requests",
    "urllib3",
    "socket",
    "http",
    "redis",
    "time",
    "asyncio",
    "subprocess",
    "django",
}

adapters = pytest.mark.parametrize("adapter", registry.ADAPTERS.values(), ids=registry.ADAPTERS)


def configured(adapter: type[LicensedProvider]) -> LicensedProvider:
    return adapter({field.name: VALUES[field.kind] for field in adapter.config_fields}, name="mine")


def responses(provider: LicensedProvider, body: bytes, *, status: int = 200) -> list[Response]:
    return [
        Response(status=status, headers={}, body=body, url=request.url)
        for request in provider.build_search(MOVIE)
    ]


@adapters
def test_it_says_what_it_is(adapter: type[LicensedProvider]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", adapter.slug)
    assert registry.ADAPTERS[adapter.slug] is adapter
    assert adapter.label
    assert adapter.default_priority > 0
    assert inspect.getdoc(adapter) != inspect.getdoc(LicensedProvider)
    assert isinstance(adapter.volatile_params, frozenset)


@adapters
def test_its_settings_are_declared_for_a_form(adapter: type[LicensedProvider]) -> None:
    names = [field.name for field in adapter.config_fields]
    assert len(names) == len(set(names))
    for field in adapter.config_fields:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", field.name)
        assert field.label
        assert field.help.endswith(".")


@adapters
def test_a_wrong_setting_is_named(adapter: type[LicensedProvider]) -> None:
    good = dict(configured(adapter).config)
    with pytest.raises(ProviderMisconfigured, match="unknown setting 'colour'; allowed: "):
        adapter({**good, "colour": "blue"})
    for field in adapter.config_fields:
        with pytest.raises(ProviderMisconfigured, match=field.name) as caught:
            adapter({**good, field.name: ["hush"]})
        assert "hush" not in str(caught.value) or not field.secret
        if field.required and field.default is None:
            with pytest.raises(ProviderMisconfigured, match=f"{field.name} is required"):
                adapter({name: value for name, value in good.items() if name != field.name})


@adapters
def test_it_never_sends_sleeps_or_stores(adapter: type[LicensedProvider]) -> None:
    """Its module imports nothing that could, and no adapter imports another."""
    source = inspect.getsource(inspect.getmodule(adapter) or adapter)
    for node in ast.walk(ast.parse(source)):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        for module in modules:
            assert module.partition(".")[0] not in FORBIDDEN_IN_ADAPTERS
            assert not module.startswith(("providers.adapters", "providers.http", "providers.services"))


@adapters
@pytest.mark.parametrize("movie", [MOVIE, BARE], ids=["full", "bare"])
def test_its_requests_are_the_same_each_time(adapter: type[LicensedProvider], movie: MovieRef) -> None:
    provider = configured(adapter)
    requests = provider.build_search(movie)
    assert requests == provider.build_search(movie)
    for request in requests:
        assert isinstance(request, Request)
        assert request.url.startswith("https://provider.example.org/")
        assert 0 < request.max_bytes <= 5_000_000


@adapters
def test_no_responses_are_an_empty_answer(adapter: type[LicensedProvider]) -> None:
    assert configured(adapter).parse_search(BARE, ()) == SearchAnswer(candidates=())


@adapters
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b"[]",
        b"{}",
        b'"text"',
        b"[[[[",
        b"<html><body>Just a moment...</body></html>",
        b"\x00\xff\xfe\x00",
        b'{"renditions": 7, "results": 7, "data": 7}',
        b"[" * 100_000,
        b'{"a": NaN, "b": 1e999}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_malformed_answer_is_a_bad_response_or_an_empty_answer(
    adapter: type[LicensedProvider], body: bytes
) -> None:
    provider = configured(adapter)
    try:
        found = provider.parse_search(MOVIE, responses(provider, body))
    except ProviderBadResponse:
        return
    assert found.candidates == ()


@adapters
def test_reading_an_answer_twice_gives_the_same_frozen_result(adapter: type[LicensedProvider]) -> None:
    provider = configured(adapter)
    rows = b'{"renditions": [{"url": "a.mp4", "delivery": "progressive"}]}'
    try:
        first, second = (provider.parse_search(MOVIE, responses(provider, rows)) for _ in range(2))
    except ProviderBadResponse:
        return
    assert first == second
    for value in (first, *first.candidates):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, "changed")


@adapters
def test_a_url_has_one_identity(adapter: type[LicensedProvider]) -> None:
    provider = configured(adapter)
    told = "".join(f"&{name}=changing" for name in sorted(adapter.volatile_params))
    plain = "https://media.example.org/Film.m3u8?a=1&b=2"
    assert provider.canonical_url(f"HTTPS://Media.Example.org:443/Film.m3u8?b=2{told}&a=1#t=5") == plain
    assert provider.canonical_url(plain) == plain
    assert provider.canonical_url("http://media.example.org") == "http://media.example.org/"
    assert (
        provider.canonical_url("http://[2001:db8::1]:8080/a?x=&y=%20") == "http://[2001:db8::1]:8080/a?x=&y=+"
    )
    for wrong in ("", "film.m3u8", "https://", "http://[::1/", "https://example.org:port/"):
        with pytest.raises(ProviderBadResponse, match="not an absolute URL"):
            provider.canonical_url(wrong)


def test_the_base_class_alone_is_no_adapter() -> None:
    with pytest.raises(TypeError, match="abstract"):
        LicensedProvider({})  # type: ignore[abstract]


def test_a_provider_is_made_by_its_adapters_slug() -> None:
    made = registry.make_provider("library", {"base_url": "https://media.example.org"}, name="our-films")
    assert (made.name, made.slug) == ("our-films", "library")
    with pytest.raises(ProviderMisconfigured, match=r"unknown adapter 'tape'; there are: .*library"):
        registry.make_provider("tape", {})
