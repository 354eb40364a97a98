"""The settings in the admin: everything is shown, operators alone change, and through `core.conf`."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client

from core import conf, history, options, signals
from core.models import Setting

pytestmark = pytest.mark.django_db

LIST = "/admin/core/setting/"
TARGET = f"{LIST}TARGET_5FQUALITY/change/"


@pytest.fixture(autouse=True)
def _plain_files(settings: Any) -> None:
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


def signed_in(role: str) -> Client:
    user = User.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(user)
    return client


def test_every_setting_is_shown_with_its_value_and_where_it_comes_from() -> None:
    html = unescape(signed_in("viewer").get(LIST).content.decode())
    for name in options.NAMES:
        assert name in html
        assert options.help_of(name) in html


def test_an_operator_changes_a_setting_and_whoever_listens_hears_of_it() -> None:
    heard: list[str] = []

    def listen(name: str, **_: object) -> None:
        heard.append(name)

    signals.setting_changed.connect(listen)
    answer = signed_in("operator").post(TARGET, {"value": "1080p"}, follow=True)
    assert conf.current().target_quality == "1080p"
    assert Setting.objects.get().changed_by == "operator"
    assert heard == ["TARGET_QUALITY"]
    assert "TARGET_QUALITY was 2160p, is now 1080p." in answer.content.decode()
    assert LogEntry.objects.get().object_id == "TARGET_QUALITY"


def test_a_change_is_forgotten_on_request() -> None:
    client = signed_in("operator")
    client.post(TARGET, {"value": "1080p"})
    client.post(TARGET, {"reset": "1"})
    assert conf.state("TARGET_QUALITY").source == "default"
    assert Setting.objects.get().changed_by == "operator"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("TARGET_5FQUALITY", "8K", "Select a valid choice"),
        ("RATE_5FLIMIT_5FRPS", "0", "a number from 0.01 to 1000"),
        ("INGEST_5FREFRESH_5FCRON", "often", "five cron columns"),
        ("RATE_5FLIMIT_5FRPS", "", "is not."),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(name: str, value: str, told: str) -> None:
    answer = signed_in("operator").post(f"{LIST}{name}/change/", {"value": value})
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert not Setting.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_others_look_but_do_not_change(role: str) -> None:
    client = signed_in(role)
    assert '<button class="button primary"' not in client.get(TARGET).content.decode()
    assert client.post(TARGET, {"value": "1080p"}).status_code == 403
    assert not Setting.objects.exists()


def test_an_unknown_setting_is_404() -> None:
    assert signed_in("operator").get(f"{LIST}NOPE/change/").status_code == 404


def test_the_page_shows_the_history_and_reverts_to_any_of_it() -> None:
    client = signed_in("operator")
    client.post(TARGET, {"value": "1080p", "comment": "Our screens show no more."})
    client.post(TARGET, {"value": "720p"})
    html = client.get(TARGET).content.decode()
    assert "Our screens show no more." in html
    assert html.count('name="revert"') == 1  # not to what holds
    answer = client.post(TARGET, {"revert": "1"}, follow=True)
    assert "TARGET_QUALITY was 720p, is now 1080p." in answer.content.decode()
    assert "as in change 1" in answer.content.decode()
    assert history.of("TARGET_QUALITY")[0].reverts_to == 1


@pytest.mark.parametrize("to", ["9", "0", "99999999999999999999"])
def test_a_revert_to_nothing_is_refused(to: str) -> None:
    client = signed_in("operator")
    client.post(TARGET, {"value": "1080p"})
    answer = client.post(TARGET, {"revert": to})
    assert "There are 1 to 1." in answer.content.decode()
    assert len(history.of("TARGET_QUALITY")) == 1


def test_a_value_that_stands_over_the_environments_says_so(settings: Any) -> None:
    settings.OPTIONS_FROM_ENV = {"DISCOVER_PAGES": 7}
    client = signed_in("operator")
    page = f"{LIST}DISCOVER_5FPAGES/change/"
    client.post(page, {"value": "9"})
    for url in (LIST, page):
        assert "The environment says 7." in client.get(url).content.decode()


def test_what_operators_write_is_shown_as_text() -> None:
    client = signed_in("operator")
    client.post(TARGET, {"value": "1080p", "comment": "<script>alert(1)</script>"})
    assert "<script>alert" not in client.get(TARGET).content.decode()
