"""Guessing passwords: it gets slow, says nothing of accounts, and keeps no owner out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from rest_framework.test import APIClient

from core import lockout, throttles
from core.lockout import FREE, pause_s
from tests import clients
from tests.clients import PASSWORD, assert_problem

pytestmark = pytest.mark.django_db

HOME, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def _unhurried(settings: Any) -> None:
    """What counts requests has tests of its own; here attempts alone are to count."""
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "login": "10000/min", "anon": "10000/min"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


@pytest.fixture
def ada() -> User:
    return clients.user("editor", "ada", is_staff=True)


def sign_in(name: str = "ada", password: str = "wrong", address: str = ELSEWHERE) -> Any:
    body = {"username": name, "password": password}
    return APIClient().post("/api/auth/login", body, REMOTE_ADDR=address)


def statuses(times: int, **attempt: Any) -> list[int]:
    return [sign_in(**attempt).status_code for _ in range(times)]


def guess(_: int) -> int:
    """One attempt, in a thread of its own."""
    try:
        return int(sign_in().status_code)
    finally:
        connections.close_all()


def let_the_pause_pass(valkey: redis.Redis) -> None:
    """What its time to live would do."""
    pauses = valkey.keys("*:pause")
    assert all(0 < valkey.ttl(key) <= lockout.LONGEST_PAUSE_S for key in pauses)
    valkey.delete(*pauses)


def test_the_pause_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [pause_s(n) for n in (1, FREE - 1)] == [0, 0]
    assert [pause_s(FREE + n) for n in range(6)] == [60, 120, 240, 480, 900, 900]
    assert pause_s(10**6) == 900


def test_after_ten_wrong_passwords_nobody_signs_in_for_a_while(ada: User, valkey: redis.Redis) -> None:
    assert statuses(FREE) == [401] * FREE
    for name in ("ada", " ADA ", "\uff21\uff24\uff21"):
        answer = sign_in(name, PASSWORD)
        assert_problem(answer, 429, reason="sign_in_paused")
        assert 55 <= int(answer["Retry-After"]) <= 60
    let_the_pause_pass(valkey)
    assert sign_in().status_code == 401
    assert int(sign_in()["Retry-After"]) > 110
    let_the_pause_pass(valkey)
    assert sign_in(password=PASSWORD).status_code == 200
    assert statuses(FREE, address="203.0.113.1") == [401] * FREE, "it has begun anew, for strangers too"


def test_addresses_and_spellings_do_not_escape_it(ada: User, valkey: redis.Redis) -> None:
    names = ("ada", " ADA ", "\uff21\uff24\uff21")
    for number in range(FREE):
        assert sign_in(names[number % 3], address=f"198.51.100.{number}").status_code == 401
    for name in names:
        assert sign_in(name, address="203.0.113.1").status_code == 429
    assert sign_in("eve").status_code == 401


def test_an_answer_never_tells_whether_there_is_such_an_account(ada: User, valkey: redis.Redis) -> None:
    clients.user(name="locked", is_active=False)
    names = ("ada", "nobody", "locked", "no name at all", "x" * 150)
    for _ in range(FREE):
        answers = [sign_in(name) for name in names]
        assert {(answer.status_code, answer.content) for answer in answers} == {(401, answers[0].content)}
    for password in ("wrong", PASSWORD):
        answers = [sign_in(name, password) for name in names]
        assert {answer.status_code for answer in answers} == {429}
        assert len({tuple(answer.json()) for answer in answers}) == 1


def test_an_unknown_name_costs_as_much_as_a_wrong_password(
    ada: User, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.user(name="locked", is_active=False)
    User.objects.create_user("passwordless")
    hashed: list[str] = []
    real = MD5PasswordHasher.encode

    def encode(self: Any, password: str, *args: Any) -> str:
        hashed.append(password)
        return str(real(self, password, *args))

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    for name in ("ada", "nobody", "locked", "passwordless"):
        assert sign_in(name).status_code == 401
        assert len(hashed) == 1, name
        hashed.clear()


def test_no_password_is_looked_at_during_a_pause(
    ada: User, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses(FREE)
    monkeypatch.setattr(User, "check_password", lambda *_: pytest.fail("it was looked at"))
    assert sign_in(password=PASSWORD).status_code == 429


def test_a_guesser_elsewhere_does_not_keep_the_owner_out(ada: User, valkey: redis.Redis) -> None:
    assert sign_in(password=PASSWORD, address=HOME).status_code == 200
    assert statuses(FREE + 5)[-1] == 429
    assert sign_in(password=PASSWORD, address=HOME).status_code == 200
    assert sign_in(password=PASSWORD).status_code == 429, (
        "the owner's sign-in gives the guesser no new attempts"
    )


def test_a_known_address_guesses_no_more_than_others(ada: User, valkey: redis.Redis) -> None:
    assert sign_in(password=PASSWORD, address=HOME).status_code == 200
    assert statuses(FREE + 1, address=HOME) == [401] * FREE + [429]
    assert sign_in("eve", address=HOME).status_code == 401, "it is known to one account alone"


def test_whoever_is_impatient_waits_no_longer_for_it(ada: User, valkey: redis.Redis) -> None:
    statuses(FREE + 20)
    let_the_pause_pass(valkey)
    sign_in()
    assert int(sign_in()["Retry-After"]) <= 120


def test_a_session_goes_on_while_its_account_is_guessed_at(ada: User, valkey: redis.Redis) -> None:
    pair = sign_in(password=PASSWORD, address=HOME).json()
    statuses(FREE + 1)
    assert APIClient().post("/api/auth/refresh", {"refresh": pair["refresh"]}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_hundred_guesses_at_once_are_a_hundred(valkey: redis.Redis) -> None:
    clients.user(name="ada")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(100)))
    assert answers.count(401) == FREE
    assert answers.count(429) == 100 - FREE


@pytest.mark.django_db(transaction=True)
def test_of_two_that_both_see_no_pause_yet_one_is_let_through(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses(FREE - 1)
    both_have_looked, read = threading.Barrier(2), throttles.counter.read

    def look(key: str) -> float | None:
        seen = read(key)
        if key.endswith(":pause"):
            both_have_looked.wait(20)
        return seen

    monkeypatch.setattr(throttles.counter, "read", look)
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(guess, range(2))) == [401, 429]


def test_the_admins_form_and_the_api_count_together(ada: User, valkey: redis.Redis) -> None:
    browser = Client(REMOTE_ADDR=ELSEWHERE)
    form = {"username": "ada", "password": "wrong"}
    for _ in range(FREE // 2):
        assert "Please enter the correct" in browser.post("/admin/login/", form).content.decode()
    assert statuses(FREE // 2) == [401] * (FREE // 2)
    page = browser.post("/admin/login/", {**form, "password": PASSWORD})
    assert page.status_code == 200
    assert "Too many attempts for this name. Please try again in" in page.content.decode()
    assert "_auth_user_id" not in browser.session
    let_the_pause_pass(valkey)
    assert browser.post("/admin/login/", {**form, "password": PASSWORD}).status_code == 302


def test_the_admins_form_says_of_unknown_names_what_it_says_of_others(ada: User, valkey: redis.Redis) -> None:
    def errors(name: str) -> list[str]:
        page = Client().post("/admin/login/", {"username": name, "password": "wrong"})
        return list(page.context["form"].non_field_errors())

    for _ in range(FREE):
        assert errors("ada") == errors("nobody")
    assert [text.partition(" in ")[0] for text in errors("ada")] == [
        text.partition(" in ")[0] for text in errors("nobody")
    ]


def test_names_and_passwords_typed_as_names_are_not_kept(ada: User, valkey: redis.Redis) -> None:
    sign_in("my secret password")
    sign_in(password=PASSWORD)
    assert not [key for key in valkey.keys("*") if b"secret" in key or b"ada" in key]


def test_without_redis_each_process_counts_for_itself(ada: User, no_redis: None) -> None:
    assert statuses(FREE + 1) == [401] * FREE + [429]
    assert sign_in("eve").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_asking_from_a_loop_counts_as_well(valkey: redis.Redis) -> None:
    clients.user(name="ada")
    ask = async_to_sync(aauthenticate)
    for _ in range(FREE):
        assert ask(username="ada", password="wrong") is None
    with pytest.raises(lockout.Paused):
        ask(username="ada", password=PASSWORD)
