"""Every write by API, admin or command leaves its rows in the audit: who adds one, adds it here.

The tables are by hand. What they do not name fails the build, so that no way of writing is forgotten.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command, get_commands
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from core import doors
from core.audit import Action, export
from core.models import AuditEntry
from ingestion import ending, runs, schedule
from ingestion.models import Job
from providers import health
from providers.models import Provider
from tests import clients
from tests.ingestion.staged import Staged, stage
from tests.ingestion.world import World
from tests.urls import published

SAFE = ("GET", "HEAD", "OPTIONS")
SECRET = "hush-hush-0123456789"


@pytest.fixture
def film(world: World, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Staged:
    """A film with an upgrade behind it, a run that waits, a schedule; and no broker."""
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    monkeypatch.setattr(ending.current_app, "send_task", lambda *args, **options: None)
    schedule.initialize()
    return stage(world)


@pytest.fixture
def committing(transactional_db: None) -> None:
    """What becomes of accounts is told once it is committed."""


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> None:
    """Where setup writes."""
    settings.DATA_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"


def ended(**filters: Any) -> list[AuditEntry]:
    return list(AuditEntry.objects.exclude(outcome="begun").filter(**filters).order_by("at", "id"))


def names_of(film: Staged) -> dict[str, Any]:
    """What stands for the names in paths."""
    run, _ = runs.queue(Job.PRUNE, at=timezone.now(), trigger="test")
    account = User.objects.filter(username="bystander").first() or clients.user(name="bystander")
    return {
        "movie": film.movie_id,
        "low": film.low,
        "high": film.high,
        "run": run.pk,
        "job": "tmdb.discover",
        "key": "TARGET_QUALITY",
        "provider": "library",
        "user": account.pk,
        "group": Group.objects.get_or_create(name="critics")[0].pk,
        "task": PeriodicTask.objects.get(name="maintenance.prune").pk,
    }


class TestApi:
    """Method, path, body, and the action that it leaves. Dictionaries are one row each."""

    WRITES: tuple[tuple[str, str, dict[str, Any], Action], ...] = (
        ("POST", "api/movies", {"tmdb_id": 45745, "reason": "wanted"}, Action.MOVIE_ADD),
        ("PATCH", "api/movies/{movie}", {"title": "Ours", "reason": "better"}, Action.MOVIE_EDIT),
        ("DELETE", "api/movies/{movie}", {"reason": "no licence"}, Action.MOVIE_WITHDRAW),
        (
            "POST",
            "api/movies/{movie}/activate-stream",
            {"version": "{low}", "reason": "sharper"},
            Action.MOVIE_ACTIVATE,
        ),
        ("POST", "api/movies/{movie}/rollback", {"reason": "softer"}, Action.MOVIE_ROLLBACK),
        ("POST", "api/movies/{movie}/recheck", {}, Action.MOVIE_RECHECK),
        ("DELETE", "api/ingest/runs/{run}", {}, Action.RUN_CANCEL),
        ("POST", "api/ingest/run/{job}", {}, Action.JOB_START),
        ("POST", "api/ingest/initialize", {}, Action.SCHEDULE_INITIALIZE),
        ("POST", "api/providers/{provider}/test", {}, Action.PROVIDER_TEST),
        ("POST", "api/settings", {"key": "TARGET_QUALITY", "value": "1080p"}, Action.SETTING_CHANGE),
        ("DELETE", "api/settings/{key}", {}, Action.SETTING_RESET),
        ("POST", "api/settings/{key}/revert", {"change": 1}, Action.SETTING_REVERT),
    )
    NO_WRITES: ClassVar = {
        ("POST", "api/auth/refresh"): "renews what a log-in opened; nobody decides anything",
        ("POST", "api/movies/{movie}/playback-reports"): "a player's beacon: a probe is due sooner, no more",
    }
    ACCOUNTS: ClassVar = {
        ("POST", "api/auth/register"),
        ("POST", "api/auth/login"),
        ("POST", "api/auth/logout"),
    }
    """Below, for their bodies are made first."""

    def test_every_method_that_is_not_safe_is_in_the_table(self) -> None:
        known = {(method, path) for method, path, *_ in self.WRITES} | set(self.NO_WRITES) | self.ACCOUNTS
        assert {(method, path) for method, path in published() if method not in SAFE} == known

    @pytest.mark.parametrize(
        ("method", "path", "body", "action"), WRITES, ids=[f"{m} {p}" for m, p, *_ in WRITES]
    )
    def test_it_leaves_its_rows(
        self, film: Staged, method: str, path: str, body: dict[str, Any], action: Action
    ) -> None:
        names = names_of(film)
        role = "editor" if "movie." in action and action != Action.MOVIE_RECHECK else "operator"
        given = json.loads(json.dumps(body).replace("{low}", str(names["low"])))
        if action == Action.SETTING_REVERT:
            clients.client("operator").post("/api/settings", {"key": "TARGET_QUALITY", "value": "720p"})
        client = clients.client(role)
        url = f"/{path.format(**names)}"
        response = client.generic(
            method, url, json.dumps(given), content_type="application/json", REMOTE_ADDR="203.0.113.9"
        )
        assert response.status_code < 300, response.content
        row = ended(action=action)[-1]
        assert (row.outcome, row.door, row.address) == ("done", "api", "203.0.113.9")
        assert (row.actor_name, row.via) == (f"{role}-ada", f"{method} {url}")
        assert row.correlation_id == response["X-Request-ID"]
        assert row.why == body.get("reason", "")
        (begun,) = AuditEntry.objects.filter(outcome="begun", act=row.act)
        assert begun.via == row.via

    @pytest.mark.usefixtures("valkey")
    @pytest.mark.django_db(transaction=True)
    def test_a_new_account_leaves_its_row(self) -> None:
        wanted = {"username": "grace", "password": clients.PASSWORD}
        assert clients.client().post("/api/auth/register", wanted).status_code == 201
        (row,) = ended(action="account.add")
        assert (row.outcome, row.door, row.target_name) == ("done", "api", "grace")
        assert clients.PASSWORD not in "".join(export.chunks())

    @pytest.mark.usefixtures("valkey")
    @pytest.mark.django_db
    def test_sessions_leave_theirs(self) -> None:
        clients.user(name="ada")
        client = clients.client()
        signed_in = {"username": "ada", "password": clients.PASSWORD}
        first, second = (client.post("/api/auth/login", signed_in).json()["refresh"] for _ in range(2))
        client.post("/api/auth/login", signed_in | {"password": "not this one"})
        for _ in range(2):
            client.post("/api/auth/refresh", {"refresh": first})
        assert client.post("/api/auth/logout", {"refresh": second}).status_code == 204
        rows = ended(door="api")
        assert [(row.action, row.outcome, row.target_name, row.actor_name) for row in rows] == [
            ("account.login", "done", "ada", "ada"),
            ("account.login", "done", "ada", "ada"),
            ("account.login_failed", "refused", "ada", ""),
            ("account.token_reused", "done", "ada", "ada"),
            ("account.logout", "done", "ada", "ada"),
        ]
        exported = "".join(export.chunks())
        assert first not in exported
        assert second not in exported


def of_admin(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """Each route of the admin."""
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from of_admin(entry, route)
        elif isinstance(entry, URLPattern) and route.startswith("admin/"):
            yield route.removeprefix("admin/")


ACT = "streaming/movie/<int:movie_id>/do/<slug:act>/"
VERSION_ACT = ACT + "<uuid:version>/"
RUN = "ingestion/ingestrun/<uuid:run_id>/"
PROVIDER = "providers/provider/<str:slug>/"
REASON = {"reason": "for a test", "if_seq": "2"}
PERSON = {"username": "bystander", "email": "b@example.org", "is_active": "on"}
PERSON |= {f"{name}_{part}": "" for name in ("date_joined", "last_login") for part in (0, 1)}
PERSON |= {"date_joined_0": "2026-05-01", "date_joined_1": "12:00:00"}
PASSWORDS = {"password1": SECRET, "password2": SECRET, "usable_password": "true"}
LIBRARY = {
    "label": "The library",
    "priority": "5",
    "licence_note": "Ours.",
    "config_base_url": "https://cdn.example/",
}


class TestAdmin:
    """Route, path, form, and the action that it leaves."""

    WRITES: tuple[tuple[str, str, dict[str, Any], Action], ...] = (
        (
            "streaming/movie/<int:movie_id>/do/recheck/",
            "streaming/movie/{movie}/do/recheck/",
            {},
            Action.MOVIE_RECHECK,
        ),
        (ACT, "streaming/movie/{movie}/do/rollback/", REASON | {"suppress": "none"}, Action.MOVIE_ROLLBACK),
        (ACT, "streaming/movie/{movie}/do/edit/", REASON | {"hidden": "on"}, Action.MOVIE_EDIT),
        (ACT, "streaming/movie/{movie}/do/withdraw/", REASON, Action.MOVIE_WITHDRAW),
        (ACT, "streaming/movie/{movie}/do/restore/", REASON, Action.MOVIE_RESTORE),
        (VERSION_ACT, "streaming/movie/{movie}/do/activate/{low}/", REASON, Action.MOVIE_ACTIVATE),
        (
            VERSION_ACT,
            "streaming/movie/{movie}/do/suppress/{low}/",
            REASON | {"suppress": "forever"},
            Action.MOVIE_SUPPRESS,
        ),
        (VERSION_ACT, "streaming/movie/{movie}/do/release/{low}/", REASON, Action.MOVIE_RELEASE),
        ("ingestion/ingestrun/start/", "ingestion/ingestrun/start/", {"job": Job.REFRESH}, Action.JOB_START),
        (RUN + "cancel/", "ingestion/ingestrun/{run}/cancel/", {}, Action.RUN_CANCEL),
        (RUN + "again/", "ingestion/ingestrun/{run}/again/", {}, Action.JOB_START),
        (PROVIDER + "reset/", "providers/provider/{provider}/reset/", {}, Action.PROVIDER_RESET),
        (PROVIDER + "recheck/", "providers/provider/{provider}/recheck/", {}, Action.PROVIDER_RECHECK),
        (PROVIDER + "believe/", "providers/provider/{provider}/believe/", {}, Action.PROVIDER_BELIEVE),
        (
            PROVIDER + "test/",
            "providers/provider/{provider}/test/",
            {"title": "Sintel", "tmdb_id": "45745"},
            Action.PROVIDER_TEST,
        ),
        (
            "providers/provider/add/",
            "providers/provider/add/?adapter=catalogue",
            LIBRARY | {"slug": "second", "config_token": SECRET},
            Action.PROVIDER_ADD,
        ),
        (
            "providers/provider/<path:object_id>/change/",
            "providers/provider/{provider}/change/",
            LIBRARY,
            Action.PROVIDER_CHANGE,
        ),
        (
            "django_celery_beat/periodictask/<path:object_id>/change/",
            "django_celery_beat/periodictask/{task}/change/",
            {},
            Action.SCHEDULE_CHANGE,
        ),
        (
            "core/setting/<path:object_id>/change/",
            "core/setting/{key}/change/",
            {"value": "1080p"},
            Action.SETTING_CHANGE,
        ),
        ("auth/user/add/", "auth/user/add/", PASSWORDS | {"username": "new"}, Action.ACCOUNT_ADD),
        ("auth/user/<path:object_id>/change/", "auth/user/{user}/change/", PERSON, Action.ACCOUNT_CHANGE),
        ("auth/user/<id>/password/", "auth/user/{user}/password/", PASSWORDS, Action.ACCOUNT_PASSWORD),
        (
            "auth/user/<path:object_id>/delete/",
            "auth/user/{user}/delete/",
            {"post": "yes"},
            Action.ACCOUNT_DELETE,
        ),
        (
            "auth/user/",
            "auth/user/",
            {"action": "delete_selected", "_selected_action": "{user}", "post": "yes"},
            Action.ACCOUNT_DELETE,
        ),
        ("auth/group/add/", "auth/group/add/", {"name": "ushers"}, Action.GROUP_ADD),
        (
            "auth/group/<path:object_id>/change/",
            "auth/group/{group}/change/",
            {"name": "reviewers"},
            Action.GROUP_CHANGE,
        ),
        (
            "auth/group/<path:object_id>/delete/",
            "auth/group/{group}/delete/",
            {"post": "yes"},
            Action.GROUP_DELETE,
        ),
        (
            "auth/group/",
            "auth/group/",
            {"action": "delete_selected", "_selected_action": "{group}", "post": "yes"},
            Action.GROUP_DELETE,
        ),
        (
            "password_change/",
            "password_change/",
            {"old_password": clients.PASSWORD, "new_password1": SECRET, "new_password2": SECRET},
            Action.ACCOUNT_PASSWORD,
        ),
        ("logout/", "logout/", {}, Action.ACCOUNT_LOGOUT),
        ("core/auditentry/export/", "core/auditentry/export/", {}, Action.AUDIT_EXPORT),
        ("login/", "login/", {"username": "root", "password": clients.PASSWORD}, Action.ACCOUNT_LOGIN),
    )
    READS = ("", "password_change/done/", "autocomplete/", "jsi18n/", "(?P<url>.*)$", "app_label")
    """Django's pages on which nothing can be written. (Those of a model by their endings, below.)"""
    NOT_WRITTEN = (
        *("streaming/streamswitch/", "streaming/streamversion/", "streaming/movie/", "core/auditentry/"),
        *("ingestion/ingestrun/", "ingestion/ingestlog/", "django_celery_beat/periodictask/"),
        *("core/setting/", "providers/provider/"),
    )
    """Models of which no row is added, changed or deleted by a form of Django's, but for those above."""

    def test_every_route_is_in_the_table(self) -> None:
        written = {route for route, *_ in self.WRITES}
        unknown = [
            route
            for route in of_admin()
            if route not in written
            and route not in self.READS
            and "app_label" not in route
            and not route.startswith("r/")
            and not route.endswith(("<path:object_id>/history/", "<path:object_id>/"))
            and not self._is_closed(route)
        ]
        assert unknown == []

    def _is_closed(self, route: str) -> bool:
        ends = ("add/", "<path:object_id>/change/", "<path:object_id>/delete/", "")
        return any(route == model + end for model in self.NOT_WRITTEN for end in ends)

    @pytest.mark.parametrize("model", NOT_WRITTEN)
    def test_what_is_closed_writes_nothing_even_for_a_superuser(self, film: Staged, model: str) -> None:
        written = {route for route, *_ in self.WRITES}
        client = self.signed_in()
        for path in ("add/", "1/change/", "1/delete/"):
            route = model + path.replace("1/", "<path:object_id>/")
            if route not in written:
                response = client.post(f"/admin/{model}{path}", {"post": "yes", "why": "x"})
                # 302: there is no such row. A movie's and a run's own page show, and take nothing.
                assert response.status_code in (403, 404, 302, 200), (route, response.status_code)
        assert ended(door="admin") == []

    @pytest.mark.parametrize(
        ("route", "path", "form", "action"), WRITES, ids=[path for _, path, *_ in WRITES]
    )
    def test_it_leaves_its_rows(
        self, committing: None, film: Staged, route: str, path: str, form: dict[str, Any], action: Action
    ) -> None:
        client, names = self.signed_in(), names_of(film)
        self.before(action, client, names)
        given = {
            name: str(value).replace("{user}", str(names["user"])).replace("{group}", str(names["group"]))
            for name, value in form.items()
        }
        response = client.post(f"/admin/{path.format(**names)}", given, REMOTE_ADDR="203.0.113.9")
        assert response.status_code in (200, 302), response.content
        rows = ended(action=action)
        assert rows, [str(getattr(response, "context", None) and response.context.get("errors"))]
        row = rows[-1]
        assert (row.outcome, row.door, row.address, row.actor_name) == (
            "done",
            "admin",
            "203.0.113.9",
            "root",
        )
        assert row.via == f"POST /admin/{path.format(**names).partition('?')[0]}"

    def test_who_is_given_and_loses_a_role_is_on_record(self, committing: None, film: Staged) -> None:
        client, user = self.signed_in(), names_of(film)["user"]
        editor = Group.objects.get(name="editor")
        for groups in ([editor.pk], []):
            client.post(f"/admin/auth/user/{user}/change/", PERSON | {"groups": groups})
        rows = ended(action=Action.ACCOUNT_CHANGE)
        given, taken = (row for row in rows if "groups" in row.before | row.after)
        assert (given.actor_name, given.target_name, given.before, given.after) == (
            "root",
            "bystander",
            {},
            {"groups": ["editor"]},
        )
        assert (taken.before, taken.after) == ({"groups": ["editor"]}, {})

    def signed_in(self) -> Client:
        root = clients.user(name="root", is_staff=True, is_superuser=True)
        client = Client()
        client.force_login(root)
        return client

    def before(self, action: Action, client: Client, names: dict[str, Any]) -> None:
        """What has to be so for it to be possible."""
        movie = f"/admin/streaming/movie/{names['movie']}/do"
        match action:
            case Action.MOVIE_RESTORE:
                client.post(f"{movie}/withdraw/", REASON)
            case Action.MOVIE_RELEASE:
                client.post(f"{movie}/suppress/{names['low']}/", REASON | {"suppress": "forever"})
            case Action.PROVIDER_BELIEVE:
                Provider.objects.filter(pk="library").update(blamed_at=timezone.now())
                assert health.is_blamed("library")
            case Action.ACCOUNT_LOGIN:
                client.logout()


