"""The settings that an adapter declares, and the reading of what an operator entered.

Values come from a form, an API call or the database, so they are checked here, once, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from core.options import QUALITIES
from core.redact import SHORTEST_SECRET
from providers.errors import ProviderMisconfigured

ConfigValue = str | int | bool


class ConfigKind(StrEnum):
    """What an operator may enter."""

    TEXT = "text"
    URL = "url"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    QUALITY = "quality"


ALLOWED: Mapping[ConfigKind, str] = {
    ConfigKind.TEXT: "one line of text, at most 500 characters",
    ConfigKind.URL: "an http or https URL without user name, password, query or fragment",
    ConfigKind.INTEGER: "a whole number from 0 to 1,000,000,000",
    ConfigKind.BOOLEAN: "true or false",
    ConfigKind.QUALITY: f"one of {', '.join(QUALITIES)}",
}
_EMPTY: Mapping[ConfigKind, ConfigValue] = {
    ConfigKind.TEXT: "",
    ConfigKind.URL: "",
    ConfigKind.INTEGER: 0,
    ConfigKind.BOOLEAN: False,
    ConfigKind.QUALITY: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigField:
    """One setting of an adapter. A `secret` is never shown again and never logged."""

    name: str
    label: str
    help: str
    kind: ConfigKind = ConfigKind.TEXT
    required: bool = False
    secret: bool = False
    default: ConfigValue | None = None


def read_config(
    fields: tuple[ConfigField, ...], given: Mapping[str, object], *, provider: str
) -> dict[str, ConfigValue]:
    """Return a value for every declared field.

    Raises ProviderMisconfigured naming the field, and what is allowed there; never the value of a secret.
    """
    if wrong := problems(fields, given):
        raise ProviderMisconfigured(wrong[0], provider=provider)
    return {field.name: _read_field(field, given.get(field.name)) for field in fields}


def problems(fields: tuple[ConfigField, ...], given: Mapping[str, object]) -> tuple[str, ...]:
    """Everything that is wrong with the settings given, a sentence for each."""
    known = {field.name for field in fields}
    allowed = ", ".join(sorted(known)) or "none"
    unknown = [f"unknown setting {name!r}; allowed: {allowed}" for name in given if name not in known]
    wrong = (_problem(field, given.get(field.name)) for field in fields)
    return (*unknown, *filter(None, wrong))


def _problem(field: ConfigField, value: object) -> str:
    if _is_empty(value):
        owed = field.required and field.default is None
        return f"{field.name} is required: {ALLOWED[field.kind]}" if owed else ""
    try:
        _READERS[field.kind](value)
    except ValueError:
        got = "" if field.secret else f" (got {str(value)[:80]!r})"
        return f"{field.name} must be {ALLOWED[field.kind]}{got}"
    if field.secret and len(str(value).strip()) < SHORTEST_SECRET:
        return f"{field.name} must have at least {SHORTEST_SECRET} characters; a shorter one cannot be masked"
    return ""


def _read_field(field: ConfigField, value: object) -> ConfigValue:
    if _is_empty(value):
        return _EMPTY[field.kind] if field.default is None else field.default
    return _READERS[field.kind](value)


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > 500 or not value.strip().isprintable():
        raise ValueError(value)
    return value.strip()


def _url(value: object) -> str:
    url = _text(value)
    parts = urlsplit(url)
    clean = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not clean:
        raise ValueError(value)
    if parts.port == 0:  # reading .port also refuses what is no port, with a ValueError
        raise ValueError(value)
    return url.rstrip("/")


def _integer(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(value)
    number = int(value)
    if not 0 <= number <= 1_000_000_000:
        raise ValueError(value)
    return number


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {"true": True, "false": False}
    if not isinstance(value, str) or value.strip().lower() not in words:
        raise ValueError(value)
    return words[value.strip().lower()]


def _quality(value: object) -> str:
    rungs = {quality.lower(): quality for quality in QUALITIES}
    if not isinstance(value, str) or value.strip().lower() not in rungs:
        raise ValueError(value)
    return rungs[value.strip().lower()]


_READERS: Mapping[ConfigKind, Callable[[object], ConfigValue]] = {
    ConfigKind.TEXT: _text,
    ConfigKind.URL: _url,
    ConfigKind.INTEGER: _integer,
    ConfigKind.BOOLEAN: _boolean,
    ConfigKind.QUALITY: _quality,
}
