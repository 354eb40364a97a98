"""Sign in, renew, sign out: tokens that open what they should, once, and no longer than they should."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone
from rest_framework.test import APIClient
from rest_framework_simplejwt.utils import datetime_from_epoch

from core import conf, tokens
from core.caching import NOBODY
from core.models import TokenFamily
from tests import clients
from tests.clients import PASSWORD, assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def ada() -> User:
    return clients.user("editor", "ada")


def post(path: str, **body: Any) -> Any:
    return APIClient().post(f"/api/auth/{path}", body)


def sign_in(password: str = PASSWORD) -> dict[str, str]:
    pair: dict[str, str] = post("login", username="ada", password=password).json()
    return pair


def me(access: str) -> Any:
    return APIClient().get("/api/auth/me", headers={"authorization": f"Bearer {access}"})


def test_a_password_opens_a_session_that_says_who_one_is(ada: User) -> None:
    pair = sign_in()
    assert pair.keys() == {"access", "refresh"}
    body = me(pair["access"]).json()
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
    assert second.keys() == {"access", "refresh"}
    assert me(second["access"]).status_code == 200
    assert post("refresh", refresh=second["refresh"]).status_code == 200
    assert_problem(post("refresh", refresh=second["refresh"]), 401)


def test_a_refresh_token_that_comes_twice_ends_all_that_descends_from_its_sign_in(
    ada: User, caplog: Any
) -> None:
    first, elsewhere = sign_in(), sign_in()
    second = post("refresh", refresh=first["refresh"]).json()
    third = post("refresh", refresh=second["refresh"]).json()
    assert_problem(post("refresh", refresh=first["refresh"]), 401)
    assert "came twice" in caplog.text
    for pair in (first, second, third):
        assert_problem(post("refresh", refresh=pair["refresh"]), 401)
        assert_problem(me(pair["access"]), 401)
    assert me(elsewhere["access"]).status_code == 200
    assert post("refresh", refresh=elsewhere["refresh"]).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_a_refresh_token_sent_many_times_at_once_one_is_answered_and_its_family_ends() -> None:
    refresh = tokens.begin(clients.user("editor", "ada")).refresh

    def renew(_: int) -> Any:
        try:
            return post("refresh", refresh=refresh)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(renew, range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401, 401]
    [won] = [answer.json() for answer in answers if answer.status_code == 200]
    assert_problem(me(won["access"]), 401)
    assert_problem(post("refresh", refresh=won["refresh"]), 401)


def test_signing_out_ends_the_whole_family_at_once(ada: User) -> None:
    first, elsewhere = sign_in(), sign_in()
    second = post("refresh", refresh=first["refresh"]).json()
    assert post("logout", refresh=second["refresh"]).status_code == 204
    for pair in (first, second):
        assert_problem(me(pair["access"]), 401)
        assert_problem(post("refresh", refresh=pair["refresh"]), 401)
        assert_problem(post("logout", refresh=pair["refresh"]), 401)
    assert me(elsewhere["access"]).status_code == 200


def test_a_spent_refresh_token_signs_out_as_well(ada: User) -> None:
    first = sign_in()
    second = post("refresh", refresh=first["refresh"]).json()
    assert post("logout", refresh=first["refresh"]).status_code == 204
    assert_problem(me(second["access"]), 401)


def test_each_renewal_prolongs_the_session(ada: User) -> None:
    pair = sign_in()
    TokenFamily.objects.update(expires_at=NOW)
    post("refresh", refresh=pair["refresh"])
    assert TokenFamily.objects.get().expires_at > timezone.now() + timedelta(days=13)


def test_a_session_lasts_as_long_as_the_settings_say(ada: User) -> None:
    before = sign_in()["refresh"]
    conf.change("SESSION_DAYS", 90, by="olga", at=timezone.now())
    last = [timezone.now() + timedelta(days=days) for days in (14, 90)]
    ends = [datetime_from_epoch(tokens.Refresh(token)["exp"]) for token in (before, sign_in()["refresh"])]
    assert all(abs(end - expected) < timedelta(minutes=5) for end, expected in zip(ends, last, strict=True))


def test_a_refresh_token_ends_by_itself(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens.Refresh, "lifetime", -timedelta(seconds=1))
    pair = sign_in()
    assert_problem(post("refresh", refresh=pair["refresh"]), 401)
    assert_problem(post("logout", refresh=pair["refresh"]), 401)


def test_tokens_are_kept_by_nobody_on_their_way(ada: User) -> None:
    answers = [post("login", username="ada", password=PASSWORD), post("login"), post("refresh", refresh="x")]
    assert [answer["Cache-Control"] for answer in answers] == [NOBODY] * 3
    assert answers[2]["WWW-Authenticate"].startswith("Bearer")


def test_signing_in_is_noted_on_the_account(ada: User) -> None:
    sign_in()
    ada.refresh_from_db()
    assert ada.last_login is not None


def test_no_token_is_kept_in_any_row(ada: User) -> None:
    pair = sign_in()
    row = str(TokenFamily.objects.values().get())
    assert all(part not in row for text in pair.values() for part in text.split("."))


def test_one_kind_of_token_does_not_pass_for_the_other(ada: User) -> None:
    pair = sign_in()
    assert_problem(me(pair["refresh"]), 401)
    assert_problem(post("refresh", refresh=pair["access"]), 401)
    assert_problem(post("logout", refresh=pair["access"]), 401)


def test_an_access_token_ends_by_itself(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens.Access, "lifetime", -timedelta(seconds=1))
    assert_problem(me(sign_in()["access"]), 401)


def test_a_changed_password_ends_every_session(ada: User) -> None:
    pair = sign_in()
    ada.set_password("another long password")
    ada.save()
    assert_problem(me(pair["access"]), 401)
    assert_problem(post("refresh", refresh=pair["refresh"]), 401)


@pytest.mark.parametrize("end", ["lock", "delete"])
def test_an_account_that_is_locked_or_gone_is_let_in_no_more(ada: User, end: str) -> None:
    pair = sign_in()
    if end == "lock":
        User.objects.update(is_active=False)
    else:
        ada.delete()
    assert_problem(me(pair["access"]), 401)
    assert_problem(post("refresh", refresh=pair["refresh"]), 401)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", 5, None, True, {"a": 1}, "x" * 5000])
@pytest.mark.parametrize("path", ["refresh", "logout"])
def test_what_is_no_token_is_refused(path: str, token: object) -> None:
    response = post(path, refresh=token)
    assert response.status_code in (400, 401)
    assert_problem(response, response.status_code)
