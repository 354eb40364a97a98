"""A provider's week in the admin: bars of hours, the days' numbers, and its state in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from providers import hours
from providers.admin import chart
from providers.admin.chart import HEIGHT
from providers.models import Provider

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 22, 12, 34, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON_TODAY = 6 * 24 + 12


def films(**columns: object) -> Provider:
    return Provider(slug="films", label="Films", enabled=True, **columns)


def drawn() -> ElementTree.Element:
    return ElementTree.fromstring(chart.week(films(), AT))


def bars(strip: int) -> list[tuple[str, int, int, int]]:
    svg = drawn().findall("figure")[strip].find("svg")
    assert svg is not None
    return [
        (bar.attrib["class"], *(int(bar.attrib[name]) for name in ("x", "y", "height")))
        for bar in svg.findall("rect")
    ]


def days() -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in drawn().iterfind(".//tbody/tr")]


def test_an_hour_is_a_bar_whose_failures_hang_from_the_top() -> None:
    hours.count("films", AT, answered=3, failed=1, latency_ms=900)
    hours.count("films", AT - HOUR, answered=5, latency_ms=500)
    hours.count("films", AT - 2 * HOUR, failed=2)
    assert bars(0) == [
        ("bad", NOON_TODAY - 2, 0, HEIGHT),
        ("good", NOON_TODAY - 1, 0, HEIGHT),
        ("good", NOON_TODAY, HEIGHT // 4, HEIGHT * 3 // 4),
        ("bad", NOON_TODAY, 0, HEIGHT // 4),
    ]


def test_one_failure_in_a_thousand_can_be_seen() -> None:
    hours.count("films", AT, probes=1000, probes_failed=1)
    assert bars(1) == [("good", NOON_TODAY, 1, HEIGHT - 1), ("bad", NOON_TODAY, 0, 1)]


def test_the_table_has_the_numbers_of_seven_days() -> None:
    for at in (AT, AT - HOUR):
        hours.count(
            "films", at, answered=2, latency_ms=300, probes=10, probes_failed=1, claims=3, claims_kept=2
        )
    hours.count("films", AT - 6 * DAY, failed=4)
    hours.count("films", AT - 7 * DAY, answered=9)
    rows = days()
    assert [row[0] for row in rows] == [
        f"{(AT - n * DAY):%a} {(AT - n * DAY).day} Nov" for n in range(6, -1, -1)
    ]
    assert rows[0][1:] == ["0 of 4", "—", "—", "—"]
    assert rows[-1][1:] == ["4 of 4", "150 ms", "18 of 20", "4 of 6"]
    assert all(row[1:] == ["—"] * 4 for row in rows[1:-1])


def test_a_week_without_a_word_says_so() -> None:
    assert [figure.findtext("p") for figure in drawn().findall("figure")] == [
        "Nothing was counted in the last seven days."
    ] * 2


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "on"),
        ({"enabled": False, "blamed_at": AT}, "off"),
        ({"blamed_at": AT, "blame": "12 of 12 <streams>"}, "blamed .* 12 of 12 &lt;streams&gt;"),
        ({"backoff_until": AT + HOUR}, "backing off asked again .*"),
        ({"backoff_until": AT - HOUR}, "on trial the next search finds out whether it is back"),
    ],
)
def test_its_state_in_words(columns: dict[str, object], words: str) -> None:
    provider = films()
    for name, value in columns.items():
        setattr(provider, name, value)
    shown = re.sub("<[^>]*>", "", chart.state(provider, AT))
    assert re.fullmatch(words, shown), shown
