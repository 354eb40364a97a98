"""A turn that was taken, but whose taker was not told: the row is in the log, so the turn was made.

The taker gets the database's error, for it cannot know; the next one finishes the turn. Who asks again with
the seq that it saw is told that it is stale, and finds its own word in the log.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, OperationalError

from ingestion.maintenance import LOOK_BACK
from streaming import switching, turns
from streaming.errors import StaleSeq
from streaming.models import StreamSwitch
from tests.streaming.factory import EDITOR, NOW
from tests.streaming.invariants import assert_consistent
from tests.streaming.races import verbs
from tests.streaming.races.verbs import Scene


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    return verbs.scene(7_000_000)


def activate(scene: Scene, **how: Any) -> StreamSwitch | None:
    return switching.activate(scene.movie, scene.keys[1], actor=EDITOR, comment="mine", at=NOW, **how)


@pytest.mark.parametrize("finisher", ["the sweep", "who asks again"])
def test_a_lost_answer_is_an_error_and_the_turn_is_made(
    scene: Scene, finisher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = turns._insert

    def answer_is_lost(row: StreamSwitch) -> bool:
        assert insert(row)
        raise OperationalError("the connection was closed")

    monkeypatch.setattr(turns, "_insert", answer_is_lost)
    with pytest.raises(DatabaseError):
        activate(scene, if_seq=0)
    monkeypatch.undo()
    if finisher == "the sweep":
        assert switching.finish_pending(since=NOW - LOOK_BACK) == 1
    with pytest.raises(StaleSeq):
        activate(scene, if_seq=0)
    assert activate(scene) is None, "what was asked for is so"
    assert [row.comment for row in assert_consistent(scene.movie)] == ["mine"]


def test_an_insert_that_is_sent_twice_takes_one_turn(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one meets the first: on MongoDB it stands, in a transaction both are undone."""
    save, sent = StreamSwitch.save, []

    def send_twice(row: StreamSwitch, *args: Any, **kwargs: Any) -> None:
        save(row, *args, **kwargs)
        sent.append(row.attempt)
        if len(sent) == 1:
            save(row, *args, **kwargs)

    monkeypatch.setattr(StreamSwitch, "save", send_twice)
    row = activate(scene)
    assert row is not None
    assert [row.attempt for row in assert_consistent(scene.movie)] == [row.attempt]


def test_a_turn_that_meets_itself_was_won(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    insert = turns._insert
    monkeypatch.setattr(turns, "_insert", lambda row: insert(row) and insert(row))
    row = activate(scene)
    assert row is not None
    assert [row.attempt for row in assert_consistent(scene.movie)] == [row.attempt]
