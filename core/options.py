"""The runtime settings: one declaration each, with type, bounds, default and help. Pure.

An operator changes them while everything runs; `core.conf` says where a value comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from core.refusals import Refusal

QUALITIES = ("CAM", "SD", "720p", "1080p", "1440p", "2160p")


class OptionError(Refusal, ValueError):
    """A value that an option does not take. The message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one sort of value is read from text or JSON, and what is allowed, in words."""

    name: str
    allowed: str
    parse: Callable[[object], Any]


_YES, _NO = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def _parse_boolean(raw: object) -> bool:
    word = str(raw).strip().lower()
    if word not in _YES + _NO:
        raise ValueError
    return word in _YES


BOOLEAN = Kind("boolean", "true or false", _parse_boolean)


def _number(low: float, high: float, *, whole: bool) -> Kind:
    def parse(raw: object) -> float:
        if isinstance(raw, bool):
            raise ValueError
        value = float(str(raw))
        if not low <= value <= high or (whole and value != int(value)):
            raise ValueError
        return int(value) if whole else value

    name = "integer" if whole else "number"
    return Kind(name, f"{'a whole' if whole else 'a'} number from {low:g} to {high:g}", parse)


def _choice(*allowed: str) -> Kind:
    by_lower = {value.lower(): value for value in allowed}
    return Kind("choice", "one of " + ", ".join(allowed), lambda raw: by_lower[str(raw).strip().lower()])


def _text(pattern: str, allowed: str, *, upper: bool = False) -> Kind:
    def parse(raw: object) -> str:
        text = str(raw).strip()
        text = text.upper() if upper else text
        if not isinstance(raw, str) or not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return Kind("text", allowed, parse)


_CRON_COLUMNS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_CRON_PART = re.compile(r"(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)
_CRON_CHARS = 60


def _cron_values(part: str, low: int, high: int) -> range:
    """What one part of a column (`*`, `5`, `1-5`, `*/15`, `1-5/2`) matches. Raises ValueError."""
    match = _CRON_PART.fullmatch(part)
    if match is None:
        raise ValueError
    star, first, last, step = match.groups()
    start, stop = (low, high) if star else (int(first), int(last or first))
    stepped = step is not None and not (star or last)
    if not low <= start <= stop <= high or stepped or not 1 <= int(step or 1) <= high:
        raise ValueError
    return range(start, stop + 1, int(step or 1))


def _cron_column(column: str, low: int, high: int) -> set[int]:
    if len(column) > _CRON_CHARS:
        raise ValueError
    return {value for part in column.split(",") for value in _cron_values(part, low, high)}


def _parse_cron(raw: object) -> str:
    columns = str(raw).split() if isinstance(raw, str) else []
    if len(columns) != len(_CRON_COLUMNS):
        raise ValueError
    values = [_cron_column(column, *bounds) for column, bounds in zip(columns, _CRON_COLUMNS, strict=True)]
    days, months = values[2], values[3]
    if min(days) > max(_LONGEST_MONTH[month - 1] for month in months):
        raise ValueError
    return " ".join(columns)


CRON = Kind("cron", 'five cron columns of numbers, such as "*/30 * * * *"', _parse_cron)


def _option(default: object, kind: Kind, help_text: str) -> Any:
    return field(default=default, metadata={"kind": kind, "help": help_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Every runtime setting with its value. The setting's name is the attribute's, in capitals."""

    target_quality: str = _option(
        "2160p",
        _choice(*QUALITIES),
        "The search for better streams of a movie ends once it has this quality.",
    )
    allow_lower_quality_until_upgrade: bool = _option(
        True, BOOLEAN, "Publish what is below the target for as long as nothing better is found."
    )
    min_quality_to_publish: str = _option(
        "720p", _choice(*QUALITIES), "No stream below this quality is ever chosen."
    )
    ingest_discover_cron: str = _option("*/30 * * * *", CRON, "When tmdb.discover runs (UTC).")
    ingest_refresh_cron: str = _option("0 */6 * * *", CRON, "When content.refresh runs (UTC).")
    ingest_reverify_cron: str = _option("0 */12 * * *", CRON, "When content.reverify runs (UTC).")
    rate_limit_rps: float = _option(
        3.0, _number(0.01, 1000, whole=False), "Requests per second to one provider, over all processes."
    )
    tmdb_rate_limit_rps: float = _option(
        20.0, _number(0.01, 1000, whole=False), "Requests per second to TMDB, over all processes."
    )
    grace_period_hours: float = _option(
        24,
        _number(0, 8760, whole=False),
        "How long a stream that was replaced stays available for a rollback.",
    )
    max_retry_attempts: int = _option(
        3, _number(0, 20, whole=True), "Retries after the first attempt, of a request and of a run alike."
    )
    provider_blame_share: float = _option(
        0.5,
        _number(0.05, 1, whole=False),
        "If more than this share of at least ten streams of one provider fail in one run, it is blamed, and "
        "none of them is given up for it. 1: never.",
    )
    territory: str = _option(
        "",
        _text(r"|[A-Z]{2}", "an ISO 3166-1 country code such as DE, or empty", upper=True),
        "The country that we stream in; streams not licensed for it are not eligible. Empty: no check.",
    )
    tmdb_region: str = _option(
        "",
        _text(r"|[A-Z]{2}", "an ISO 3166-1 country code such as DE, or empty", upper=True),
        "The region whose release dates TMDB's lists follow. Empty: TMDB's default.",
    )
    tmdb_language: str = _option(
        "en-US",
        _text(r"[a-z]{2}(-[A-Z]{2})?", "a language tag such as en-US"),
        "The language of titles and overviews.",
    )
    discover_pages: int = _option(
        2, _number(1, 50, whole=True), "Pages of 20 movies read from each of TMDB's four lists."
    )
    availability_delay_days: int = _option(
        0,
        _number(-365, 365, whole=True),
        "How many days after its first release a movie is first searched for. Below 0: before it.",
    )
    queue_depth: int = _option(
        500,
        _number(1, 100_000, whole=True),
        "So many searches may wait for a worker; more movies that are due wait in the database. What is "
        "asked for by hand always goes in.",
    )
    registration_open: bool = _option(
        True, BOOLEAN, "Whether anybody may make an account of their own. It has no role."
    )
    session_days: int = _option(
        14,
        _number(1, 365, whole=True),
        "How many days somebody stays signed in to the API without coming back. Each visit begins them anew.",
    )
    audit_kept_days: int = _option(
        400,
        _number(90, 36_500, whole=True),
        "How many days the audit is kept: who did what, from where.",
    )


