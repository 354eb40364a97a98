"""An account of one's own: what it takes, what it never gives, and one winner for each name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient

from core import conf
from core.caching import NOBODY
from core.models import TokenFamily
from core.parsers import MAX_BODY_BYTES
from tests import clients
from tests.clients import PASSWORD, assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture(autouse=True)
def _unhurried(settings: Any) -> None:
    """Throttles have tests of their own."""
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "register": "1000/min"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


def register(username: object = "ada", password: object = PASSWORD, **more: object) -> Any:
    return APIClient().post("/api/auth/register", {"username": username, "password": password, **more})


def test_an_account_is_made_and_signed_in() -> None:
    answer = register("Ada")
    assert answer.status_code == 201
    body = answer.json()
    account = User.objects.get()
    assert {**body, "access": "", "refresh": ""} == {
        "id": account.pk,
        "username": "ada",
        "roles": [],
        "access": "",
        "refresh": "",
    }
    assert answer["Cache-Control"] == NOBODY
    me = APIClient().get("/api/auth/me", headers={"authorization": f"Bearer {body['access']}"})
    assert me.json() == {"id": account.pk, "username": "ada", "roles": []}
    assert APIClient().post("/api/auth/refresh", {"refresh": body["refresh"]}).status_code == 200


def test_a_new_account_has_no_say_in_anything() -> None:
    register()
    account = User.objects.get()
    assert (account.is_staff, account.is_superuser, account.is_active) == (False, False, True)
    assert not account.groups.exists()
    assert account.check_password(PASSWORD)


def test_it_signs_in_as_it_may_be_written() -> None:
    register("ada")
    for written in ("ada", " ADA ", "\uff21\uff24\uff21"):
        answer = APIClient().post("/api/auth/login", {"username": written, "password": PASSWORD})
        assert answer.status_code == 200, written


def test_spaces_are_part_of_a_password() -> None:
    register(password=f"  {PASSWORD} ")
    login = {"username": "ada", "password": PASSWORD}
    assert APIClient().post("/api/auth/login", login).status_code == 401
    assert APIClient().post("/api/auth/login", {**login, "password": f"  {PASSWORD} "}).status_code == 200


def test_a_name_is_folded_whoever_makes_the_account() -> None:
    call_command("createsuperuser", username="Grace", email="", interactive=False, verbosity=0)
    User(username="\uff21DA").save()
    assert set(User.objects.values_list("username", flat=True)) == {"ada", "grace"}
    assert_problem(register("GRACE"), 409, reason="name_taken")


@pytest.mark.parametrize("name", ["ada", "ADA", " Ada ", "\uff21\uff24\uff21"])
def test_a_name_that_is_taken_is_told(name: str) -> None:
    clients.user(name="ada")
    assert_problem(register(name), 409, reason="name_taken")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "too short"),
        ("password123", "too common"),
        ("lovelace1815", "too similar"),
        ("", "blank"),
        ("x" * 1025, "no more than 1024"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused_by_field(password: str, why: str) -> None:
    errors = assert_problem(register("lovelace", password), 400)["errors"]
    assert errors.keys() == {"password"}
    assert why in " ".join(errors["password"])
    assert not User.objects.exists()


def test_all_that_is_wrong_is_said_at_once() -> None:
    errors = assert_problem(register("two words", "short"), 400)["errors"]
    assert errors.keys() == {"username", "password"}


@pytest.mark.parametrize(
    "more",
    [
        {"is_staff": True},
        {"is_superuser": True},
        {"is_active": False},
        {"groups": ["operator"]},
        {"roles": ["operator"]},
        {"id": 1},
        {"user_permissions": [1]},
        {"last_login": None},
        {"$set": {"is_staff": True}},
        {"password.$gt": ""},
        {"__proto__": {"roles": ["operator"]}},
    ],
    ids=str,
)
def test_nothing_else_can_be_said_of_the_account(more: dict[str, Any]) -> None:
    errors = assert_problem(register(**more), 400)["errors"]
    assert errors.keys() == more.keys()
    assert not User.objects.exists()


@pytest.mark.parametrize("value", [None, 5, 5.5, True, [], ["ada"], {}, {"$gt": ""}], ids=str)
@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("path", ["register", "login"])
def test_what_is_no_text_is_refused(path: str, field: str, value: object) -> None:
    body = {"username": "ada", "password": PASSWORD, field: value}
    errors = assert_problem(APIClient().post(f"/api/auth/{path}", body), 400)["errors"]
    assert errors.keys() == {field}
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"null", 400),
        (b"[]", 400),
        (b'"ada"', 400),
        (b"{", 400),
        (b'{"username": "ada\\u0000", "password": "x"}', 400),
        (b'{"username": "ada\\ud800", "password": "x"}', 400),
        (b'{"username": "ada\xff", "password": "x"}', 400),
        (b'{"username": "ada", "password": ' + b"[" * 100 + b"]" * 100 + b"}", 400),
        (b'{"username": "' + b"a" * MAX_BODY_BYTES + b'"}', 413),
    ],
    ids=lambda value: ascii(value)[:40],
)
@pytest.mark.parametrize("path", ["register", "login", "refresh", "logout"])
def test_a_body_that_is_none_is_refused(path: str, body: bytes, status: int) -> None:
    answer = APIClient().generic("POST", f"/api/auth/{path}", body, content_type="application/json")
    assert_problem(answer, status)
    assert not User.objects.exists()


def test_a_form_is_not_taken() -> None:
    answer = APIClient().post(
        "/api/auth/register", {"username": "ada", "password": PASSWORD}, format="multipart"
    )
    assert answer.status_code == 415


def test_registering_can_be_closed_while_it_runs() -> None:
    conf.change("REGISTRATION_OPEN", False, by="olga", at=timezone.now())
    assert_problem(register(), 403, reason="registration_closed")
    assert_problem(register("two words"), 403, reason="registration_closed")
    assert not User.objects.exists()
    conf.change("REGISTRATION_OPEN", True, by="olga", at=timezone.now())
    assert register().status_code == 201


def test_an_address_makes_so_many_accounts_and_no_more(settings: Any) -> None:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "register": "2/hour"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    assert [register(name).status_code for name in ("ada", "eve", "joe")] == [201, 201, 429]


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_a_name_at_once_one_gets_it() -> None:
    def try_it(number: int) -> int:
        try:
            return int(register(("ada", "ADA", "Ada")[number % 3], f"{PASSWORD} {number}").status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(try_it, range(6)))
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]
    assert User.objects.count() == TokenFamily.objects.count() == 1
