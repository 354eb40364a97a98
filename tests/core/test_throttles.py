"""Throttles on a real Valkey: exact under a burst, per window, per account and address; and without it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from django.test import Client
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from core import addresses, throttles
from tests import clients
from tests.clients import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]


@pytest.fixture
def rates(settings: Any) -> dict[str, str]:
    rates = {"anon": "3/min", "user": "5/min", "login": "2/min", "refresh": "1/min", "recheck": "1/min"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    return rates


def statuses(client: APIClient, path: str, times: int, **how: Any) -> list[int]:
    return [client.get(path, **how).status_code for _ in range(times)]


def test_over_the_limit_is_429_with_the_seconds_to_wait(
    valkey: redis.Redis, rates: dict[str, str], clock: SimpleNamespace
) -> None:
    client = APIClient()
    clock.at += 20.5
    assert statuses(client, "/api/movies", 4) == [200, 200, 200, 429]
    response = client.get("/api/movies")
    assert_problem(response, 429)
    assert response["Retry-After"] == "40"
    clock.at += 39.4
    assert client.get("/api/movies").status_code == 429
    clock.at += 0.2
    assert client.get("/api/movies").status_code == 200


def test_each_address_has_its_own_count_and_no_header_changes_it(
    valkey: redis.Redis, rates: dict[str, str]
) -> None:
    spoofed = [
        APIClient().get("/api/movies", headers={"x-forwarded-for": f"10.0.0.{n}"}).status_code
        for n in range(4)
    ]
    assert spoofed == [200, 200, 200, 429]
    assert statuses(APIClient(), "/api/movies", 1, REMOTE_ADDR="192.0.2.9") == [200]


def test_whoever_is_signed_in_is_counted_by_account(valkey: redis.Redis, rates: dict[str, str]) -> None:
    ada, eve = clients.client("viewer"), clients.client("editor")
    assert statuses(ada, "/api/movies", 6) == [200] * 5 + [429]
    assert statuses(eve, "/api/movies", 1) == [200]
    assert statuses(APIClient(), "/api/movies", 1) == [200]


def test_sign_in_is_counted_by_address_and_by_account(valkey: redis.Redis, rates: dict[str, str]) -> None:
    def attempt(name: object, address: str) -> int:
        body = {"username": name, "password": "wrong"}
        return int(APIClient().post("/api/auth/login", body, REMOTE_ADDR=address).status_code)

    assert [attempt("ada", f"192.0.2.{n}") for n in range(3)] == [401, 401, 429]
    assert attempt(" ADA ", "192.0.2.8") == 429
    assert [attempt(f"user-{n}", "192.0.2.9") for n in range(3)] == [401, 401, 429]


def test_unknown_paths_are_counted_too(valkey: redis.Redis, rates: dict[str, str]) -> None:
    assert statuses(APIClient(), "/api/nothing", 4) == [404, 404, 404, 429]


def test_what_is_turned_away_before_its_view_counts_is_counted_too(
    valkey: redis.Redis, rates: dict[str, str]
) -> None:
    forged = {"HTTP_AUTHORIZATION": "Bearer forged"}
    assert statuses(APIClient(), "/api/movies", 4, **forged) == [401, 401, 401, 429]
    assert statuses(APIClient(), "/api/settings", 4, REMOTE_ADDR="192.0.2.9") == [401, 401, 401, 429]
    assert statuses(clients.client("user"), "/api/settings", 6) == [403] * 5 + [429]


@pytest.mark.parametrize(
    "path", ["/", "/watch/1", "/nothing", "/static/nothing.js", "/admin/login/", "/admin/x"]
)
def test_pages_are_counted_and_the_refusal_is_one(
    valkey: redis.Redis, rates: dict[str, str], path: str
) -> None:
    assert 429 not in statuses(APIClient(), path, 3)
    response = APIClient().get(path)
    assert (response.status_code, response["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert "Please try again in 60 s." in response.content.decode()
    assert (response["Retry-After"], response["Cache-Control"]) == ("60", "no-store")


def test_a_form_without_its_token_is_counted(valkey: redis.Redis, rates: dict[str, str]) -> None:
    client = APIClient(enforce_csrf_checks=True)
    forms = [client.post("/admin/login/", {"username": "ada"}, format="multipart") for _ in range(4)]
    assert [form.status_code for form in forms] == [403, 403, 403, 429]
    assert "<h1>That is not allowed</h1>" in forms[0].content.decode()


def test_the_back_office_is_counted_by_account(valkey: redis.Redis, rates: dict[str, str]) -> None:
    browser = Client()
    browser.force_login(clients.user("viewer", is_staff=True))
    assert [browser.get("/admin/").status_code for _ in range(6)] == [200] * 5 + [429]
    assert statuses(APIClient(), "/", 1) == [200]


def test_pages_and_the_api_share_one_count(valkey: redis.Redis, rates: dict[str, str]) -> None:
    assert statuses(APIClient(), "/api/movies", 2) == [200, 200]
    assert statuses(APIClient(), "/", 2) == [200, 429]


def test_a_request_counts_once(valkey: redis.Redis, rates: dict[str, str]) -> None:
    for path in ("/api/movies", "/", "/nothing", "/api/nothing", "/api/settings", "/admin/"):
        valkey.flushall()
        APIClient().get(path)
        assert [int(valkey.get(key)) for key in valkey.keys("*throttle:anon*")] == [1], path


def test_metrics_are_not_counted(valkey: redis.Redis, rates: dict[str, str]) -> None:
    assert 429 not in statuses(APIClient(), "/metrics", 6)


def test_health_is_not_counted(valkey: redis.Redis, rates: dict[str, str]) -> None:
    assert statuses(APIClient(), "/healthz", 6) == [200] * 6


def test_a_burst_is_counted_to_the_last_request(valkey: redis.Redis) -> None:
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: throttles.Counter().add("burst", for_s=60), range(200)))
    assert sorted(counts) == list(range(1, 201))


def test_counts_do_not_stay(valkey: redis.Redis) -> None:
    throttles.counter.add("key", for_s=60)
    (key,) = valkey.keys("*key*")
    assert 0 < valkey.ttl(key) <= 120


def test_without_redis_each_process_counts_for_itself(no_redis: None, rates: dict[str, str]) -> None:
    assert statuses(APIClient(), "/api/movies", 4) == [200, 200, 200, 429]


def test_a_redis_that_failed_is_left_alone_for_a_while(no_redis: None, caplog: Any) -> None:
    for _ in range(5):
        throttles.counter.add("key", for_s=60)
    assert caplog.text.count("Redis does not answer") == 1
    throttles.counter.away_until = 0.0
    throttles.counter.add("key", for_s=60)
    assert caplog.text.count("Redis does not answer") == 2


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_an_ipv6_network_is_one_address(peer: str, counted: str) -> None:
    assert addresses.address_of(Request(APIRequestFactory().get("/", REMOTE_ADDR=peer))) == counted
