"""The counters of a provider's hours: what raises them, that none is lost, and how the last days are read."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from providers import hours, noting
from providers.errors import ProviderMisconfigured, ProviderTransient
from providers.models import Provider, ProviderHour
from providers.types import ProbeOutcome, ProbeResult

AT = datetime(2026, 11, 22, 12, 34, 56, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def films(db: None) -> Provider:
    return Provider.objects.create(slug="films", label="Films", adapter="library", enabled=True)


def counted(at: datetime = AT) -> dict[str, Any]:
    row = ProviderHour.objects.filter(pk=ProviderHour.key_for("films", at)).values().first() or {}
    return {name: number for name, number in row.items() if number and name not in {"key", "hour"}}


def result(outcome: ProbeOutcome) -> ProbeResult:
    return ProbeResult(outcome=outcome, evidence="")


def test_answers_and_failures_of_an_hour_are_counted_with_their_latency(films: Provider) -> None:
    for latency_ms in (100, 250):
        noting.answered(films, latency_ms=latency_ms, asked_at=AT, at=AT)
    noting.failed(films, ProviderTransient("down", status=500), asked_at=AT, at=AT)
    assert counted() == {"answered": 2, "failed": 1, "latency_ms": 350}
    assert counted(AT + HOUR) == {}


def test_what_is_not_the_providers_failing_is_not_counted(films: Provider) -> None:
    noting.failed(films, ProviderMisconfigured("base_url is required"), asked_at=AT, at=AT)
    assert counted() == {}


def test_probes_that_told_something_are_counted_and_those_that_found_no_stream(films: Provider) -> None:
    outcomes = [*ProbeOutcome, ProbeOutcome.OK]
    noting.probed([(films, result(outcome)) for outcome in outcomes], at=AT)
    assert counted() == {"probes": 6, "probes_failed": 4}


def test_claims_are_counted_where_they_could_be_checked(films: Provider) -> None:
    for claimed, measured in [(4, 4), (4, 3), (3, 4), (None, 4), (4, None)]:
        noting.measured(films, claimed=claimed, measured=measured, at=AT)
    assert counted() == {"claims": 3, "claims_kept": 2}


def test_an_hour_begins_at_the_full_hour_of_utc(films: Provider) -> None:
    local = AT.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    hours.count("films", local, answered=1)
    hours.count("films", AT, answered=1)
    (row,) = ProviderHour.objects.all()
    start = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert (row.key, row.hour, row.answered) == ("films:2026-11-22T12", start, 2)


def test_the_last_hours_come_in_order_and_empty_ones_are_there_too(films: Provider) -> None:
    hours.count("films", AT - 2 * HOUR, answered=3)
    hours.count("films", AT, failed=1)
    hours.count("other", AT, failed=9)
    hours.count("films", AT - 4 * HOUR, failed=9)
    last = hours.last("films", AT, hours=4)
    assert [row.hour.hour for row in last] == [9, 10, 11, 12]
    assert [(row.answered, row.failed) for row in last] == [(0, 0), (3, 0), (0, 0), (0, 1)]


def test_the_longest_slug_fits(db: None) -> None:
    hours.count("x" * 50, AT, answered=1)
    assert hours.last("x" * 50, AT, hours=1)[0].answered == 1


def test_eight_workers_count_at_once_and_nothing_is_lost(transactional_db: None) -> None:
    workers, each = 8, 12
    together = threading.Barrier(workers)

    def work(_: int) -> None:
        together.wait(10)
        for _ in range(each):
            hours.count("films", AT, answered=1, latency_ms=7)
        connection.close()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))
    assert counted() == {"answered": workers * each, "latency_ms": workers * each * 7}
