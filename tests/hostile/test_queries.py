"""Queries that are not what a path takes: each is refused in words, whatever a database would make of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.hostile.judge import faults, leaks, rows
from tests.hostile.table import INJECTIONS, TABLE, WRITTEN, Kind, Takes

pytestmark = pytest.mark.django_db

READ = [(path, takes) for (method, path), takes in TABLE.items() if method == "GET"]
STRICT = [(path, takes) for path, takes in READ if takes.query]
each_strict = pytest.mark.parametrize(("path", "takes"), STRICT, ids=[path for path, _ in STRICT])
NAMES = (
    *("id", "pk", "id__gt", "pk__in", "title__startswith", "movie__title", "provider__secrets__contains"),
    *("active_stream__provider__config__token__startswith", "requested_by__regex", "traceback__contains"),
    *("$where", "title[$gt]", "title.$ne", "format", "page_size", "%00", "%ff", "a%00b", "__class__"),
    *("fields", "%0d%0aX-Evil", "_method", "expand", "order_by", "x" * 3000),
)
CURSORS = ("x", "%00", "%ff", "a" * 201, "a" * 5000, "cj0xJnA9eA%3D%3D", "-1", "9" * 40)
ODD = ("%", "%00=%00", "%ff=%ff", "a[]=1&a[]=2", "x=" + "y" * 60_000, "&" * 500, "format=html", "format=api")


@each_strict
def test_an_unknown_name_is_refused_and_never_reaches_a_database(
    everyone: Any, stage: dict[str, Any], path: str, takes: Takes
) -> None:
    wrong = {}
    for name in NAMES:
        url = f"/{path}".format(**stage) + f"?{name if '%' in name else quote(name)}=x"
        if found := faults(everyone.get(url), sent=url):
            wrong[name] = found
    assert wrong == {}


@each_strict
def test_a_value_that_is_not_of_its_kind_is_refused(
    everyone: Any, stage: dict[str, Any], path: str, takes: Takes
) -> None:
    wrong = {}
    for name, (kind, _) in takes.query.items():
        for value in (*WRITTEN[kind], "\0", "a\0b"):
            url = f"/{path}".format(**stage) + f"?{name}={quote(value)}"
            if found := faults(everyone.get(url), sent=url + value):
                wrong[url] = found
    assert wrong == {}


@each_strict
def test_a_good_value_is_taken(everyone: Any, stage: dict[str, Any], path: str, takes: Takes) -> None:
    """Or all the others would be refused for something else."""
    for name, (_, value) in takes.query.items():
        if value:
            url = f"/{path}".format(**stage) + f"?{name}={quote(value.format(**stage))}"
            assert everyone.get(url).status_code == 200, url


@each_strict
def test_text_that_means_something_elsewhere_finds_nothing(
    everyone: Any, stage: dict[str, Any], path: str, takes: Takes
) -> None:
    for name, (kind, _) in takes.query.items():
        for text in INJECTIONS if kind is Kind.TEXT and name != "cursor" else ():
            response = everyone.get(f"/{path}".format(**stage) + f"?{name}={quote(text)}")
            assert response.status_code == 200, text
            assert leaks(response, sent=text) == []
            found = response.json()
            assert (found["results"] if isinstance(found, dict) else found) == [], text


@pytest.mark.parametrize("cursor", CURSORS)
def test_a_cursor_that_no_page_gave_is_refused(everyone: Any, stage: dict[str, Any], cursor: str) -> None:
    for path, takes in STRICT:
        if "cursor" in takes.query:
            response = everyone.get(f"/{path}?cursor={cursor}")
            assert faults(response, sent=cursor) == [], path


@pytest.mark.parametrize(("path", "takes"), READ, ids=[path for path, _ in READ])
def test_no_query_breaks_a_path_that_takes_none(
    everyone: Any, stage: dict[str, Any], path: str, takes: Takes
) -> None:
    before = rows()
    for query in ODD:
        response = everyone.get(f"/{path}".format(**stage) + f"?{query}")
        assert response.status_code < 500
        assert leaks(response, sent=query) == []
    assert rows() == before
