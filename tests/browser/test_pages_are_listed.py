"""A page that no test loads fails here: the lists of tests/browser/pages.py against the URL table."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import UUID

from django.urls import URLResolver, get_resolver, resolve

from tests.browser import pages

A_UUID = UUID(int=7)
SAMPLES = {"film": 775, "left": A_UUID, "running": A_UUID, "failed": A_UUID, "log": A_UUID, "entry": A_UUID}


def names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    """Whatever is no view of the API's, which answer in JSON; what has no name is the catch-all of a part."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern, f"{pattern.namespace}:" if pattern.namespace else namespace)
        elif pattern.name and not hasattr(pattern.callback, "cls"):
            yield f"{namespace}{pattern.name}"


def listed() -> set[str]:
    paths = [*pages.PUBLIC, *pages.DOCS, *pages.OFFICE, *pages.DJANGOS_OWN, *pages.REFUSED]
    found = set()
    for path in paths:
        if path not in ("/nothing", "/admin/nothing/"):
            found.add(resolve(urlsplit(path.format(**SAMPLES)).path).view_name)
    return found


def test_every_page_of_the_url_table_is_loaded_or_is_none_and_says_why() -> None:
    known = {*names(get_resolver()), "docs"} - {"metrics"}
    assert known == listed() | pages.NO_PAGES.keys()
    assert not listed() & pages.NO_PAGES.keys()
