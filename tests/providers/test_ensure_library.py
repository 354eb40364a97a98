"""The library as a provider: made once, moved with its address, and otherwise an operator's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from providers import readiness, services
from providers.models import Provider
from tests.providers.asking import AT, FOUND, PATH, search, stored, urls
from tests.providers.origin import Origin

pytestmark = pytest.mark.usefixtures("edge")


def test_the_library_is_made_once(settings: Any) -> None:
    settings.LIBRARY_URL = "https://media.example.org/library"
    made, again = services.ensure_library(), services.ensure_library()
    assert made == again == Provider.objects.get()
    assert (made.slug, made.adapter, made.enabled, made.priority) == ("library", "library", True, 10)
    assert readiness.adapter_of(made).config["base_url"] == settings.LIBRARY_URL


def test_without_an_address_there_is_no_library(settings: Any) -> None:
    settings.LIBRARY_URL = ""
    assert services.ensure_library() is None
    assert not Provider.objects.exists()


def test_a_library_that_moves_is_asked_there_at_once_and_keeps_what_an_operator_set(
    settings: Any, origin: Origin
) -> None:
    settings.LIBRARY_URL = "https://old.example.org"
    services.ensure_library()
    word = {"label": "Ours", "priority": 3, "allowed_hosts": ["a.example.org"], "licence_note": "ours"}
    down = {"backoff_rung": 9, "backoff_until": AT + timedelta(days=1)}
    Provider.objects.update(**word, **down)
    settings.LIBRARY_URL = origin.url
    moved = services.ensure_library()
    assert moved is not None
    assert moved.config == {"base_url": origin.url}
    assert {name: getattr(moved, name) for name in word} == word
    origin.on(PATH, FOUND)
    assert urls(search()["library"])


@pytest.mark.parametrize("url", ["https://old.example.org", "https://new.example.org"])
def test_a_library_that_is_off_stays_off(settings: Any, url: str) -> None:
    settings.LIBRARY_URL = "https://old.example.org"
    services.ensure_library()
    Provider.objects.update(enabled=False, backoff_rung=2, backoff_until=AT)
    settings.LIBRARY_URL = url
    services.ensure_library()
    kept = url == "https://old.example.org"
    assert (stored("library").enabled, stored("library").backoff_rung) == (False, 2 if kept else 0)
