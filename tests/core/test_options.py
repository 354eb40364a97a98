"""Runtime settings: what each takes, what it refuses and how it says so."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from celery.schedules import crontab
from hypothesis import given
from hypothesis import strategies as st

from core import options
from core.options import OptionError

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)

TAKEN: list[tuple[str, object, Any]] = [
    ("TARGET_QUALITY", "1080P", "1080p"),
    ("TARGET_QUALITY", " cam ", "CAM"),
    ("ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", "Yes", True),
    ("ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", False, False),
    ("ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", 0, False),
    ("RATE_LIMIT_RPS", "0.5", 0.5),
    ("RATE_LIMIT_RPS", 1000, 1000.0),
    ("GRACE_PERIOD_HOURS", 0, 0.0),
    ("MAX_RETRY_ATTEMPTS", "20", 20),
    ("MAX_RETRY_ATTEMPTS", 3.0, 3),
    ("TERRITORY", "de", "DE"),
    ("TERRITORY", "", ""),
    ("TMDB_LANGUAGE", "pt-BR", "pt-BR"),
    ("TMDB_LANGUAGE", "en", "en"),
    ("INGEST_DISCOVER_CRON", "  */15   0,12  1-15/2 * 1-5 ", "*/15 0,12 1-15/2 * 1-5"),
    ("INGEST_DISCOVER_CRON", "0 0 29 2 *", "0 0 29 2 *"),
    ("DISCOVER_PAGES", 50, 50),
]
REFUSED: list[tuple[str, object]] = [
    ("TARGET_QUALITY", "4k"),
    ("TARGET_QUALITY", ["1080p"]),
    ("TARGET_QUALITY", None),
    ("ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", "maybe"),
    ("ALLOW_LOWER_QUALITY_UNTIL_UPGRADE", 2),
    ("RATE_LIMIT_RPS", 0),
    ("RATE_LIMIT_RPS", "nan"),
    ("RATE_LIMIT_RPS", float("inf")),
    ("RATE_LIMIT_RPS", True),
    ("RATE_LIMIT_RPS", {}),
    ("MAX_RETRY_ATTEMPTS", 2.5),
    ("MAX_RETRY_ATTEMPTS", 21),
    ("MAX_RETRY_ATTEMPTS", -1),
    ("TERRITORY", "Germany"),
    ("TERRITORY", 49),
    ("TERRITORY", "D\n"),
    ("TMDB_LANGUAGE", ""),
    ("TMDB_LANGUAGE", "en_US"),
    ("INGEST_DISCOVER_CRON", "* * * *"),
    ("INGEST_DISCOVER_CRON", "60 * * * *"),
    ("INGEST_DISCOVER_CRON", "*/0 * * * *"),
    ("INGEST_DISCOVER_CRON", "*/ * * * *"),
    ("INGEST_DISCOVER_CRON", "5/2 * * * *"),
    ("INGEST_DISCOVER_CRON", "9-5 * * * *"),
    ("INGEST_DISCOVER_CRON", "1,,2 * * * *"),
    ("INGEST_DISCOVER_CRON", "\u0663 * * * *"),
    ("INGEST_DISCOVER_CRON", "* * * * MON"),
    ("INGEST_DISCOVER_CRON", "* * 0 * *"),
    ("INGEST_DISCOVER_CRON", "0 0 31 2,4,6,9,11 *"),
    ("INGEST_DISCOVER_CRON", ",".join(["1"] * 40) + " * * * *"),
    ("INGEST_DISCOVER_CRON", 5),
    ("DISCOVER_PAGES", 0),
]


@pytest.mark.parametrize(("name", "raw", "value"), TAKEN)
def test_a_value_is_taken_in_its_own_form(name: str, raw: object, value: object) -> None:
    taken = options.parse(name, raw)
    assert (taken, type(taken)) == (value, type(value))


@pytest.mark.parametrize(("name", "raw"), REFUSED)
def test_a_refusal_names_the_setting_and_what_it_takes(name: str, raw: object) -> None:
    with pytest.raises(OptionError) as refusal:
        options.parse(name, raw)
    assert str(refusal.value).startswith(f"{name} is {options.kind_of(name).allowed}; ")
    assert len(str(refusal.value)) < 300


def test_a_number_that_python_refuses_to_write_out_is_refused() -> None:
    with pytest.raises(OptionError, match="that int is not"):
        options.parse("RATE_LIMIT_RPS", 10**5000)


def test_a_refusal_shows_the_value() -> None:
    with pytest.raises(OptionError, match="from 1 to 50; 51 is not"):
        options.parse("DISCOVER_PAGES", 51)


def test_an_unknown_name_is_told_which_there_are() -> None:
    with pytest.raises(OptionError, match=r"There is no setting 'TARGET'\. There are: TARGET_QUALITY, "):
        options.parse("TARGET", "1080p")


@pytest.mark.parametrize("name", options.NAMES)
def test_every_default_is_a_value_that_the_setting_takes(name: str) -> None:
    default = getattr(options.DEFAULTS, options.NAMES[name])
    assert options.parse(name, default) == default
    assert options.parse(name, str(default)) == default


@pytest.mark.parametrize("name", options.NAMES)
def test_every_setting_is_explained(name: str) -> None:
    assert options.help_of(name).endswith((".", ")."))
    assert options.kind_of(name).allowed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(list(options.NAMES)), JSON)
def test_no_value_does_anything_but_pass_or_be_refused(name: str, raw: object) -> None:
    try:
        value = options.parse(name, raw)
    except OptionError:
        return
    assert options.parse(name, value) == value


@given(st.integers(), st.floats())
def test_numbers_stay_within_their_bounds(whole: int, number: float) -> None:
    for name, raw, low, high in (("DISCOVER_PAGES", whole, 1, 50), ("RATE_LIMIT_RPS", number, 0.01, 1000)):
        try:
            assert low <= options.parse(name, raw) <= high
        except OptionError:
            assert not low <= raw <= high


_part = st.from_regex(r"(\*|\d{1,2}(-\d{1,2})?)(/\d{1,2})?", fullmatch=True)
_column = st.lists(_part, min_size=1, max_size=3).map(",".join)


@given(st.lists(_column | st.just("*"), min_size=5, max_size=5))
def test_the_scheduler_understands_every_cron_that_is_taken(columns: list[str]) -> None:
    try:
        taken = options.parse("INGEST_DISCOVER_CRON", " ".join(columns))
    except OptionError:
        return
    names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
    entry = crontab(**dict(zip(names, taken.split(), strict=True)), nowfun=lambda: AT)
    assert entry.remaining_estimate(AT) is not None
