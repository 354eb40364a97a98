"""What pruning marks, deletes and keeps. `old` is what has been missing, and not in use, for longer than the
grace period of 24 hours."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import QuerySet

from core.expiry import expires_by_itself
from ingestion.models import IngestLog, IngestRun, Job
from providers.models import Provider
from streaming import switching
from streaming.models import Movie, StreamVersion
from tests.ingestion.conftest import AT
from tests.ingestion.world import run, succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
Status = IngestRun.Status

pytestmark = pytest.mark.django_db


def old(ref: str, movie_id: int = 1, **facts: Any) -> uuid.UUID:
    movie = Movie.objects.filter(pk=movie_id).first() or factory.movie(movie_id)
    return factory.version(movie, ref, **{"missing_since": AT - 3 * DAY, **facts})


def prune(at: Any = AT) -> dict[str, Any]:
    return succeeded(Job.PRUNE, at=at)


def test_a_version_past_its_grace_is_marked_first_and_deleted_a_cycle_later() -> None:
    old("gone")
    assert prune()["expired"] == 1
    assert StreamVersion.objects.get().expired_at == AT
    assert prune(AT + HOUR)["deleted"] == 1
    assert not StreamVersion.objects.exists()


def test_a_mark_that_was_cleared_meanwhile_saves_the_version() -> None:
    old("gone")
    prune()
    StreamVersion.objects.update(expired_at=None, missing_since=None)
    assert prune(AT + HOUR)["deleted"] == 0
    assert StreamVersion.objects.exists()


def test_a_mark_that_is_cleared_at_the_last_moment_saves_the_version_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = old("gone")
    prune()

    delete = QuerySet._raw_delete

    def found_again_first(versions: Any, using: str) -> int:
        StreamVersion.objects.filter(pk=key).update(expired_at=None)
        return delete(versions, using)

    monkeypatch.setattr(QuerySet, "_raw_delete", found_again_first)
    assert prune(AT + HOUR)["deleted"] == 0
    assert StreamVersion.objects.exists()


@pytest.mark.parametrize(
    "facts",
    [
        {"suppressed_at": AT - DAY},
        {"retired_at": AT - HOUR},
        {"missing_since": AT - HOUR},
        {"missing_since": None, "last_seen": AT - 30 * DAY},
    ],
    ids=[
        "suppressed",
        "still in its grace period",
        "listed until lately",
        "listed, long ago",
    ],
)
def test_what_is_kept(facts: dict[str, Any]) -> None:
    old("a", **facts)
    assert prune()["expired"] == 0


def test_an_active_version_is_kept_and_so_is_every_version_of_a_pinned_movie() -> None:
    active, spare = old("active"), old("spare")
    switching.activate(1, active, actor=EDITOR, comment="", at=AT - 3 * DAY, pin=True)
    assert prune()["expired"] == 0
    switching.edit(1, pinned=False, actor=EDITOR, comment="", at=AT)
    assert prune()["expired"] == 1
    prune(AT + HOUR)
    assert list(StreamVersion.objects.values_list("pk", flat=True)) == [active]
    assert spare != active


def test_what_a_switched_off_provider_does_not_list_is_kept_until_it_can_be_asked_again() -> None:
    old("unasked", provider=factory.provider("off", enabled=False))
    assert prune()["expired"] == 0
    Provider.objects.update(enabled=True)
    assert prune(AT + HOUR)["expired"] == 1


def test_an_active_version_is_never_deleted_even_if_marked() -> None:
    key = old("a", expired_at=None)
    switching.activate(1, key, actor=EDITOR, comment="", at=AT - 3 * DAY)
    StreamVersion.objects.update(expired_at=AT - DAY)
    assert prune()["deleted"] == 0


def test_what_is_left_goes_next_time_and_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """More logs than one run drops: the oldest go first, and a bug in one part stops no other."""
    if expires_by_itself(IngestLog):
        pytest.skip("MongoDB drops them by itself")
    monkeypatch.setattr("ingestion.prune.BATCH", 2)
    monkeypatch.setattr("ingestion.prune.ROWS", 4)
    for days in range(40, 30, -2):
        IngestLog.objects.create(at=AT - days * DAY, job=Job.PRUNE, status="OK", message=f"{days}")
    assert prune()["logs"] == 4
    left = IngestLog.objects.filter(at__lt=AT).values_list("message", flat=True)
    assert list(left) == ["32"]
    assert prune(AT + HOUR)["logs"] == 1


def test_a_part_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    old("gone")

    def poison(**_: Any) -> int:
        raise KeyError("poison")

    monkeypatch.setattr("ingestion.prune._delete_expired", poison)
    ended = run(Job.PRUNE, at=AT)
    assert (ended.status, ended.summary["expired"]) == (Status.FAILED, 1)
    line = IngestLog.objects.get(status="ERROR")
    assert line.message == "The deletion of versions failed: KeyError: 'poison'"


def test_what_costs_too_much_for_the_database_stops_no_other_part(monkeypatch: pytest.MonkeyPatch) -> None:
    old("gone")

    def slow(**_: Any) -> int:
        raise OperationalError("statement timeout")

    monkeypatch.setattr("ingestion.prune._delete_expired", slow)
    ended = run(Job.PRUNE, at=AT)
    assert (ended.status, ended.error) == (Status.FAILED, "The database did not answer: statement timeout")
    assert StreamVersion.objects.get().expired_at == AT
