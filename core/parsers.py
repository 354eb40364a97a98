"""JSON bodies within bounds: small, shallow, and of text that every database can keep.

DRF imports this while it imports `rest_framework.views`, which may therefore not be imported from here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MAX_BODY_BYTES = 64 * 1024
MAX_DEPTH = 16


class TooLarge(APIException):
    status_code = 413
    default_detail = f"A body holds at most {MAX_BODY_BYTES} bytes."


class Json(BaseParser):
    """JSON (RFC 8259), always UTF-8. Raises ParseError and TooLarge."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        raw: bytes = stream.read(MAX_BODY_BYTES + 1)
        if len(raw) > MAX_BODY_BYTES:
            raise TooLarge
        try:
            value = json.loads(raw.decode(), parse_constant=_refuse_constant)
        except RecursionError:
            raise _too_deep() from None
        except ValueError as error:
            raise ParseError(f"The body is not JSON in UTF-8: {error}.") from None
        _check(value)
        return value


def _check(value: Any) -> None:
    """Level by level, so that depth costs no stack."""
    level = [value]
    for _ in range(MAX_DEPTH):
        for text in level:
            if isinstance(text, str):
                _check_text(text)
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise _too_deep()


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _check_text(text: str) -> None:
    r"""`"\u0000"` and `"\ud800"` are JSON, but no text that a database stores or UTF-8 can carry."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ParseError("Text holds neither NUL nor half of a surrogate pair.")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _too_deep() -> ParseError:
    return ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
