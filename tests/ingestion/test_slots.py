"""Slots: every verb is one conditional UPDATE, and tells whoever is too late."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connections

from ingestion import ending, lost, runs, slots
from ingestion.models import IngestRun, Job, Slot

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
KEY = "content.match:7"
MINE, YOURS = uuid.UUID(int=1), uuid.UUID(int=2)

pytestmark = pytest.mark.django_db


@pytest.fixture
def slot() -> Slot:
    """A slot that is mine."""
    Slot.objects.create(key=KEY)
    assert slots.claim(KEY, MINE, until=AT)
    return state()


def state() -> Slot:
    return Slot.objects.get(key=KEY)


def test_a_slot_is_taken_once(slot: Slot) -> None:
    assert not slots.claim(KEY, YOURS, until=LATER)
    assert (state().run_id, state().lease_until) == (MINE, AT)


TOO_LATE: dict[str, Callable[[], bool]] = {
    "extend": lambda: slots.extend(KEY, YOURS, until=LATER),
    "ask_again": lambda: slots.ask_again(KEY, YOURS),
    "hand_over": lambda: slots.hand_over(KEY, YOURS, uuid.UUID(int=3), until=LATER),
    "release": lambda: slots.release(KEY, YOURS),
}


@pytest.mark.parametrize("verb", TOO_LATE)
def test_a_lost_slot_can_neither_be_held_nor_asked_for_nor_passed_on_nor_freed(slot: Slot, verb: str) -> None:
    assert not TOO_LATE[verb]()
    assert (state().run_id, state().lease_until, state().again) == (MINE, AT, False)


def test_a_slot_of_which_one_more_run_was_asked_is_not_freed(slot: Slot) -> None:
    assert slots.ask_again(KEY, MINE)
    assert not slots.release(KEY, MINE)
    assert state().run_id == MINE


def test_the_next_run_is_all_that_anybody_asked_for(slot: Slot) -> None:
    slots.ask_again(KEY, MINE)
    assert slots.hand_over(KEY, MINE, YOURS, until=LATER)
    assert (state().run_id, state().lease_until, state().again) == (YOURS, LATER, False)
    assert slots.release(KEY, YOURS)
    assert (state().run_id, state().lease_until) == (None, None)


def test_of_two_ticks_one_publishes_a_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have read the slot before either of them wrote to it."""
    published: list[Any] = []
    monkeypatch.setattr(ending.current_app, "send_task", lambda job, args, **_: published.append(args))
    run, _ = runs.queue(Job.MATCH, movie_id=7, trigger="test", at=AT)
    as_read, queued = Slot.objects.get(), IngestRun.objects.get(pk=run.pk)
    assert lost._publish_again(as_read, queued, LATER)
    assert not lost._publish_again(as_read, queued, LATER + timedelta(seconds=1))
    assert len(published) == 2, "once when it was asked for, once by the first tick"


def nothing_but_the_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(slots, "time", SimpleNamespace(sleep=pauses.append))
    return pauses


def test_what_a_database_refuses_that_answers_is_not_tried_again_without_a_pause(
    slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, above all: a loop without one would fill the log's as well."""
    pauses = nothing_but_the_pauses(monkeypatch)
    refusals = iter([OperationalError("database or disk is full")] * 2)

    def write() -> str:
        if refusal := next(refusals, None):
            raise refusal
        return "written"

    assert slots.Lease(KEY, MINE, lambda: LATER, NEVER).written(write) == "written"
    assert pauses == [slots.TRY_AGAIN_S] * 2


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_holds_no_connection_from_one_beat_to_the_next(
    slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, held = slots.Lease(KEY, MINE, lambda: LATER, NEVER), []

    def wait(seconds: float) -> bool:
        pooled = [c for c in connections.all(initialized_only=True) if c.vendor != "mongodb"]
        held.append([c.alias for c in pooled if c.connection is not None])
        return len(held) > 2

    monkeypatch.setattr(lease._over, "wait", wait)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lease.beat).result()
    assert state().lease_until == LATER + slots.RUNNING_LEASE
    assert held == [[], [], []]
