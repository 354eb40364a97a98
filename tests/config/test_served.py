"""The web process as `make run` starts it: what nobody gets past from outside."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import requests

from config.env import BASE_DIR
from config.supervisor import processes
from tests import servers
from tests.folders import temporary

pytestmark = pytest.mark.servers
WATCHDOG_S = 60.0
A_MINUTE = 10  # attempts to sign in, from one address
Start = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Starts a web process with these variables; yields its URL. It has no database, and needs none here."""
    with temporary() as folder, servers.valkey(folder) as redis_url:

        @contextmanager
        def web(**variables: str) -> Iterator[str]:
            port = servers.free_port()
            env = {**os.environ, "DATA_DIR": str(folder), "REDIS_URL": redis_url, "PYTHONPATH": str(BASE_DIR)}
            env |= {"DJANGO_SETTINGS_MODULE": "config.settings", **variables}
            command = ["env", *(f"{name}={value}" for name, value in env.items()), *processes.web(port)]
            url = f"http://127.0.0.1:{port}"
            with servers.running(servers.Server(command, folder / "web.log", up=lambda: alive(url))):
                yield url

        yield web


def alive(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthz", timeout=WATCHDOG_S).ok
    except requests.ConnectionError:
        return False


NAMES = itertools.count(1)


def attempts(url: str, headers: Callable[[int], dict[str, str]]) -> list[int]:
    """What so many attempts to sign in get, each with another name, that at least one is one too many.

    A minute may turn meanwhile, once.
    """
    with requests.Session() as session:
        return [
            session.post(
                f"{url}/api/auth/login",
                json={"username": f"user-{next(NAMES)}"},  # without a password, nothing is looked up
                headers=headers(number),
                timeout=WATCHDOG_S,
            ).status_code
            for number in range(2 * A_MINUTE + 1)
        ]


FORGED = {
    "X-Forwarded-For": "203.0.113.{}",
    "X-Real-IP": "203.0.113.{}",
    "Forwarded": "for=203.0.113.{}",
    "X_Forwarded_For": "203.0.113.{}",
}


def test_nobody_escapes_by_saying_to_be_somebody_else(start: Start) -> None:
    with start() as url:
        forged = attempts(url, lambda n: {name: said.format(n) for name, said in FORGED.items()})
    assert set(forged) == {400, 429}


def test_behind_a_trusted_proxy_each_caller_counts_and_what_callers_write_does_not(start: Start) -> None:
    with start(TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8") as url:
        each = attempts(url, lambda n: {"X-Forwarded-For": f"2001:db8:{n:x}::1, 10.0.0.2"})
        assert set(each) == {400}
        forged = attempts(url, lambda n: {"X-Forwarded-For": f"203.0.113.{n}, 2001:db8:99::{n:x}, 10.0.0.2"})
        assert set(forged) == {400, 429}
