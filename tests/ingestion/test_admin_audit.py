"""The audit in the admin: found by what people know of an act, read, taken away; and never touched."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from core import audit, conf, doors
from core.audit import Action, export
from core.doors import Door, Origin, Who
from core.ids import uuid7_of
from core.models import AuditEntry
from tests.ingestion.test_admin import signed_in
from tests.queries import explained

pytestmark = pytest.mark.django_db

LIST = "/admin/core/auditentry/"
EXPORT = f"{LIST}export/"


@pytest.fixture(autouse=True)
def _plain_files(settings: Any) -> None:
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}


def came_in(name: str, address: str) -> AbstractContextManager[None]:
    who = Who("7", name)
    return doors.opened(Origin(door=Door.ADMIN, via="POST /admin/", address=address, who=lambda: who))


@pytest.fixture
def acts() -> None:
    """Ada hides a film, Bob is refused a rollback, somebody fails to sign in."""
    edit = audit.act(Action.MOVIE_EDIT, 45745, name="Sintel", why="Rights are <unclear>.")
    with came_in("ada", "203.0.113.9"), edit as deed:
        deed.changed({"hidden": False}, {"hidden": True})
    with came_in("bob", "203.0.113.10"), audit.act(Action.MOVIE_ROLLBACK, 5, name="Metropolis") as deed:
        deed.refuse("Nothing to undo.")
    audit.record(Action.ACCOUNT_LOGIN_FAILED, name="no account of ours", outcome=AuditEntry.Outcome.REFUSED)


def aged(days: int, action: str = "job.start") -> AuditEntry:
    at = timezone.now() - timedelta(days=days)
    key = uuid7_of(at, f"{days} {action}")
    facts = {"id": key, "act": key, "at": at, "action": action, "target_kind": action.partition(".")[0]}
    return AuditEntry.objects.create(**facts, outcome="done", door="job")


def shown(client: Client, query: str = "") -> set[str]:
    """The actions that a list shows."""
    response = client.get(f"{LIST}{query}")
    assert response.status_code == 200
    return {row.action for row in response.context["cl"].result_list}


ALL = {"movie.edit", "movie.rollback", "account.login_failed"}


@pytest.mark.usefixtures("acts")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ALL),
        ("?q=ada", {"movie.edit"}),
        ("?q=Sintel", {"movie.edit"}),
        ("?q=45745", {"movie.edit"}),
        ("?q=203.0.113.10", {"movie.rollback"}),
        ("?q=movie.rollback", {"movie.rollback"}),
        ("?q=sint", set()),
        ("?actor_name=bob", {"movie.rollback"}),
        ("?target_kind=movie", {"movie.edit", "movie.rollback"}),
        ("?target_kind=movie&target_key=5", {"movie.rollback"}),
        ("?action=account.login_failed", {"account.login_failed"}),
        ("?door__exact=admin", {"movie.edit", "movie.rollback"}),
        ("?outcome=refused", {"movie.rollback", "account.login_failed"}),
        ("?outcome=begun", {"movie.edit", "movie.rollback"}),
        ("?day=7", ALL),
        ("?day=2020-01-01", set()),
        ("?day=nonsense", ALL),
        ("?day=9999-12-31", ALL),
    ],
)
def test_acts_are_found_by_what_one_knows_of_them(query: str, found: set[str]) -> None:
    assert shown(signed_in("viewer"), query) == found


def test_a_day_is_that_day_alone() -> None:
    row, _ = aged(3), aged(4)
    assert shown(signed_in("viewer"), f"?day={row.at:%Y-%m-%d}") == {"job.start"}
    assert AuditEntry.objects.count() == 2


@pytest.mark.usefixtures("acts")
def test_the_page_of_an_act_shows_all_of_it_as_text() -> None:
    client = signed_in("viewer")
    row = AuditEntry.objects.get(action="movie.edit", outcome="done")
    html = client.get(f"{LIST}{row.pk}/change/").content.decode()
    for told in (
        "ada",
        "Sintel",
        "Rights are &lt;unclear&gt;.",
        "203.0.113.9",
        '<th scope="row">hidden</th>',
    ):
        assert told in html
    assert 'href="/admin/streaming/movie/45745/change/"' in html
    assert f"{LIST}{row.act}/change/" in html


@pytest.mark.parametrize("key", ["nonsense", "01a22f12-7b45-7376-aa93-06b9c0c92355", "_00"])
def test_a_row_that_is_not_there_is_404(key: str) -> None:
    assert signed_in("viewer").get(f"{LIST}{key}/change/").status_code == 404


@pytest.mark.usefixtures("acts")
def test_nobody_adds_changes_or_deletes_a_row_there() -> None:
    client, row = signed_in("operator"), AuditEntry.objects.filter(outcome="done")[0]
    before = list(AuditEntry.objects.values())
    assert client.post(f"{LIST}add/", {"action": "x"}).status_code == 403
    assert client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(f"{LIST}{row.pk}/change/", {"why": "another"})
    client.post(LIST, {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"})
    assert list(AuditEntry.objects.values()) == before


@pytest.mark.usefixtures("acts")
@pytest.mark.parametrize("role", ["viewer", "editor", ""])
def test_only_operators_take_it_away(role: str) -> None:
    client = signed_in(role)
    for response in (client.get(EXPORT), client.post(EXPORT, {})):
        assert response.status_code == 403
    if role:
        assert EXPORT not in client.get(LIST).content.decode()


@pytest.mark.usefixtures("acts")
def test_an_export_is_json_lines_oldest_first_and_on_record_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export, "BATCH", 2)
    client = signed_in("operator")
    assert EXPORT in client.get(LIST).content.decode()
    response = client.post(EXPORT, {"since": "2020-01-01"})
    assert response["Content-Type"] == "application/jsonl"
    assert response["Content-Disposition"].startswith('attachment; filename="audit-')
    rows = [json.loads(line) for line in response.getvalue().decode().split("\n") if line]
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    assert {row["action"] for row in rows} == ALL | {"audit.export"}
    (edit,) = (row for row in rows if (row["action"], row["outcome"]) == ("movie.edit", "done"))
    assert edit["who"] == {"id": "7", "name": "ada"}
    assert edit["target"] == {"kind": "movie", "key": "45745", "name": "Sintel"}
    assert (edit["from"], edit["to"], edit["why"]) == (
        {"hidden": False},
        {"hidden": True},
        "Rights are <unclear>.",
    )
    assert (edit["door"], edit["via"], edit["address"]) == ("admin", "POST /admin/", "203.0.113.9")
    assert datetime.fromisoformat(edit["at"]).tzinfo is not None
    assert AuditEntry.objects.get(action="audit.export").actor_name == "the-operator"


def test_both_days_of_an_export_are_within() -> None:
    rows = [aged(days) for days in (4, 3, 2, 1)]
    days = {"since": f"{rows[1].at:%Y-%m-%d}", "until": f"{rows[2].at:%Y-%m-%d}"}
    body = signed_in("operator").post(EXPORT, days).getvalue().decode()
    assert [json.loads(line)["id"] for line in body.splitlines()] == [str(row.pk) for row in rows[1:3]]


def test_a_day_that_is_none_is_refused() -> None:
    response = signed_in("operator").post(EXPORT, {"since": "yesterday"})
    assert "Enter a valid date." in response.content.decode()
    assert not AuditEntry.objects.exists()


def test_the_command_takes_days_and_times() -> None:
    old, young = aged(9), aged(2)
    since = f"{young.at - timedelta(hours=1):%Y-%m-%dT%H:%MZ}"
    for words, found in (
        ((), [old.pk, young.pk]),
        (("--since", since), [young.pk]),
        (("--until", f"{young.at.astimezone(UTC):%Y-%m-%d}"), [old.pk]),
    ):
        out = io.StringIO()
        call_command("export_audit", *words, stdout=out)
        lines = [json.loads(line) for line in out.getvalue().splitlines()]
        assert [line["id"] for line in lines if line["action"] == "job.start"] == [str(key) for key in found]
    assert AuditEntry.objects.filter(action="audit.export").count() == 3


@pytest.mark.parametrize("words", ["yesterday", "2026-13-01", "2026-02-30T10:00"])
def test_the_command_refuses_what_is_no_time(words: str) -> None:
    with pytest.raises(CommandError, match="--since is a day such as"):
        call_command("export_audit", "--since", words)


def test_how_long_it_is_kept_is_a_setting_that_cannot_wipe_what_is_young() -> None:
    assert conf.current().audit_kept_days == 400
    with pytest.raises(conf.OptionError, match="from 90 to"):
        conf.change("AUDIT_KEPT_DAYS", 1, by="mallory", at=timezone.now())


def test_each_list_and_search_is_answered_by_an_index() -> None:
    AuditEntry.objects.bulk_create(_many())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            cursor.execute("SET LOCAL random_page_cost = 1.1")  # see tests/test_indexes.py
    client = signed_in("viewer")
    words = ("actor_name=person-7", "target_kind=movie&target_key=7", "action=movie.edit", "q=person-7")
    queries = ("", *(f"?{each}" for each in words))
    with explained() as plans:
        for query in queries:
            assert client.get(f"{LIST}{query}").status_code == 200
    pages = [plan for plan in plans if plan.page]
    assert len(pages) >= len(queries)
    assert [plan.text for plan in pages if "core_auditentry" in plan.scanned] == []


def _many() -> Iterator[AuditEntry]:
    now, actions = timezone.now(), list(Action)
    for number in range(3000):
        at = now - timedelta(minutes=number)
        key = uuid7_of(at, str(number))
        yield AuditEntry(
            id=key,
            act=key,
            at=at,
            action=actions[number % len(actions)].value,
            outcome="done",
            actor_name=f"person-{number % 300}",
            target_kind="movie",
            target_key=str(number % 700),
            target_name=f"Movie {number % 700}",
            address=f"203.0.113.{number % 200}",
            correlation_id=str(key),
        )
