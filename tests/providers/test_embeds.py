"""Embed providers: off until the operator has said what they hold, and then pages of that place alone."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.db import router

from core import conf
from providers import readiness, registry, services
from providers.checks import providers_are_complete, unfinished
from providers.embedding import EmbedProvider
from providers.errors import ProviderBadResponse, ProviderMisconfigured, ProviderRefused
from providers.models import Provider
from providers.services import ProviderAnswer
from providers.types import Delivery, MovieRef, ProbeOutcome
from tests.providers.origin import Answer, Origin

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BUNNY = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207", year=2008)
PAGE = Answer(200, b"<!doctype html><title>Big Buck Bunny</title>", {"Content-Type": "text/html"})
NONE = Answer(404, b"<h1>Not found</h1>", {"Content-Type": "text/html"})
EMBEDS = ("autoembed", "twoembed", "multiembed", "embedsu")

pytestmark = pytest.mark.usefixtures("edge")


@pytest.fixture
def edge(settings: Any, db: None, valkey: redis.Redis, origin: Origin, other: Origin) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [origin.url, other.url]
    settings.LIBRARY_URL = ""
    for name, value in {"RATE_LIMIT_RPS": 1000, "MAX_RETRY_ATTEMPTS": 0}.items():
        conf.change(name, value, by="test", at=AT)


def licensed(adapter: str, url: str, **columns: Any) -> Provider:
    config = {"base_url": url, "quality": "1080p", "licence": "Licensed from Example Films"}
    made = {"label": adapter, "enabled": True, "config": config, "licence_note": "Contract 7 of 2026"}
    return Provider.objects.create(slug=adapter, adapter=adapter, **{**made, **columns})


def search() -> ProviderAnswer:
    (answer,) = services.search_all(BUNNY, at=AT)
    return answer


def place(origin: Origin) -> str:
    """An origin under a name of its own, as hosts are told apart by name and not by port."""
    return origin.url.replace("127.0.0.1", "localhost")


def test_all_four_are_there_after_setup_and_off_in_their_order_of_priority() -> None:
    made = services.ensure_licensed()
    assert [provider.slug for provider in made] == list(EMBEDS)
    assert [row.slug for row in Provider.objects.all()] == list(EMBEDS), "by priority"
    assert not any(row.enabled or row.config or row.licence_note for row in made)
    Provider.objects.filter(pk="embedsu").update(label="Ours", enabled=True, priority=1)
    services.ensure_licensed()
    kept = Provider.objects.get(pk="embedsu")
    assert (kept.label, kept.enabled, kept.priority) == ("Ours", True, 1), "what an operator set stays"
    assert Provider.objects.count() == 4


def test_no_address_ships() -> None:
    for adapter in registry.ADAPTERS.values():
        if issubclass(adapter, EmbedProvider):
            assert [field.default for field in adapter.config_fields] == [None, None, None]


def test_what_is_owed_is_said_in_full_until_nothing_is() -> None:
    (provider, *_) = services.ensure_licensed()
    assert [words.split(" ")[0] for words in readiness.missing(provider)] == [
        "base_url",
        "quality",
        "licence",
        "licence_note",
    ]
    provider.config = {"base_url": "ftp://films", "quality": "8K", "licence": "Ours", "colour": "blue"}
    assert readiness.missing(provider) == (
        "unknown setting 'colour'; allowed: base_url, licence, quality",
        "base_url must be an http or https URL without user name, password, query or fragment "
        "(got 'ftp://films')",
        "quality must be one of CAM, SD, 720p, 1080p, 1440p, 2160p (got '8K')",
        "licence_note is required: the licence that lets you stream from here",
    )
    provider.config = {"base_url": "https://films.example.org", "quality": "1080P", "licence": "Ours"}
    provider.licence_note = "Contract 7"
    assert readiness.missing(provider) == ()


def test_the_check_informs_of_one_that_is_off_and_warns_of_one_that_is_on() -> None:
    services.ensure_licensed()
    Provider.objects.filter(pk="twoembed").update(enabled=True)
    licensed("library", "https://films.example.org", config={"base_url": "https://films.example.org"})
    found = {message.msg.split(" ")[0]: message.id for message in unfinished()}
    assert found == {
        "autoembed": "providers.I001",
        "twoembed": "providers.W001",
        "multiembed": "providers.I001",
        "embedsu": "providers.I001",
    }
    alias = router.db_for_read(Provider)
    assert len(providers_are_complete(None, databases=[alias])) == 4
    assert providers_are_complete(None, databases=None) == []


def test_the_check_command_says_it() -> None:
    licensed("autoembed", "https://films.example.org", licence_note="")
    said = StringIO()
    alias = router.db_for_read(Provider)
    call_command("check", databases=[alias], stderr=said, stdout=said)
    assert "autoembed is on, and cannot be asked: licence_note is required" in said.getvalue()
    assert "providers.W001" in said.getvalue()


def test_before_the_first_migration_the_check_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    services.ensure_licensed()
    with monkeypatch.context() as early:
        early.setattr(Provider._meta, "db_table", "not_there_yet")
        assert providers_are_complete(None, databases=[router.db_for_read(Provider)]) == []


@pytest.mark.parametrize(
    ("adapter", "asked"),
    [
        ("autoembed", "/embed/movie/10378"),
        ("twoembed", "/embed/10378"),
        ("multiembed", "/?video_id=10378&tmdb=1"),
        ("embedsu", "/embed/movie/10378"),
    ],
)
def test_a_page_is_one_candidate_with_the_operators_words(adapter: str, asked: str, origin: Origin) -> None:
    origin.on(asked.partition("?")[0], PAGE)
    licensed(adapter, origin.url)
    answer = search().answer
    assert answer is not None, search().error
    (found,) = answer.candidates
    assert found.url == origin.url + asked
    assert (found.delivery, found.ref, found.claimed) == (Delivery.EMBED, "movie-10378", "1080p")
    assert found.rights.licence == "Licensed from Example Films"


def test_a_film_that_it_knows_by_imdb_id_alone_is_found_and_is_the_same_rendition(origin: Origin) -> None:
    origin.on("/embed/movie/10378", NONE)
    origin.on("/embed/movie/tt1254207", PAGE)
    licensed("autoembed", origin.url)
    answer = search().answer
    assert answer is not None
    assert [(c.url, c.ref) for c in answer.candidates] == [
        (f"{origin.url}/embed/movie/tt1254207", "movie-10378")
    ]


def test_a_film_that_it_does_not_have_is_a_complete_empty_answer(origin: Origin) -> None:
    licensed("autoembed", origin.url)
    answer = search().answer
    assert answer is not None
    assert (answer.candidates, answer.skipped) == ((), 0)
    assert origin.paths() == ["/embed/movie/10378", "/embed/movie/tt1254207"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"", {"Content-Type": "text/html"}),
        Answer(200, b" \n ", {"Content-Type": "text/html"}),
        Answer(200, b'{"error": "no"}', {"Content-Type": "application/json"}),
        Answer(200, b"<html>", {}),
    ],
    ids=["empty", "blank", "JSON", "of no type"],
)
def test_what_is_no_page_is_no_stream(answer: Answer, origin: Origin) -> None:
    origin.on("/embed/movie/10378", answer)
    licensed("autoembed", origin.url)
    assert isinstance(search().error, ProviderBadResponse)


@pytest.mark.parametrize("lack", [{"licence_note": ""}, {"licence_note": " \n"}, {"config": {}}])
def test_one_that_lacks_anything_is_asked_nothing(lack: dict[str, Any], origin: Origin) -> None:
    licensed("autoembed", origin.url, **lack)
    assert isinstance(search().error, ProviderMisconfigured)
    assert origin.asked == []


def test_pages_of_hosts_that_nobody_entered_are_not_asked_for(
    settings: Any, origin: Origin, other: Origin
) -> None:
    """An empty list means "any public host" for streams of others, and never for embeds."""
    settings.HTTP_TRUSTED_ORIGINS = [origin.url, place(other)]
    origin.on("/embed/movie/10378", Answer(302, b"", {"Location": f"{place(other)}/player"}))
    other.on("/player", PAGE)
    provider = licensed("autoembed", origin.url)
    assert isinstance(search().error, ProviderRefused)
    probed = services.probe(provider, f"{place(other)}/player", "embed", at=AT)
    assert probed.outcome is not ProbeOutcome.OK
    assert other.asked == []


def test_pages_may_be_on_hosts_that_the_operator_entered(
    settings: Any, origin: Origin, other: Origin
) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [origin.url, place(other)]
    origin.on("/embed/movie/10378", Answer(302, b"", {"Location": f"{place(other)}/player"}))
    other.on("/player", PAGE)
    licensed("autoembed", origin.url, allowed_hosts=["localhost"])
    assert search().answer is not None
    assert [asked.path for asked in other.asked] == ["/player"]


@pytest.mark.parametrize(
    ("site", "outcome"),
    [
        ("https://tv.example.org", ProbeOutcome.OK),
        ("https://elsewhere.example.org", ProbeOutcome.UNEMBEDDABLE),
        ("", ProbeOutcome.INCONCLUSIVE),
    ],
)
def test_a_page_that_lists_who_may_frame_it_is_judged_by_our_own_address(
    site: str, outcome: ProbeOutcome, origin: Origin, settings: Any
) -> None:
    settings.SITE_ORIGIN = site
    provider = licensed("autoembed", origin.url)
    policy = {
        "Content-Type": "text/html",
        "Content-Security-Policy": "frame-ancestors https://tv.example.org",
    }
    page = origin.on("/embed/movie/7", Answer(200, b"<html>a player", policy))
    assert services.probe(provider, page, "embed", at=AT).outcome is outcome
