"""The page of a setting of the policy: what would switch is shown before it is saved, and enforced after."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from core import conf
from core.models import Setting
from ingestion.models import IngestRun, Job
from streaming import switching
from streaming.models import Movie
from streaming.quality import Quality
from tests.ingestion.conftest import AT
from tests.streaming import factory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

LIST = "/admin/core/setting/"
MINIMUM = f"{LIST}MIN_5FQUALITY_5FTO_5FPUBLISH/change/"
TRY = {"value": "1080p", "rehearse": "1"}


@pytest.fixture(autouse=True)
def _plain_files(settings: Any) -> None:
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


@pytest.fixture
def operator() -> Client:
    return signed_in("operator")


def signed_in(role: str) -> Client:
    user = User.objects.create_user(role, password="x", is_staff=True)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    client = Client()
    client.force_login(user)
    return client


def playing(number: int, quality: Quality) -> Movie:
    movie = factory.movie(number, title=f"Film <{number}>")
    factory.version(movie, quality.label, quality)
    switching.reconsider(number, at=AT)
    return movie


def page(client: Client, url: str, said: dict[str, str] | None = None) -> str:
    answer = client.get(url) if said is None else client.post(url, said, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def enforces(html: str) -> str:
    """What the button says that enforces the settings."""
    button = re.search('name="enforce" value="([^"]+)"', html)
    assert button is not None
    return unescape(button[1])


def test_what_would_switch_is_shown_and_nothing_is_saved(operator: Client) -> None:
    playing(1, Quality.P720)
    playing(2, Quality.P1080)
    html = page(operator, MINIMUM, TRY)
    assert "Nothing is saved yet. 2 films looked at." in html
    assert "Film &lt;1&gt;" in html
    assert "if enforced" in html
    assert "Film &lt;2&gt;" not in html
    assert 'name="enforce"' not in html  # there is nothing to enforce yet
    assert 'value="1080p" selected' in html
    assert not Setting.objects.exists()
    assert not IngestRun.objects.exists()


def test_a_change_without_an_effect_says_so(operator: Client) -> None:
    playing(1, Quality.P2160)
    assert "No film would play anything else." in page(operator, MINIMUM, TRY)


def test_what_is_in_force_can_be_enforced(operator: Client) -> None:
    playing(1, Quality.P720)
    page(operator, MINIMUM, {"value": "1080p"})
    html = page(operator, MINIMUM, TRY)
    assert "This value is in force." in html
    assert "being enforced" in page(operator, MINIMUM, {"enforce": enforces(html)})
    run = IngestRun.objects.get(job=Job.ENFORCE)
    assert (run.trigger, run.requested_by) == ("admin", "operator")
    assert conf.state("MIN_QUALITY_TO_PUBLISH").change == 1


def test_only_what_was_shown_is_enforced(operator: Client) -> None:
    playing(1, Quality.P720)
    page(operator, MINIMUM, {"value": "1080p"})
    said = enforces(page(operator, MINIMUM, TRY))
    page(operator, f"{LIST}TERRITORY/change/", {"value": "DE"})
    for stale in (said, "1", ""):
        assert "see once more what would switch" in page(operator, MINIMUM, {"enforce": stale})
    assert not IngestRun.objects.filter(job=Job.ENFORCE).exists()


def test_a_value_that_is_none_is_refused_before_it_is_tried(operator: Client) -> None:
    html = page(operator, f"{LIST}TERRITORY/change/", {"value": "Germany", "rehearse": "1"})
    assert "an ISO 3166-1 country code" in html
    html = page(operator, MINIMUM, {"value": "8K", "rehearse": "1"})
    assert "Select a valid choice" in html


def test_a_setting_that_moves_no_stream_is_neither_tried_nor_enforced(operator: Client) -> None:
    url = f"{LIST}DISCOVER_5FPAGES/change/"
    assert "See what would switch" not in page(operator, url)
    for button in ("rehearse", "enforce"):
        page(operator, url, {"value": "", button: "1"})
    assert not IngestRun.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "editor"])
@pytest.mark.parametrize("button", ["rehearse", "enforce", "reset", "revert"])
def test_others_press_no_button(role: str, button: str) -> None:
    client = signed_in(role)
    assert f'name="{button}"' not in page(client, MINIMUM)
    assert client.post(MINIMUM, {"value": "1080p", button: "1"}).status_code == 403
    assert not IngestRun.objects.exists()
