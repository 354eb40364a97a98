"""Cookies are for the admin alone: they open nothing of the API, and no form without its token."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests import clients
from tests.clients import PASSWORD, assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

CLOSED = [
    "/api/auth/me",
    "/api/settings",
    "/api/providers",
    "/api/ingest/status",
    "/api/ingest/runs",
    "/api/stats",
]


@pytest.fixture
def root() -> User:
    return clients.user(name="root", is_staff=True, is_superuser=True)


@pytest.fixture
def backstage(root: User) -> Client:
    """Signed in to the admin, and as strict as Django is in life."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(root)
    assert client.get("/admin/").status_code == 200
    return client


@pytest.mark.parametrize("path", CLOSED)
def test_a_session_of_the_admin_opens_no_path_of_the_api(backstage: Client, path: str) -> None:
    assert_problem(backstage.get(path), 401)
    assert_problem(backstage.post(path, {}, content_type="application/json"), 401)


def test_a_session_changes_nothing_over_the_api(backstage: Client) -> None:
    body = {"key": "TARGET_QUALITY", "value": "CAM"}
    assert_problem(backstage.post("/api/settings", body, content_type="application/json"), 401)
    assert_problem(backstage.delete("/api/settings/TARGET_QUALITY"), 401)
    assert_problem(backstage.post("/api/ingest/run/tmdb.discover", content_type="application/json"), 401)


def test_signing_in_to_the_api_sets_no_cookie(root: User) -> None:
    client = Client()
    body = {"username": "root", "password": PASSWORD}
    assert client.post("/api/auth/login", body, content_type="application/json").status_code == 200
    assert not client.cookies


def test_a_token_opens_no_page_of_the_admin(root: User) -> None:
    answer = clients.client_of(root).get("/admin/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/login/?next=/admin/")


@pytest.mark.parametrize(
    "path",
    [
        "admin:login",
        "admin:logout",
        "admin:password_change",
        "admin:auth_user_add",
        "admin:auth_group_add",
        "admin:providers_provider_add",
    ],
)
def test_a_form_of_the_admin_without_its_token_is_refused(backstage: Client, path: str) -> None:
    before = User.objects.count()
    answer = backstage.post(reverse(path), {"username": "eve", "password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 403
    assert User.objects.count() == before
    assert "_auth_user_id" in backstage.session


def test_a_setting_is_not_changed_by_a_form_without_its_token(backstage: Client) -> None:
    assert backstage.post("/admin/core/setting/TARGET_5FQUALITY/change/", {"value": "CAM"}).status_code == 403


@pytest.mark.parametrize("form", ["add", "change"])
def test_the_admin_makes_no_two_accounts_that_differ_in_capitals_alone(root: User, form: str) -> None:
    client = Client()
    client.force_login(root)
    other = clients.user(name="ada")
    eve = clients.user(name="eve")
    url = (
        reverse("admin:auth_user_add") if form == "add" else reverse("admin:auth_user_change", args=[eve.pk])
    )
    passwords = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    dates = {"date_joined_0": "2026-05-01", "date_joined_1": "12:00:00"}
    page = client.post(url, {"username": "\uff21DA", **passwords, **dates})
    assert page.status_code == 200
    assert "already exists" in page.content.decode()
    page = client.post(url, {"username": "Grace", **passwords, **dates})
    assert page.status_code == 302
    assert set(User.objects.values_list("username", flat=True)) >= {"root", "ada", "grace"}
    assert User.objects.get(username="ada") == other
