"""The page of a provider: its adapter's own settings, checked by the adapter, secrets never shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client

from providers import secrets
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
        ConfigField(name="token", label="Token", help="Of the licence.", secret=True, required=True),
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
    made: dict[str, Any] = {"config": {"base_url": "https://library.example/films"}}
    made["secrets"] = {"token": secrets.seal("catalogue", "token", "open-sesame")}
    return Provider.objects.create(slug="catalogue", label="Catalogue", adapter="with-secret", **made)


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
    assert "Set just now; it is not shown again." in html
    assert "open-sesame" not in html
    assert catalogue.secrets["token"] not in html


def test_an_empty_secret_stays_and_another_setting_changes(catalogue: Provider) -> None:
    url = "https://library.example/other"
    signed_in("operator").post(PAGE, {**ANSWERS, "config_base_url": url, "config_token": ""})
    catalogue.refresh_from_db()
    assert catalogue.config == {"base_url": url}
    assert secrets.reveal(catalogue) == {"token": "open-sesame"}


@pytest.mark.parametrize("url", ["https://mine.example/films", "http://library.example/films", ""])
def test_a_secret_is_not_sent_elsewhere_by_whoever_does_not_know_it(catalogue: Provider, url: str) -> None:
    answers = {**ANSWERS, "config_base_url": url, "config_token": ""}
    client = signed_in("operator")
    assert "enter this again, or forget it" in client.post(PAGE, answers).content.decode()
    catalogue.refresh_from_db()
    assert catalogue.config == {"base_url": "https://library.example/films"}
    assert client.post(PAGE, {**answers, "forget_token": "on"}).status_code == 302
    catalogue.refresh_from_db()
    assert (catalogue.config.get("base_url", ""), catalogue.secrets) == (url, {})


def test_a_secret_that_is_entered_replaces_the_old_one_and_goes_nowhere_else(catalogue: Provider) -> None:
    client = signed_in("operator")
    entered = {**ANSWERS, "config_base_url": "https://a.example", "config_token": "new-sesame"}
    refused = client.post(PAGE, {**entered, "rate_limit_rps": "none"})
    assert "new-sesame" not in refused.content.decode(), "a refused form gives it back"
    assert client.post(PAGE, entered).status_code == 302
    catalogue.refresh_from_db()
    assert secrets.reveal(catalogue) == {"token": "new-sesame"}
    [entry] = LogEntry.objects.all()
    assert "Token" in entry.change_message
    assert "sesame" not in entry.change_message
    assert "sesame" not in str(Provider.objects.values().get())


def test_a_secret_can_be_forgotten(catalogue: Provider) -> None:
    client = signed_in("operator")
    answers = {**ANSWERS, "config_base_url": "https://a.example", "forget_token": "on"}
    refused = client.post(PAGE, {**answers, "enabled": "on"})
    assert "Before it can be enabled: Token is required" in refused.content.decode()
    client.post(PAGE, answers)
    catalogue.refresh_from_db()
    assert catalogue.secrets == {}
    assert "Not set." in client.get(PAGE).content.decode()


def test_one_that_no_key_opens_is_said_and_can_be_entered_again(catalogue: Provider, settings: Any) -> None:
    settings.PROVIDER_SECRET_KEYS = [Fernet.generate_key().decode()]
    client = signed_in("operator")
    assert "Token cannot be read with PROVIDER_SECRET_KEYS" in client.get(PAGE).content.decode()
    answers = {**ANSWERS, "config_base_url": "https://a.example", "enabled": "on"}
    assert "enter it again" in client.post(PAGE, answers).content.decode()
    assert client.post(PAGE, {**answers, "config_token": "another one"}).status_code == 302
    catalogue.refresh_from_db()
    assert secrets.reveal(catalogue) == {"token": "another one"}


def test_saving_keeps_what_a_search_found_out_meanwhile(
    catalogue: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clean(form: Any) -> Any:
        Provider.objects.update(success_rate=0.25)
        return whole(form)

    whole = forms.ProviderForm.clean
    monkeypatch.setattr(forms.ProviderForm, "clean", clean)
    signed_in("operator").post(PAGE, {**ANSWERS, "config_base_url": "https://library.example/a"})
    catalogue.refresh_from_db()
    assert (catalogue.success_rate, catalogue.config) == (0.25, {"base_url": "https://library.example/a"})


def test_a_new_setting_does_not_inherit_the_back_off_of_the_old_one(catalogue: Provider) -> None:
    Provider.objects.update(backoff_rung=9, backoff_until=datetime(2099, 1, 1, tzinfo=UTC))
    client = signed_in("operator")
    same = {**ANSWERS, "config_base_url": catalogue.config["base_url"]}
    client.post(PAGE, {**same, "label": "Renamed"})
    catalogue.refresh_from_db()
    assert (catalogue.label, catalogue.backoff_rung) == ("Renamed", 9)
    client.post(PAGE, {**same, "config_base_url": "https://library.example/a"})
    catalogue.refresh_from_db()
    assert (catalogue.backoff_rung, catalogue.backoff_until) == (0, None)


def test_hosts_are_one_a_line(catalogue: Provider) -> None:
    answers = {
        **ANSWERS,
        "config_base_url": "https://library.example/a",
        "allowed_hosts": "Media.example.org\n *.cdn.example \n",
    }
    signed_in("operator").post(PAGE, answers)
    catalogue.refresh_from_db()
    assert catalogue.allowed_hosts == ["media.example.org", "*.cdn.example"]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"config_base_url": "ftp://library.example"}, "an http or https URL"),
        (
            {"config_base_url": "", "enabled": "on", "config_token": "open-sesame"},
            "Before it can be enabled: Base URL is required",
        ),
        (
            {"config_base_url": "https://library.example/a", "allowed_hosts": "a.example; script-src *"},
            "is no host name",
        ),
        (
            {"config_base_url": "https://library.example/a", "allowed_hosts": "a.example:8443"},
            "is no host name",
        ),
        (
            {"config_base_url": "https://library.example/a", "rate_limit_rps": "0"},
            "greater than or equal to 0.01",
        ),
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
    assert "Token: set" in html
    assert "open-sesame" not in html
    assert catalogue.secrets["token"] not in html
    assert client.post(PAGE, {**ANSWERS, "label": "Mine"}).status_code == 403
    catalogue.refresh_from_db()
    assert catalogue.label == "Catalogue"


def test_a_provider_whose_adapter_is_gone_can_still_be_read() -> None:
    Provider.objects.create(slug="catalogue", label="Catalogue", adapter="long-gone")
    kept = {"config": {"base_url": "https://a.example"}, "secrets": {"token": "gAAAA"}}
    Provider.objects.update(**kept)
    client = signed_in("operator")
    assert client.get(PAGE).status_code == 200
    assert forms.form_for("long-gone").declared == ()
    client.post(PAGE, {**ANSWERS, "label": "Renamed"})
    assert Provider.objects.values("label", *kept).get() == {"label": "Renamed", **kept}
