"""Bodies: what is no JSON, too large, too deep, or text that nothing can store, is refused in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.parsers import MAX_BODY_BYTES, MAX_DEPTH
from tests.clients import assert_problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]
URL = "/api/auth/logout"


def post(body: bytes, kind: str = "application/json") -> Any:
    return APIClient(raise_request_exception=False).generic("POST", URL, body, content_type=kind)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "required"),
        (b"{", "not JSON"),
        (b"refresh=1", "not JSON"),
        (b"\xff\xfe{}", "not JSON in UTF-8"),
        (b'{"refresh": "\xc3"}', "not JSON in UTF-8"),
        (b'{"refresh": NaN}', "NaN is no number"),
        (b'{"refresh": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"refresh": "a\\u0000b"}', "neither NUL"),
        (b'{"refresh\\u0000": ""}', "neither NUL"),
        (b'{"refresh": "\\ud800"}', "half of a surrogate pair"),
        (b"[" * 50_000 + b"]" * 5, "nested deeper"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nested deeper"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "nested deeper"),
        (b"[]", "Expected a dictionary"),
        (b"null", "No data provided"),
        (b'"text"', "Expected a dictionary"),
        (b'{"refresh": {"a": []}}', "Not a valid string"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_problem_that_says_why(body: bytes, said: str) -> None:
    assert said in json.dumps(assert_problem(post(body), 400))


def test_a_body_over_the_limit_is_too_large_and_one_at_the_limit_is_read() -> None:
    assert_problem(post(b'"' + b"a" * (MAX_BODY_BYTES - 1) + b'"'), 413)
    assert_problem(post(b'"' + b"a" * (MAX_BODY_BYTES - 2) + b'"'), 400)


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml", "?"],
)
def test_other_kinds_of_body_are_not_taken(kind: str) -> None:
    assert_problem(post(b"refresh=1", kind), 415)


@pytest.mark.parametrize("charset", ["utf-8", "latin-1", "zlib", "hex", "rot13", "no-such"])
def test_a_body_is_utf_8_whatever_its_charset_says(charset: str) -> None:
    problem = assert_problem(post('{"refresh": "é"}'.encode(), f"application/json; charset={charset}"), 401)
    assert "invalid" in problem["detail"]


@given(st.binary(max_size=200) | st.recursive(st.text() | st.floats() | st.none(), st.lists).map(json.dumps))
@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None
)
def test_no_body_is_a_server_error(body: bytes | str) -> None:
    assert 400 <= post(body.encode() if isinstance(body, str) else body).status_code < 500
