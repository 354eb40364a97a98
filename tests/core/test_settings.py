"""`/api/settings`: read by viewers, changed by operators, refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from core import conf, history
from core.options import DEFAULTS, NAMES
from tests import clients
from tests.clients import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
URL = "/api/settings"


def test_all_settings_are_listed_with_value_source_default_and_what_they_take() -> None:
    rows = clients.client("viewer").get(URL).json()
    assert [row["key"] for row in rows] == list(NAMES)
    assert rows[0] == {
        "key": "TARGET_QUALITY",
        "value": "2160p",
        "source": "default",
        "default": "2160p",
        "environment": None,
        "kind": "choice",
        "allowed": "one of CAM, SD, 720p, 1080p, 1440p, 2160p",
        "help": "The search for better streams of a movie ends once it has this quality.",
        "change": 0,
        "changed_at": None,
        "changed_by": "",
        "comment": "",
    }


def test_a_change_holds_at_once_and_says_who_made_it() -> None:
    body = clients.client("operator").post(URL, {"key": "TARGET_QUALITY", "value": "1080P"}).json()
    assert (body["value"], body["source"], body["changed_by"]) == ("1080p", "database", "operator-ada")
    assert body["changed_at"].endswith("Z")
    assert conf.current().target_quality == "1080p"


def test_a_reset_brings_the_default_back() -> None:
    operator = clients.client("operator")
    operator.post(URL, {"key": "DISCOVER_PAGES", "value": 9})
    assert operator.delete(f"{URL}/DISCOVER_PAGES").json()["source"] == "default"
    assert operator.delete(f"{URL}/DISCOVER_PAGES/").status_code == 200
    assert conf.current() == DEFAULTS


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({}, "key", "required"),
        ({"key": "TARGET_QUALITY"}, "value", "required"),
        ({"key": "TARGET_QUALITY", "value": None}, "value", "null"),
        ({"key": "TARGET_QUALITY", "value": "4k"}, "value", "one of CAM, SD, 720p, 1080p, 1440p, 2160p"),
        ({"key": "DISCOVER_PAGES", "value": 1e300}, "value", "a whole number from 1 to 50"),
        ({"key": "DISCOVER_PAGES", "value": [[[]]]}, "value", "that list is not"),
        ({"key": "SECRET_KEY", "value": "x"}, "key", "There are: TARGET_QUALITY, "),
        ({"key": "TARGET_QUALITY", "value": "SD", "reason": "x"}, "reason", "Known: key, value, comment"),
    ],
)
def test_a_refused_change_says_why_and_changes_nothing(body: object, field: str, said: str) -> None:
    problem = assert_problem(clients.client("operator").post(URL, body), 400)
    assert said in problem["errors"][field][0]
    assert conf.current() == DEFAULTS


@pytest.mark.parametrize("key", ["NOTHING", "target_quality", "a%00b", "%F0%9F%8E%AC"])
def test_a_setting_that_is_none_cannot_be_reset(key: str) -> None:
    problem = assert_problem(clients.client("operator").delete(f"{URL}/{key}"), 404)
    assert "There are: TARGET_QUALITY" in problem["detail"]


def test_a_viewer_may_ask_for_the_head() -> None:
    assert clients.client("viewer").head(URL).status_code == 200


def test_one_setting_shows_what_the_environment_says_even_where_it_is_overridden(settings: Any) -> None:
    settings.OPTIONS_FROM_ENV = {"DISCOVER_PAGES": 7}
    clients.client("operator").post(URL, {"key": "DISCOVER_PAGES", "value": 9, "comment": "More, please."})
    body = clients.client("viewer").get(f"{URL}/DISCOVER_PAGES").json()
    assert (body["value"], body["environment"], body["default"], body["source"]) == (9, 7, 2, "database")
    assert (body["change"], body["comment"]) == (1, "More, please.")
    assert_problem(clients.client("viewer").get(f"{URL}/NOTHING"), 404)


def test_the_history_says_who_set_it_to_what_newest_first() -> None:
    operator = clients.client("operator")
    operator.post(URL, {"key": "DISCOVER_PAGES", "value": 9})
    operator.delete(f"{URL}/DISCOVER_PAGES")
    newest, oldest = clients.client("viewer").get(f"{URL}/DISCOVER_PAGES/history").json()
    assert (oldest["change"], oldest["before"], oldest["after"]) == (1, None, 9)
    assert (newest["change"], newest["before"], newest["after"]) == (2, 9, None)
    assert {newest["by"], oldest["by"]} == {"operator-ada"}
    assert newest["at"].endswith("Z")
    assert clients.client("viewer").get(f"{URL}/TARGET_QUALITY/history").json() == []
    assert_problem(clients.client("viewer").get(f"{URL}/NOTHING/history"), 404)


def test_a_revert_is_one_more_change_that_says_what_it_took() -> None:
    operator = clients.client("operator")
    for value in (9, 12):
        operator.post(URL, {"key": "DISCOVER_PAGES", "value": value})
    body = operator.post(f"{URL}/DISCOVER_PAGES/revert", {"change": 1, "comment": "Too many."}).json()
    assert (body["value"], body["change"], body["comment"]) == (9, 3, "Too many.")
    newest = operator.get(f"{URL}/DISCOVER_PAGES/history").json()[0]
    assert (newest["before"], newest["after"], newest["reverts_to"]) == (12, 9, 1)
    assert conf.current().discover_pages == 9


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({}, "change", "required"),
        ({"change": 0}, "change", "greater than or equal to 1"),
        ({"change": 2}, "change", "DISCOVER_PAGES has no change 2. There are 1 to 1."),
        ({"change": 2**31}, "change", "less than or equal to"),
        ({"change": 1, "value": 3}, "value", "Known: change, comment"),
    ],
)
def test_a_refused_revert_says_why_and_changes_nothing(body: object, field: str, said: str) -> None:
    operator = clients.client("operator")
    operator.post(URL, {"key": "DISCOVER_PAGES", "value": 9})
    problem = assert_problem(operator.post(f"{URL}/DISCOVER_PAGES/revert", body), 400)
    assert said in problem["errors"][field][0]
    assert conf.state("DISCOVER_PAGES").change == 1
    assert_problem(operator.post(f"{URL}/NOTHING/revert", {"change": 1}), 404)


def test_what_others_change_all_the_time_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_TRIES", 0)
    problem = assert_problem(clients.client("operator").post(URL, {"key": "TERRITORY", "value": "DE"}), 409)
    assert "TERRITORY is being changed by others" in problem["detail"]
