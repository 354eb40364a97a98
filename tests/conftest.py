"""Fixtures that every room of tests may use: a real Valkey, and the system's own Chromium for Playwright."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.db import connections, router

from config.databases import DOCUMENTS
from core import throttles
from ingestion import stats
from providers import sessions
from tests import expiry, servers

# No example is too slow on a shared machine, and CI tries the same ones every time: a run says something of
# the change and not of luck. Elsewhere they vary.
_UNTIMED = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("ours", derandomize=bool(os.environ.get("CI")), **_UNTIMED)
hypothesis.settings.load_profile("ours")


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A real Valkey of this process, at the address that the settings name: cache and broker find it."""
    folder = Path(settings.DATA_DIR) / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    with servers.valkey(folder) as url:
        assert url == settings.REDIS_URL
        yield url


@pytest.fixture
def valkey(valkey_url: str) -> Iterator[redis.Redis]:
    """A client of that Valkey, which is empty when the test begins, and which throttles know to be there."""
    throttles.counter.away_until = 0.0
    with redis.Redis.from_url(valkey_url, socket_timeout=5) as client:
        client.flushall()
        yield client


@pytest.fixture(autouse=True)
def _pace() -> Iterator[None]:
    """What a process remembers of its providers (a pause, a slower pace, that Redis was away) is no other
    test's."""
    yield
    sessions._sessions.clear()
    sessions._throttle.cache_clear()


@pytest.fixture(autouse=True)
def _figures() -> Iterator[None]:
    """What a process counted a moment ago were another test's rows."""
    forget = stats.questions.cache_clear
    yield
    forget()


@pytest.fixture(autouse=True)
def _documents(request: pytest.FixtureRequest) -> Iterator[None]:
    """What pytest-django does for SQL: a test that asks for no rows gets none, and none leaves any behind."""
    if DOCUMENTS not in settings.DATABASES:
        yield
    elif "rows" in request.node.keywords:
        yield
        _wipe()
    else:
        with pytest.MonkeyPatch.context() as guard:
            guard.setattr(connections[DOCUMENTS], "get_collection", _refuse)
            yield


def _wipe() -> None:
    database = connections[DOCUMENTS].database
    for model in apps.get_models():
        collection = database[model._meta.db_table]
        if router.allow_migrate_model(DOCUMENTS, model) and collection.find_one({}, {"_id": 1}):
            collection.delete_many({})


def _refuse(*_: object, **__: object) -> NoReturn:
    raise RuntimeError('Database access not allowed, use the "django_db" mark.')


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """MongoDB's no-op `atomic()` passes for a transaction, so that SQL's is still rolled back beside it."""
    if DOCUMENTS in settings.DATABASES:
        connections[DOCUMENTS].features.supports_transactions = True
        expiry.stay(DOCUMENTS)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--only-rows", action="store_true", help="leave out what touches no database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what touches rows, and so has to run on every layout: each such test may use all its databases."""
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker or {"db", "transactional_db"} & set(getattr(item, "fixturenames", ())):
            words = {"databases": "__all__", **(marker.kwargs if marker else {})}
            item.add_marker(pytest.mark.django_db(**words), append=False)
            item.add_marker("rows")
    if config.getoption("only_rows"):
        config.hook.pytest_deselected(items=[item for item in items if "rows" not in item.keywords])
        items[:] = [item for item in items if "rows" in item.keywords]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium, quiet on the network; skips (in CI: fails) where there is none."""
    chromium = servers.require("chromium")
    # Playwright keeps an event loop in this thread, beside which Django would refuse tests the ORM.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-gpu",
        "--disable-quic",
        "--disable-sync",
        "--no-first-run",
    ]
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses root a sandbox
    args = [*browser_type_launch_args.get("args", []), *quiet, *sandbox]
    return {**browser_type_launch_args, "executable_path": str(chromium), "args": args}
