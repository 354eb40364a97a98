"""What every adapter keeps to, whichever provider it speaks with. Registering a new one puts it in here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from providers import registry
from providers.base import LicensedProvider
from providers.errors import ProviderBadResponse, ProviderMisconfigured
from tests.providers.kit import RULES, Case
from tests.providers.kit.recorded import FOLDER, files_of, read
from tests.providers.kit.replay import ReplayingOrigin

RECORDED = {
    path.name.removesuffix(".toml"): (adapter, path)
    for adapter in registry.ADAPTERS.values()
    for path in files_of(adapter.slug)
}


@pytest.fixture(scope="module")
def replaying() -> Iterator[ReplayingOrigin]:
    with ReplayingOrigin().running() as origin:
        yield origin


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("name", RECORDED)
def test_it_keeps_the_rule(name: str, rule: Callable[[Case], None], replaying: ReplayingOrigin) -> None:
    adapter, path = RECORDED[name]
    rule(Case(adapter, read(path, origin=replaying.url), replaying))


@pytest.mark.parametrize("slug", registry.ADAPTERS)
def test_it_is_registered_under_its_slug_with_recorded_answers(slug: str) -> None:
    assert registry.ADAPTERS[slug].slug == slug
    assert files_of(slug), f"tests/providers/answers/{slug}.toml is missing: see the README there"


def test_no_answers_lie_about_that_nobody_replays() -> None:
    assert {path.name for path in FOLDER.glob("*.toml")} == {path.name for _, path in RECORDED.values()}


@pytest.mark.parametrize("adapter", registry.ADAPTERS.values(), ids=registry.ADAPTERS)
def test_a_url_has_one_identity(adapter: type[LicensedProvider], replaying: ReplayingOrigin) -> None:
    provider = adapter(read(files_of(adapter.slug)[0], origin=replaying.url).config)
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
