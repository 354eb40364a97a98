"""Providers over HTTP: what staff may know of each, and a test of one; never a secret."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers import hours, registry, secrets
from providers.models import Provider
from tests import clients
from tests.clients import assert_problem
from tests.providers.media import MEDIA, media
from tests.providers.origin import Answer, Origin
from tests.providers.test_testing import TOKEN, Keyed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

FILM = next(name for name in MEDIA if name.endswith(".mp4"))
ROW = {"id": "a", "url": f"../{FILM}", "delivery": "progressive", "quality": "1080p"}


@pytest.fixture(autouse=True)
def _adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.api.views.ADAPTERS", {**registry.ADAPTERS, "keyed": Keyed})
    monkeypatch.setattr(registry, "ADAPTERS", {**registry.ADAPTERS, "keyed": Keyed})


def library(url: str, **columns: Any) -> Provider:
    made = {"label": "Films", "adapter": "library", "config": {"base_url": url}, **columns}
    return Provider.objects.create(slug="films", **made)


def test_a_viewer_sees_how_each_is_doing_and_what_it_lacks() -> None:
    until = timezone.now().replace(microsecond=0) + timedelta(hours=1)
    library("https://films.example", backoff_rung=3, backoff_until=until, success_rate=0.5, priority=1)
    Provider.objects.create(slug="other", label="Other", adapter="library", backoff_until=timezone.now())
    films, other = clients.client("viewer").get("/api/providers").json()
    assert (films["slug"], films["settings"]) == ("films", {"base_url": "https://films.example"})
    assert (films["owed"], films["health"]["backoff_rung"]) == ([], 3)
    assert films["health"]["success_rate"] == 0.5
    assert films["health"]["backs_off_until"] == until.isoformat().replace("+00:00", "Z")
    assert films["pace"] == {"rate_limit_rps": None, "share": 1.0, "paused_s": 0.0}
    assert "base_url is required" in other["owed"][0]
    assert other["health"]["backs_off_until"] is None, "that is over"


def test_one_of_them_brings_its_last_day() -> None:
    library("https://films.example")
    at = timezone.now()
    hours.count("films", at, answered=3, claims=2, claims_kept=1)
    hours.count("films", at - timedelta(hours=5), failed=1)
    hours.count("films", at - timedelta(days=2), failed=9)
    told = clients.client("viewer").get("/api/providers/films").json()["last_day"]
    assert (told["answered"], told["failed"], told["claims"], told["claims_kept"]) == (3, 1, 2, 1)


def test_of_a_secret_it_says_that_there_is_one_and_since_when() -> None:
    token = secrets.seal("films", "token", TOKEN)
    library("https://films.example", adapter="keyed", secrets={"token": token})
    answer = clients.client("operator").get("/api/providers/films")
    told = answer.json()
    assert told["secrets"]["token"]["set"] is True
    assert told["secrets"]["token"]["set_at"].startswith(str(timezone.now().year))
    assert told["settings"] == {"base_url": "https://films.example"}
    for hidden in (TOKEN, token):
        assert hidden not in answer.content.decode()


def test_an_operator_tests_it_and_gets_every_step(origin: Origin, settings: Any) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [origin.url]
    origin.on("/movies/10378.json", Answer(body=json.dumps({"renditions": [ROW]}).encode()))
    origin.on(f"/{FILM}", Answer(body=media(FILM), headers={"Content-Type": "video/mp4"}))
    library(origin.url)
    told = clients.client("operator").post("/api/providers/films/test").json()
    assert (told["works"], told["found"], told["provider"]) == (True, 1, "films")
    assert [step["state"] for step in told["steps"]] == ["ok"] * 5
    assert told["movie"]["title"] == "Big Buck Bunny"
    assert told["candidates"][0]["url"] == f"{origin.url}/{FILM}"
    assert told["probe"]["height"] > 0


def test_it_may_be_tested_with_a_film_of_ones_own(origin: Origin, settings: Any) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [origin.url]
    library(origin.url)
    film = {"title": "Sintel", "tmdb_id": 45745}
    told = clients.client("operator").post("/api/providers/films/test", {"movie": film}).json()
    assert origin.paths() == ["/movies/45745.json"]
    assert told["works"] is False
    assert [step["name"] for step in told["steps"] if step["state"] == "failed"] == ["streams"]


@pytest.mark.parametrize(
    "body",
    [{"film": 1}, {"movie": {"title": "Sintel"}}, {"movie": {"title": "x", "tmdb_id": 0}}, {"movie": 7}],
)
def test_what_is_no_film_is_refused(origin: Origin, body: Any) -> None:
    library(origin.url)
    answer = clients.client("operator").post("/api/providers/films/test", body)
    assert assert_problem(answer, 400)["errors"]
    assert origin.asked == []


def test_an_unknown_provider_is_not_found() -> None:
    client = clients.client("operator")
    assert_problem(client.get("/api/providers/nowhere"), 404, reason="not_found")
    assert_problem(client.post("/api/providers/nowhere/test"), 404, reason="not_found")


def test_one_account_cannot_test_without_end(settings: Any) -> None:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "provider-test": "2/day"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    Provider.objects.create(slug="films", label="Films", adapter="library")
    client = clients.client("operator")
    statuses = [client.post("/api/providers/films/test").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
