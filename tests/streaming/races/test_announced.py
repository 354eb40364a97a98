"""What viewers were told stays true, also when one writes to a version, another takes it, and either dies."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from ingestion.maintenance import LOOK_BACK
from streaming import switching
from tests.streaming.factory import EDITOR, NOW
from tests.streaming.invariants import assert_consistent
from tests.streaming.races import moments, verbs
from tests.streaming.races.moments import READ, Killed
from tests.streaming.races.verbs import Scene

MOVED = {"url": "https://elsewhere.example/spare.m3u8"}
Act = Callable[[Scene], object]


def take_the_spare(scene: Scene) -> object:
    return switching.activate(scene.movie, scene.keys[1], actor=EDITOR, comment="spare", at=NOW)


def move_the_spare(scene: Scene) -> object:
    return switching.observe(scene.keys[1], columns=MOVED, at=NOW)


@pytest.mark.parametrize("one_reads_first", [take_the_spare, move_the_spare])
def test_what_is_announced_is_so_whoever_dies_when(one_reads_first: Act, transactional_db: None) -> None:
    """One has read the movie when the other comes between; then it goes on, and dies at some moment."""
    one = one_reads_first
    other = move_the_spare if one is take_the_spare else take_the_spare
    for dies_at in itertools.count(1):
        scene = verbs.scene(7_000_000 + dies_at)
        switching.activate(scene.movie, scene.keys[0], actor=EDITOR, comment="start", at=NOW)
        died = _overtaken(scene, one, other, dies_at)
        switching.finish_pending(since=NOW - LOOK_BACK)
        assert_consistent(scene.movie)
        if not died:
            break
    assert dies_at > 3, "it was not killed often enough to prove anything"


def _overtaken(scene: Scene, one: Act, other: Act, dies_at: int) -> bool:
    """Let `other` act when `one` has read the movie; whether `one` then died at the moment of that number."""
    acting: list[Act] = []
    left, others = iter(range(dies_at)), [other]

    def reached(moment: str) -> None:
        if moment == READ and others:
            acting.append(others.pop())
            acting[0](scene)
            acting.clear()
        elif not acting and next(left, None) is None:
            raise Killed

    try:
        with moments.watched(reached):
            one(scene)
    except Killed:
        return True
    return False