NAMES: dict[str, str] = {f.name.upper(): f.name for f in fields(Options)}
DEFAULTS = Options()


def kind_of(name: str) -> Kind:
    """The kind of the option called `name` (in capitals). Raises OptionError for a name that is none."""
    kind: Kind = _field(name).metadata["kind"]
    return kind


def help_of(name: str) -> str:
    """One sentence on what the option does."""
    text: str = _field(name).metadata["help"]
    return text


def parse(name: str, raw: object) -> Any:
    """`raw` as the option's value. Raises OptionError that says what is allowed."""
    kind = kind_of(name)
    try:
        if not isinstance(raw, str | int | float):
            raise ValueError
        return kind.parse(raw)
    except (ValueError, KeyError):
        raise OptionError(f"{name} is {kind.allowed}; {_shown(raw)} is not.") from None


def _shown(raw: object) -> str:
    """A refused value in a message. Python refuses to write out a giant number; the rest may be large."""
    if isinstance(raw, str):
        return repr(raw[:60])
    plain = isinstance(raw, bool | float) or (isinstance(raw, int) and abs(raw) < 10**18)
    return repr(raw) if plain else f"that {type(raw).__name__}"


def _field(name: str) -> Any:
    if name not in NAMES:
        raise OptionError(f"There is no setting {name[:60]!r}. There are: {', '.join(NAMES)}.")
    return next(f for f in fields(Options) if f.name == NAMES[name])