class TestCommands:
    """What is typed, and the action that it leaves."""

    WRITES: tuple[tuple[tuple[str, ...], Action], ...] = (
        (("setup",), Action.SYSTEM_SETUP),
        (("ingest_once", "--movie", "961"), Action.SYSTEM_INGEST),
        (("rotate_provider_keys",), Action.PROVIDER_ROTATE_KEYS),
        (("export_audit",), Action.AUDIT_EXPORT),
    )

    READS: ClassVar = {"rehearse"}

    def test_every_command_of_ours_is_in_the_table(self) -> None:
        ours = {
            name
            for name, app in get_commands().items()
            if app in ("core", "ingestion", "providers", "streaming")
        }
        assert ours == {command[0] for command, _ in self.WRITES} | self.READS

    @pytest.mark.parametrize(("command", "action"), WRITES, ids=[command[0] for command, _ in WRITES])
    def test_it_leaves_its_rows(
        self,
        film: Staged,
        world: World,
        settings: Any,
        tmp_path: Any,
        command: tuple[str, ...],
        action: Action,
    ) -> None:
        settings.DATA_DIR, settings.STATIC_ROOT = tmp_path, tmp_path / "static"
        world.film(961, "The General")
        call_command(*command, stdout=io.StringIO())
        row = ended(action=action)[-1]
        assert (row.outcome, row.door, row.via) == ("done", "command", f"manage.py {command[0]}")
        assert row.actor_name
        assert row.address

    def test_djangos_own_commands_for_accounts_leave_theirs(
        self, committing: None, film: Staged, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with doors.at_terminal("createsuperuser"):  # as manage.py does
            call_command("createsuperuser", username="chief", email="", interactive=False)
        (row,) = ended(action=Action.ACCOUNT_ADD)
        assert (row.target_name, row.via, row.after["is_superuser"]) == (
            "chief",
            "manage.py createsuperuser",
            True,
        )
        monkeypatch.setattr("getpass.getpass", lambda prompt: SECRET)
        with doors.at_terminal("changepassword"):
            call_command("changepassword", "chief", stdout=io.StringIO())
        (row,) = ended(action=Action.ACCOUNT_PASSWORD)
        assert (row.before, row.after) == ({"password": "set"}, {"password": "set anew"})

    def test_of_what_is_not_committed_nobody_says_that_it_was_done(
        self, committing: None, film: Staged
    ) -> None:
        """The audit may lie in a database that the transaction does not reach."""
        with suppress(ZeroDivisionError), doors.at_terminal("import"), transaction.atomic():
            ghost = clients.user("editor", "ghost")
            ghost.delete()
            raise ZeroDivisionError
        assert ended(door="command") == []


class TestSecrets:
    """No secret is in the table, in the export or in the log, wherever it is entered."""

    @pytest.fixture(autouse=True)
    def _look(self, film: Staged, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
        with caplog.at_level(logging.DEBUG):
            yield
        exported = "".join(export.chunks())
        assert exported
        for where in (exported, str(list(AuditEntry.objects.values())), caplog.text):
            assert SECRET not in where
            assert clients.PASSWORD not in where

    @pytest.mark.parametrize(
        ("path", "form"), [(path, form) for _, path, form, _ in TestAdmin.WRITES if SECRET in str(form)]
    )
    def test_of_the_admins_forms(self, film: Staged, path: str, form: dict[str, Any]) -> None:
        client = TestAdmin().signed_in()
        client.post(f"/admin/{path.format(**names_of(film))}", form)

    def test_of_a_providers_page(self, film: Staged) -> None:
        client = TestAdmin().signed_in()
        second = LIBRARY | {"slug": "second", "config_token": SECRET, "licence_note": f"token={SECRET}"}
        client.post("/admin/providers/provider/add/?adapter=catalogue", second)
        url = f"https://ada:{SECRET}@cdn.example/films?api_key={SECRET}"
        page = "/admin/providers/provider/second/change/"
        client.post(page, LIBRARY | {"config_base_url": url, "config_token": SECRET[::-1]})
        client.post(page, LIBRARY | {"forget_token": "on"})
        added, *changes = ended(target_key="second")
        assert (added.before["token"], added.after["token"]) == ("not set", "set anew")
        assert SECRET[::-1] not in str([(row.before, row.after) for row in changes])
        assert (changes[-1].before["token"], changes[-1].after["token"]) == ("set", "not set")

    def test_of_whoever_signs_in(self, film: Staged) -> None:
        clients.user(name="ada")
        client = Client()
        for name, password in (("ada", SECRET), (SECRET, "whatever"), (f"nul\x00{SECRET}", SECRET)):
            client.post("/admin/login/", {"username": name, "password": password})
            clients.client().post("/api/auth/login", {"username": name, "password": password})
        client.post("/admin/login/", {"username": "ada", "password": clients.PASSWORD})
        failed = ended(action=Action.ACCOUNT_LOGIN_FAILED)
        assert {row.target_name for row in failed} == {"ada", "no account of ours"}

    def test_of_a_request(self, film: Staged, settings: Any) -> None:
        settings.METRICS_TOKEN = SECRET
        client = clients.client("editor")
        token = str(client._credentials["HTTP_AUTHORIZATION"]).partition(" ")[2]
        path = f"/api/movies/{film.movie_id}/rollback?token={SECRET}"
        assert len(token) < 480
        for reason, kept in (
            (f"Bearer {token}", "Bearer ***"),
            (f"I am {token}.", "I am ***."),
            (
                f"password={SECRET}, https://ada:{SECRET}@h/ and {SECRET}",
                "password=*** https://***@h/ and ***",
            ),
        ):
            client.post(path, {"reason": reason})
            assert ended(action=Action.MOVIE_ROLLBACK)[-1].why == kept
        assert token not in "".join(export.chunks())


def test_manage_py_is_a_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file itself, as far as it goes by without a database."""
    import runpy
    import sys

    seen: list[str] = []
    monkeypatch.setattr(sys, "argv", ["manage.py", "check", "--tag", "urls"])
    monkeypatch.setattr(
        "django.core.management.execute_from_command_line", lambda argv: seen.append(doors.current().via)
    )
    runpy.run_path("manage.py", run_name="__main__")
    assert seen == ["manage.py check"]
