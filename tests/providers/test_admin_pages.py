"""Adding a provider, and its test: first the adapter, then its settings, then what works and what not."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.conf import settings as configured
from django.contrib.admin.models import LogEntry
from django.test import Client

from providers import registry, sessions
from providers.models import Provider
from tests.providers.media import MEDIA, media
from tests.providers.origin import Answer, Origin
from tests.providers.test_admin import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

LIST = "/admin/providers/provider/"
ADD = f"{LIST}add/?adapter=library"
TEST = f"{LIST}films/test/"
FILM = next(name for name in MEDIA if name.endswith(".mp4"))
ROW = {"id": "a", "url": f"../{FILM}", "delivery": "progressive", "quality": "1080p"}
LISTED = Answer(body=json.dumps({"renditions": [ROW]}).encode())
ANSWERS = {"label": "Films", "slug": "films", "priority": "10", "config_base_url": "https://films.example"}
BUNNY = {"title": "Big Buck Bunny", "tmdb_id": "10378", "imdb_id": "tt1254207", "year": "2008"}


@pytest.fixture
def operator() -> Client:
    return signed_in("operator")


def library(url: str, **columns: Any) -> Provider:
    made = {"label": "Films", "adapter": "library", "config": {"base_url": url}, **columns}
    return Provider.objects.create(slug="films", **made)


def test_every_adapter_is_offered(operator: Client) -> None:
    html = operator.get(f"{LIST}add/").content.decode()
    for adapter in registry.ADAPTERS.values():
        assert f'href="?adapter={adapter.slug}"' in html
        assert adapter.label in html


@pytest.mark.parametrize("adapter", registry.ADAPTERS)
def test_its_settings_are_asked_for_and_the_rest_is_suggested(operator: Client, adapter: str) -> None:
    html = operator.get(f"{LIST}add/?adapter={adapter}").content.decode()
    for field in registry.ADAPTERS[adapter].config_fields:
        assert f'name="config_{field.name}"' in html
    assert f'name="slug" value="{adapter}"' in html
    assert "\n".join(registry.ADAPTERS[adapter].default_hosts) in html


def test_a_second_one_of_an_adapter_gets_a_slug_of_its_own(operator: Client) -> None:
    Provider.objects.create(slug="library", label="Library", adapter="library")
    assert 'name="slug" value="library-2"' in operator.get(ADD).content.decode()


def test_it_is_added_off_and_then_tested(operator: Client) -> None:
    answer = operator.post(ADD, {**ANSWERS, "_test": "Save and test…"})
    assert answer["Location"] == TEST
    provider = Provider.objects.get()
    assert (provider.pk, provider.adapter, provider.enabled) == ("films", "library", False)
    assert provider.config == {"base_url": "https://films.example"}
    assert operator.post(ADD, ANSWERS).status_code == 200, "its slug is taken"
    assert Provider.objects.count() == 1


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"slug": "no slug"}, "valid “slug”"),
        ({"config_base_url": "films"}, "an http or https URL"),
        ({"config_base_url": "", "enabled": "on"}, "Before it can be enabled: Base URL is required"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_added(
    operator: Client, answers: dict[str, str], told: str
) -> None:
    assert told in operator.post(ADD, {**ANSWERS, **answers}).content.decode()
    assert not Provider.objects.exists()


def test_without_a_licence_note_an_embed_provider_stays_off(operator: Client) -> None:
    add = f"{LIST}add/?adapter=autoembed"
    own = {"config_quality": "1080p", "config_licence": "Licensed from Example Films"}
    answers = {**ANSWERS, **own, "enabled": "on"}
    assert "Licence note is required" in operator.post(add, answers).content.decode()
    assert operator.post(add, {**answers, "licence_note": "Contract 7"}).status_code == 302
    assert Provider.objects.get().enabled


def test_what_is_owed_is_on_its_page(operator: Client) -> None:
    Provider.objects.create(slug="films", label="Films", adapter="library")
    for html in (operator.get(f"{LIST}films/change/"), operator.post(TEST, BUNNY)):
        assert "<li>Base URL is required" in html.content.decode(), "as the form calls it"
    assert "<p>Base URL is required" in html.content.decode(), "the step says so, too"


def test_no_embed_page_may_be_on_any_host_whatever(operator: Client) -> None:
    def said(adapter: str) -> bool:
        return "any public host" in operator.get(f"{LIST}add/?adapter={adapter}").content.decode()

    assert said("library")
    assert not said("autoembed")


def test_the_test_suggests_the_adapters_sample(operator: Client) -> None:
    library("https://films.example")
    html = operator.get(TEST).content.decode()
    assert 'value="Big Buck Bunny"' in html
    assert 'value="10378"' in html


def test_the_test_shows_what_works(operator: Client, origin: Origin, settings: Any) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [origin.url]
    origin.on("/movies/10378.json", LISTED)
    origin.on(f"/{FILM}", Answer(body=media(FILM), headers={"Content-Type": "video/mp4"}))
    library(origin.url)
    html = operator.post(TEST, BUNNY).content.decode()
    assert "It works." in html
    assert html.count('class="step-ok"') == 5
    assert f"{origin.url}/{FILM}" in html
    assert "enable it" in html
    [entry] = LogEntry.objects.all()
    assert entry.change_message == "Tested with Big Buck Bunny: it works."


def test_the_test_shows_what_does_not_and_why(operator: Client, origin: Origin, settings: Any) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [origin.url]
    origin.on("/movies/10378.json", Answer(body=b"<html><b>Not a library</b>"))
    library(origin.url)
    html = operator.post(TEST, BUNNY).content.decode()
    assert "It stops at “answer”." in html
    assert "This adapter cannot read what answers there" in html
    assert "&lt;html&gt;&lt;b&gt;Not a library&lt;/b&gt;" in html, "what came is quoted, and harmless"
    assert html.count('class="step-not_reached"') == 2


def test_a_film_that_is_none_is_refused(operator: Client, origin: Origin) -> None:
    library(origin.url)
    html = operator.post(TEST, {**BUNNY, "imdb_id": "1254207", "tmdb_id": "0"}).content.decode()
    assert "An IMDb id is tt and 7 to 10 digits" in html
    assert "greater than or equal to 1" in html
    assert origin.asked == []


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_only_operators_add_and_test(role: str, origin: Origin) -> None:
    library(origin.url)
    client = signed_in(role)
    assert [client.get(path).status_code for path in (f"{LIST}add/", ADD, TEST)] == [403] * 3
    assert [client.post(ADD, ANSWERS).status_code, client.post(TEST, BUNNY).status_code] == [403] * 2
    assert "/test/" not in client.get(f"{LIST}films/change/").content.decode()
    assert origin.asked == []


def test_an_unknown_provider_is_not_found(operator: Client) -> None:
    assert operator.get(f"{LIST}nowhere/test/").status_code == 404


def test_no_provider_takes_the_name_that_tmdbs_pace_is_kept_under(operator: Client) -> None:
    answers = {**ANSWERS, "slug": "tmdb", "config_base_url": "https://films.example"}
    assert "Take another." in operator.post(ADD, answers).content.decode()
    assert not Provider.objects.exists()


def test_a_slowed_pace_and_a_pause_are_on_its_page(operator: Client) -> None:
    Provider.objects.create(slug="films", label="Films", adapter="library", rate_limit_rps=4)
    page = f"{LIST}films/change/"
    assert "4 requests a second<" in operator.get(page).content.decode()
    sessions._throttle(configured.REDIS_URL).slow_down("films", 30, sent=time.time())
    assert "4 requests a second, slowed to 2 since it asked us to, and not at all for" in (
        operator.get(page).content.decode()
    )
