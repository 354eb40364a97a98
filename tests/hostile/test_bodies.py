"""Bodies that are not what a path takes: each is refused in words, and nothing is written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from core.parsers import MAX_BODY_BYTES
from tests.hostile.judge import faults, leaks, rows
from tests.hostile.table import INJECTIONS, TABLE, WRONG, Kind, Takes

pytestmark = pytest.mark.django_db

WITH_BODY = [(path, takes) for (method, path), takes in TABLE.items() if method in ("POST", "PATCH", "PUT")]
METHOD = {path: method for method, path in TABLE if method in ("POST", "PATCH", "PUT")}
each_path = pytest.mark.parametrize(("path", "takes"), WITH_BODY, ids=[path for path, _ in WITH_BODY])

NOT_JSON = {
    "nothing at all": b"",
    "half of it": b'{"reason": ',
    "two of them": b"{} {}",
    "a comment": b"/* */ {}",
    "NaN": b'{"reason": NaN}',
    "infinity": b'{"if_seq": -Infinity}',
    "bad UTF-8": b'{"reason": "\xff\xfe"}',
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "overlong": b'{"reason": "\xc0\xaf"}',
    "NUL": b'{"reason": "a\\u0000b"}',
    "NUL in a name": b'{"a\\u0000b": 1}',
    "half a surrogate": b'{"reason": "\\ud800"}',
    "raw NUL": b'{"reason": "a\x00b"}',
    "deep": b'{"reason": ' + b"[" * 20 + b"]" * 20 + b"}",
    "very deep": b"[" * 30_000 + b"]" * 30_000,
    "many digits": b'{"if_seq": ' + b"9" * 5000 + b"}",
}
NO_OBJECT = [b"[]", b"null", b'"text"', b"7", b"true", b'[{"reason": "x"}]']
PRIVILEGES: dict[str, Any] = {
    **{"is_superuser": True, "is_staff": True, "groups": ["operator"], "roles": ["operator"], "user": 1},
    **{"id": 1, "pk": 1, "_id": 1, "actor": "root", "requested_by": "root", "state": "healthy"},
    **{"switch_seq": 99, "active_stream": None, "trigger": "schedule", "changed_by": "root"},
}
OPERATORS = ("$where", "movie.pinned", "version__gt", "__proto__", "", "\u202e", "x" * 5000)
TOO_LARGE = (b'{"reason": "' + b"x" * MAX_BODY_BYTES + b'"}', b" " * (MAX_BODY_BYTES + 1), b"[" * 3_000_000)
OTHER_KINDS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]


def good(takes: Takes, stage: dict[str, Any]) -> dict[str, Any]:
    """A body that is refused for nothing but what is made wrong in it."""
    samples = {name: sample for name, (_, sample) in takes.body.items()}
    return {name: each.format(**stage) if isinstance(each, str) else each for name, each in samples.items()}


def send(client: Any, path: str, stage: dict[str, Any], raw: bytes | dict[str, Any]) -> Any:
    data = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
    url = f"/{path}".format(**stage)
    return client.generic(METHOD[path], url, data, content_type="application/json")


def spoilt(takes: Takes, stage: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies with one thing wrong."""
    body = good(takes, stage)
    for name, (kind, _) in takes.body.items():
        yield from ({**body, name: value} for value in WRONG[kind])
    for name in takes.owed:
        yield {key: value for key, value in body.items() if key != name}
    for name in (*PRIVILEGES, *OPERATORS):
        if name not in body:
            yield {**body, name: PRIVILEGES.get(name, {"$gt": ""})}


@each_path
def test_one_thing_wrong_is_refused_and_nothing_is_written(
    everyone: Any, stage: dict[str, Any], path: str, takes: Takes
) -> None:
    before = rows()
    wrong = {}
    for body in spoilt(takes, stage):
        if found := faults(send(everyone, path, stage, body), sent=json.dumps(body)):
            wrong[json.dumps(body)[:200]] = found
    assert wrong == {}
    assert rows() == before


@each_path
def test_what_is_no_json_or_no_object_is_refused(
    everyone: Any, stage: dict[str, Any], path: str, takes: Takes
) -> None:
    before = rows()
    attacks = {**NOT_JSON, **{raw.decode(): raw for raw in NO_OBJECT}}
    if not takes.owed:
        del attacks["nothing at all"]
    wrong = {what: faults(send(everyone, path, stage, raw)) for what, raw in attacks.items()}
    assert {what: found for what, found in wrong.items() if found} == {}
    assert rows() == before


@each_path
def test_what_is_too_large_is_refused_unread(
    everyone: Any, stage: dict[str, Any], path: str, takes: Takes
) -> None:
    before = rows()
    for raw in TOO_LARGE:
        response = send(everyone, path, stage, raw)
        assert (response.status_code, faults(response)) == (413, [])
    assert rows() == before


@each_path
@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_what_is_not_called_json_is_refused(
    everyone: Any, stage: dict[str, Any], path: str, takes: Takes, kind: str
) -> None:
    before = rows()
    body = json.dumps(good(takes, stage)).encode()
    response = everyone.generic(METHOD[path], f"/{path}".format(**stage), body, content_type=kind)
    assert (response.status_code, faults(response)) == (415, [])
    assert rows() == before


@each_path
def test_text_that_means_something_elsewhere_is_text_here(
    everyone: Any, stage: dict[str, Any], path: str, takes: Takes
) -> None:
    for name, (kind, _) in takes.body.items():
        for text in INJECTIONS if kind is Kind.TEXT else ():
            response = send(everyone, path, stage, {**good(takes, stage), name: text})
            assert response.status_code < 500
            assert leaks(response, sent=text) == []
