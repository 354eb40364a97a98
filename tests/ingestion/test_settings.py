"""`POST /api/settings?dry_run=true`: what would switch, said before anything does."""

from __future__ import annotations

from typing import Any

import pytest

from core import conf
from core.models import Setting
from core.options import DEFAULTS
from ingestion.api import settings as api
from ingestion.models import IngestRun
from streaming import rehearsal, switching
from streaming.quality import Quality
from tests import clients
from tests.clients import assert_problem
from tests.streaming import factory
from tests.streaming.factory import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
URL = "/api/settings?dry_run=true"
RAISED = {"key": "MIN_QUALITY_TO_PUBLISH", "value": "1080P"}


def playing(number: int, quality: Quality) -> str:
    movie = factory.movie(number)
    key = factory.version(movie, quality.label, quality)
    switching.reconsider(number, at=NOW)
    return str(key)


def dry_run(body: object, role: str = "operator") -> Any:
    answer = clients.client(role).post(URL, body)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_dry_run_says_which_movies_would_switch_and_why() -> None:
    left = playing(1, Quality.P720)
    playing(2, Quality.P1080)
    none = {"published": 0, "upgraded": 0, "replaced": 0, "withdrawn": 0, "kept": 0}
    assert dry_run(RAISED) == {
        "key": "MIN_QUALITY_TO_PUBLISH",
        "value": "1080p",
        "checked": 2,
        "total": 2,
        "partial": False,
        "by_itself": none,
        "enforced": {**none, "withdrawn": 1},
        "reasons": {"below_minimum": 1},
        "movies": [
            {
                "movie": 1,
                "title": "Movie 1",
                "effect": "withdrawn",
                "enforced": True,
                "from": {"version": left, "provider": "library", "quality": "720p"},
                "to": None,
                "why": "a stream is below MIN_QUALITY_TO_PUBLISH",
            }
        ],
    }


def test_what_is_lifted_has_a_reason_of_its_own() -> None:
    key = playing(1, Quality.SD)
    body = dry_run({"key": "MIN_QUALITY_TO_PUBLISH", "value": "SD"})
    assert (body["by_itself"]["published"], body["reasons"]) == (1, {"no_longer_below_minimum": 1})
    assert body["movies"][0]["to"] == {"version": key, "provider": "library", "quality": "SD"}


def test_nothing_is_changed_and_nothing_is_queued() -> None:
    playing(1, Quality.P720)
    dry_run(RAISED)
    assert conf.current() == DEFAULTS
    assert not Setting.objects.exists()
    assert not IngestRun.objects.exists()


def test_the_value_in_force_says_what_enforcing_it_would_do() -> None:
    playing(1, Quality.P720)
    clients.client("operator").post("/api/settings", RAISED)
    assert dry_run(RAISED)["enforced"]["withdrawn"] == 1


def test_a_large_catalogue_is_looked_at_as_far_as_the_time_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "WITHIN_S", 0)
    monkeypatch.setattr(rehearsal, "BATCH", 1)
    for number in (1, 2):
        playing(number, Quality.P720)
    body = dry_run(RAISED)
    assert (body["checked"], body["total"], body["partial"]) == (1, 2, True)


@pytest.mark.parametrize(
    ("url", "body", "field", "said"),
    [
        (URL, {"key": "DISCOVER_PAGES", "value": 3}, "key", "These do: ALLOW_LOWER_QUALITY_UNTIL_UPGRADE, "),
        (URL, {"key": "TARGET_QUALITY", "value": "8K"}, "value", "one of CAM, SD"),
        (URL, {"key": "TARGET_QUALITY"}, "value", "required"),
        (URL, {}, "key", "required"),
        ("/api/settings?dry_run=perhaps", RAISED, "dry_run", "boolean"),
        ("/api/settings?dryrun=true", RAISED, "dryrun", "Known: dry_run"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_and_not_made(
    url: str, body: object, field: str, said: str
) -> None:
    problem = assert_problem(clients.client("operator").post(url, body), 400)
    assert said in problem["errors"][field][0]
    assert conf.current() == DEFAULTS


def test_without_a_dry_run_the_change_is_made() -> None:
    clients.client("operator").post("/api/settings?dry_run=false", RAISED)
    assert conf.current().min_quality_to_publish == "1080p"


@pytest.mark.parametrize("role", ["viewer", "editor"])
def test_who_may_not_change_a_setting_may_not_rehearse_it(role: str) -> None:
    assert_problem(clients.client(role).post(URL, RAISED), 403)
