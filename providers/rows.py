"""Reading one row of somebody else's JSON, field by field.

Each function takes a row and a field's name, and gives a typed value or raises ValueError saying what was
expected. Absent and null mean the same: the empty value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

Row = Mapping[str, object]

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,8}")  # BCP 47, well-formed enough to store
_COUNTRY = re.compile(r"[A-Z]{2}")
_NOT_ONE_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # controls; halves of characters
_TIME = re.compile(  # RFC 3339 section 5.6, in capitals
    r"(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def text(row: Row, name: str, *, limit: int) -> str:
    """One line of text of at most `limit` characters, stripped."""
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit or _NOT_ONE_LINE.search(value):
        raise ValueError(f"{name} must be one line of text, at most {limit} characters")
    return value.strip()


def integer(row: Row, name: str, *, least: int, most: int) -> int | None:
    """A whole number; JSON's 1.0 is one."""
    value = row.get(name)
    if value is None:
        return None
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is None or not least <= number <= most or number != int(number):
        raise ValueError(f"{name} must be a whole number from {least} to {most}")
    return int(number)


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
    """An RFC 3339 time, in UTC. One without an offset is refused: it names no moment."""
    value = row.get(name)
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= 40 and _TIME.fullmatch(value):
        try:
            return _in_utc(datetime.fromisoformat(value))
        except ValueError:  # the 30th of February
            pass
    raise ValueError(f"{name} must be a time with an offset, such as 2031-01-01T00:00:00Z")


def _in_utc(moment: datetime) -> datetime:
    """The moment, or the last (first) that there is: "for ever", written 9999-12-31 west of Greenwich."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _LAST if moment.year > 1 else _FIRST
