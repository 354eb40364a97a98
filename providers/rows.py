"""Reading one row of somebody else's JSON, field by field.

Each function takes a row and a field's name, and gives a typed value or raises ValueError saying what was
expected. Absent and null mean the same: the empty value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

Row = Mapping[str, object]

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,8}")  # BCP 47, well-formed enough to store
_COUNTRY = re.compile(r"[A-Z]{2}")


def text(row: Row, name: str, *, limit: int) -> str:
    """One line of text of at most `limit` characters, stripped."""
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit or not value.strip().isprintable():
        raise ValueError(f"{name} must be one line of text, at most {limit} characters")
    return value.strip()


def mapping(row: Row, name: str) -> Row:
    value = row.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object")
    return value


def languages(row: Row, name: str) -> tuple[str, ...]:
    """BCP 47 language tags, e.g. `en` or `pt-BR`."""
    return _tags(row, name, _LANGUAGE, "a list of language tags such as en or pt-BR")


def countries(row: Row, name: str) -> tuple[str, ...]:
    """ISO 3166-1 alpha-2 codes in capitals."""
    return _tags(row, name, _COUNTRY, "a list of two-letter country codes in capitals, such as CH")


def _tags(row: Row, name: str, form: re.Pattern[str], expected: str) -> tuple[str, ...]:
    value = row.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > 300:
        raise ValueError(f"{name} must be {expected}")
    tags = tuple(tag for tag in value if isinstance(tag, str) and form.fullmatch(tag))
    if len(tags) != len(value):
        raise ValueError(f"{name} must be {expected}")
    return tuple(dict.fromkeys(tags))


def time(row: Row, name: str) -> datetime | None:
    """An RFC 3339 time. One without an offset is refused: it names no moment."""
    value = row.get(name)
    if value is None:
        return None
    moment = None
    if isinstance(value, str) and len(value) <= 40:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{name} must be a time with an offset, such as 2031-01-01T00:00:00Z")
    return moment
