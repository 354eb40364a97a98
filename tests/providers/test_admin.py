"""The page of a provider: its adapter's own settings, checked by the adapter, secrets never shown."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from providers.adapters.library import Library
from providers.admin import forms
from providers.models import Provider
from providers.options import ConfigField, ConfigKind

pytestmark = pytest.mark.django_db

PAGE = "/admin/providers/provider/catalogue/change/"
ANSWERS = {
    "label": "Catalogue",
    "priority": 10,
    "allowed_hosts": "",
    "licence_note": "",
    "rate_limit_rps": "",
}


class WithSecret(Library):
    slug = "with-secret"
    config_fields: ClassVar[tuple[ConfigField, ...]] = (
        ConfigField(
            name="base_url", label="Base URL", help="Where <b> is.", kind=ConfigKind.URL, required=True
        ),
        ConfigField(name="token", label="Token", help="Of the licence.", secret=True),
    )


@pytest.fixture(autouse=True)
def _adapters(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    adapters = {"library": Library, "with-secret": WithSecret}
    for module in ("providers.registry", "providers.admin.forms", "providers.admin.providers"):
        monkeypatch.setattr(f"{module}.ADAPTERS", adapters)


@pytest.fixture
def catalogue() -> Provider:
    config = {"base_url": "https://library.example/films", "token": "open-sesame"}
    return Provider.objects.create(slug="catalogue", label="Catalogue", adapter="with-secret", config=config)


def signed_in(role: str) -> Client:
    user = User.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(user)
    return client


def test_the_adapters_settings_are_fields_and_its_secret_is_never_shown(catalogue: Provider) -> None:
    html = signed_in("operator").get(PAGE).content.decode()
    assert 'value="https://library.example/films"' in html
    assert "Where &lt;b&gt; is." in html
    assert 'type="password"' in html
    assert "open-sesame" not in html


def test_an_empty_secret_stays_and_another_setting_changes(catalogue: Provider) -> None:
    url = "https://other.example/films"
    signed_in("operator").post(PAGE, {**ANSWERS, "config_base_url": url, "config_token": ""})
    catalogue.refresh_from_db()
    assert catalogue.config == {"base_url": url, "token": "open-sesame"}


def test_hosts_are_one_a_line(catalogue: Provider) -> None:
    answers = {
        **ANSWERS,
        "config_base_url": "https://a.example",
        "allowed_hosts": "Media.example.org\n *.cdn.example \n",
    }
    signed_in("operator").post(PAGE, answers)
    catalogue.refresh_from_db()
    assert catalogue.allowed_hosts == ["media.example.org", "*.cdn.example"]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"config_base_url": "ftp://library.example"}, "an http or https URL"),
        ({"config_base_url": "", "enabled": "on"}, "base_url is required"),
        (
            {"config_base_url": "https://a.example", "allowed_hosts": "a.example; script-src *"},
            "is no host name",
        ),
        ({"config_base_url": "https://a.example", "allowed_hosts": "a.example:8443"}, "is no host name"),
        ({"config_base_url": "https://a.example", "rate_limit_rps": "0"}, "greater than or equal to 0.01"),
    ],
)
def test_what_the_adapter_does_not_take_is_refused(
    catalogue: Provider, answers: dict[str, str], told: str
) -> None:
    answer = signed_in("operator").post(PAGE, {**ANSWERS, **answers})
    assert answer.status_code == 200
    assert told in answer.content.decode()
    before = dict(catalogue.config)
    catalogue.refresh_from_db()
    assert catalogue.config == before


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_others_look_but_do_not_change(catalogue: Provider, role: str) -> None:
    client = signed_in(role)
    html = client.get(PAGE).content.decode()
    assert "library.example" in html
    assert "open-sesame" not in html
    assert client.post(PAGE, {**ANSWERS, "label": "Mine"}).status_code == 403
    catalogue.refresh_from_db()
    assert catalogue.label == "Catalogue"


def test_a_provider_whose_adapter_is_gone_can_still_be_read() -> None:
    Provider.objects.create(slug="catalogue", label="Catalogue", adapter="long-gone")
    assert signed_in("operator").get(PAGE).status_code == 200
    assert forms.form_for("long-gone").declared == ()
