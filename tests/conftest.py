"""Fixtures that every room of tests may use: a real Valkey, and the system's own Chromium for Playwright."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import redis
from django.conf import settings

from tests import servers

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
    """A client of that Valkey, which is empty when the test begins."""
    with redis.Redis.from_url(valkey_url, socket_timeout=5) as client:
        client.flushall()
        yield client


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
