"""Sign in, renew, sign out: tokens that open what they should, once, and no longer than they should."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from tests import clients
from tests.clients import PASSWORD, assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]


@pytest.fixture
def ada() -> User:
    return clients.user("editor", "ada")


def post(path: str, **body: Any) -> Any:
    return APIClient().post(f"/api/auth/{path}", body)


def sign_in(password: str = PASSWORD) -> dict[str, str]:
    tokens: dict[str, str] = post("login", username="ada", password=password).json()
    return tokens


def me(access: str) -> Any:
    return APIClient().get("/api/auth/me", headers={"authorization": f"Bearer {access}"})


def test_a_password_opens_a_session_that_says_who_one_is(ada: User) -> None:
    tokens = sign_in()
    assert tokens.keys() == {"access", "refresh"}
    body = me(tokens["access"]).json()
    assert body == {"id": ada.pk, "username": "ada", "roles": ["editor", "viewer"]}


def test_unknown_names_wrong_passwords_and_locked_accounts_look_alike(ada: User) -> None:
    clients.user(name="locked", is_active=False)
    answers = [
        post("login", username="ada", password="wrong"),
        post("login", username="nobody", password="wrong"),
        post("login", username="locked", password=PASSWORD),
    ]
    problems = [assert_problem(answer, 401) for answer in answers]
    assert problems[0] == problems[1] == problems[2]


def test_sign_in_says_what_it_misses() -> None:
    assert assert_problem(post("login"), 400)["errors"].keys() == {"username", "password"}


def test_a_refresh_token_is_spent_by_its_use(ada: User) -> None:
    first = sign_in()
    second = post("refresh", refresh=first["refresh"]).json()
    assert me(second["access"]).status_code == 200
    assert_problem(post("refresh", refresh=first["refresh"]), 401)
    assert post("refresh", refresh=second["refresh"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_a_refresh_token_sent_many_times_at_once_one_is_answered() -> None:
    refresh = str(RefreshToken.for_user(clients.user("editor", "ada")))

    def renew(_: int) -> int:
        try:
            return int(post("refresh", refresh=refresh).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(renew, range(6)))
    assert sorted(answers) == [200, 401, 401, 401, 401, 401]


def test_signing_out_ends_the_refresh_token(ada: User) -> None:
    tokens = sign_in()
    assert post("logout", refresh=tokens["refresh"]).status_code == 200
    assert_problem(post("refresh", refresh=tokens["refresh"]), 401)
    assert_problem(post("logout", refresh=tokens["refresh"]), 401)


def test_one_kind_of_token_does_not_pass_for_the_other(ada: User) -> None:
    tokens = sign_in()
    assert_problem(me(tokens["refresh"]), 401)
    assert_problem(post("refresh", refresh=tokens["access"]), 401)
    assert_problem(post("logout", refresh=tokens["access"]), 401)


def test_an_access_token_ends_by_itself(ada: User) -> None:
    token = AccessToken.for_user(ada)
    token.set_exp(lifetime=-timedelta(seconds=1))
    assert_problem(me(str(token)), 401)


def test_a_changed_password_ends_every_session(ada: User) -> None:
    tokens = sign_in()
    ada.set_password("another long password")
    ada.save()
    assert_problem(me(tokens["access"]), 401)
    renewed = post("refresh", refresh=tokens["refresh"])
    assert renewed.status_code == 401 or me(renewed.json()["access"]).status_code == 401


@pytest.mark.parametrize("end", ["lock", "delete"])
def test_an_account_that_is_locked_or_gone_is_let_in_no_more(ada: User, end: str) -> None:
    tokens = sign_in()
    if end == "lock":
        User.objects.update(is_active=False)
    else:
        ada.delete()
    assert_problem(me(tokens["access"]), 401)
    assert_problem(post("refresh", refresh=tokens["refresh"]), 401)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", 5, None, True, {"a": 1}, "x" * 5000])
@pytest.mark.parametrize("path", ["refresh", "logout"])
def test_what_is_no_token_is_refused(path: str, token: object) -> None:
    response = post(path, refresh=token)
    assert response.status_code in (400, 401)
    assert_problem(response, response.status_code)


def test_a_token_signed_by_somebody_else_is_refused(ada: User, settings: Any) -> None:
    tokens = sign_in()
    head, payload, _ = tokens["access"].split(".")
    for forged in (f"{head}.{payload}.", f"{head}.{payload}.{'A' * 43}", f"eyJhbGciOiJub25lIn0.{payload}."):
        assert_problem(me(forged), 401)
