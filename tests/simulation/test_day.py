"""A shorter simulated day on each database: every invariant holds, and enough has happened to break one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from providers.models import Provider
from streaming.models import Movie, StreamSwitch, StreamVersion
from tests.simulation.day import Day
from tests.simulation.report import switches, table

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("valkey"),
    pytest.mark.timeout(600),
]


def test_a_day_of_failing_calls_kills_and_editors_breaks_no_invariant() -> None:
    day = Day(11, movies=12, hours=2, kills=13)
    day.run()
    print(table(day, 0))  # noqa: T201 - pytest shows it if the test fails: seed and figures
    assert day.violations == {}
    seen = switches(day)
    assert day.wire.failing >= 0.2
    assert day.kills.total() >= 10
    assert seen.total() >= 50
    assert seen["failover"] + seen["withdrawn"] >= 5
    assert seen["rollback"] >= 2


def test_the_same_seed_gives_the_same_day_and_another_seed_another(forget: Callable[[], None]) -> None:
    digests = []
    for seed in (3, 3, 4):
        day = Day(seed, movies=3, hours=0.3, kills=1)
        day.run()
        assert day.violations == {}
        digests.append(day.digest())
        forget()
    assert digests[0] == digests[1] != digests[2]


@pytest.fixture
def forget() -> Callable[[], None]:
    """Empty the installation for another day."""
    from core.models import Setting
    from ingestion.models import IngestLog, IngestRun, Slot

    def emptied() -> None:
        Movie.objects.update(active_stream=None)
        for model in (StreamSwitch, StreamVersion, Movie, Provider, Setting, Slot, IngestLog, IngestRun):
            model.objects.all()._raw_delete(model.objects.db)

    return emptied
