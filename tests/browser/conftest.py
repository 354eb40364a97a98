"""One stack for all browser tests of a process, and a page that tolerates no error of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page

from demo.catalogue import MEDIA
from tests.browser import stack as stacks
from tests.browser.stack import Stack

WITHIN_S = 30.0


@pytest.fixture(scope="session")
def stack(
    tmp_path_factory: pytest.TempPathFactory, browser_type_launch_args: dict[str, Any]
) -> Iterator[Stack]:
    """The running product. It starts empty; each test brings films of its own."""
    with stacks.running(tmp_path_factory.mktemp("stack"), MEDIA) as running:
        yield running


class Watcher:
    """What a page complained about: errors of scripts, the console, and the content security policy."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.allowed: tuple[str, ...] = ()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part in self.allowed):
            self.complaints.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture
def watcher(page: Page) -> Iterator[Watcher]:
    """Fails the test afterwards if any page complained."""
    watching = Watcher(page)
    yield watching
    assert watching.complaints == []


def until(page: Page, script: str, within_s: float = WITHIN_S) -> Any:
    """Wait until `script` gives something true in the page; what it gave.

    Playwright's own wait needs `eval`, which our policy forbids.
    """
    give_up = time.monotonic() + within_s
    while not (value := page.evaluate(script)):
        assert time.monotonic() < give_up, f"after {within_s:.0f} s still not: {script}"
        page.wait_for_timeout(25)
    return value
