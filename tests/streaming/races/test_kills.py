"""A process that ends between any two steps leaves a log that the next switch, or the sweep, finishes.

Each kind of turn is made once in peace, which says through which moments it goes, and then once for each of
them by a process that ends there. What becomes of it must be what the peaceful one became.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from ingestion.maintenance import LOOK_BACK
from streaming import switching, verification
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.quality import Quality
from tests.streaming.factory import NOW
from tests.streaming.invariants import assert_consistent
from tests.streaming.races import moments, processes, verbs
from tests.streaming.races.moments import DECIDED, INSERTED, UNCOMMITTED
from tests.streaming.races.processes import Process
from tests.streaming.races.verbs import Call, Scene

RUNGS = (Quality.P720, Quality.P1080, Quality.P2160)
KINDS: dict[str, list[tuple[str, int]]] = {
    "first": [("reconsider", 0)],
    "upgrade": [("activate", 1), ("reconsider", 0)],
    "failover": [("activate", 2), ("strike", 2), ("strike", 2), ("reconsider", 0)],
    "rollback with suppression": [("activate", 1), ("activate", 2), ("rollback", 0)],
    "manual with pin and suppression": [("activate", 2), ("activate", 30)],
    "withdrawal": [("activate", 1), ("withdraw", 0)],
    "revised": [("activate", 1), ("credit", 1)],
    "edit": [("activate", 1), ("hide", 1)],
    "suppression of the active one": [("activate", 1), ("suppress", 1)],
    "failed canary": [("activate", 1), ("fail canary", 1)],
}
"""Verbs, each with the number that says which version and how. The last one is the turn in question."""
FINISHERS = ("the sweep", "the next switch")


@pytest.fixture(scope="module", autouse=True)
def _processes(django_db_setup: None) -> Iterator[None]:
    with processes.beside(django_db_setup):
        yield


@pytest.mark.parametrize("kind", KINDS)
def test_a_turn_cut_short_anywhere_ends_as_if_it_had_not_been(kind: str, transactional_db: None) -> None:
    ids = itertools.count(7_000_000)
    *before, turn, closing = calls(kind)
    reference = prepared(next(ids), before)
    turns_before = StreamSwitch.objects.of(reference.movie).count()
    trace = moments.of(lambda: verbs.told(reference, turn, "ada"))
    assert {DECIDED, INSERTED} <= set(trace)
    verbs.told(reference, closing, "bob")
    peaceful = whole(reference)
    scenes = [prepared(next(ids), before) for _ in trace]
    killed = [Process(moments.exit_at, at, verbs.told, on, turn, "ada") for at, on in enumerate(scenes)]
    for process in killed:
        process.ready()
        process.go()
    assert {process.ended() for process in killed} == {moments.EXIT_CODE}
    finishers = itertools.cycle(FINISHERS if len(kind) % 2 else reversed(FINISHERS))
    for number, (moment, scene, finisher) in enumerate(zip(trace, scenes, finishers, strict=False)):
        taken = StreamSwitch.objects.of(scene.movie).count() > turns_before
        if moment != UNCOMMITTED:
            assert taken == (number >= trace.index(INSERTED)), f"killed when {moment}"
        if not taken:
            verbs.told(scene, turn, "ada")  # as whoever was killed is started again
        elif finisher == "the sweep":
            switching.finish_pending(since=turn.at - LOOK_BACK)
            assert_consistent(scene.movie)
        verbs.told(scene, closing, "bob")
        assert whole(scene) == peaceful, f"killed when {moment}, finished by {finisher}"


def calls(kind: str) -> list[Call]:
    """The kind's verbs in turn, and after them another switch by somebody else."""
    at = [NOW + timedelta(minutes=3 * number) for number in range(9)]
    words = [*KINDS[kind], ("aim", 2)]
    return [Call(verb, number, f"{place}: {verb}", at[place]) for place, (verb, number) in enumerate(words)]


def prepared(movie_id: int, before: list[Call]) -> Scene:
    scene = verbs.scene(movie_id, RUNGS)
    for call in before:
        verbs.told(scene, call, "eve")
    return scene


def whole(scene: Scene) -> Any:
    """Everything that is stored of the movie, without what tells one movie from another: its keys, and what
    is drawn from them."""
    assert_consistent(scene.movie)
    rows = [
        *Movie.objects.filter(pk=scene.movie).values(),
        *StreamVersion.objects.of(scene.movie).order_by("ref").values(),
        *StreamSwitch.objects.of(scene.movie).values(),
    ]
    for row in rows:
        row.pop("attempt", None)
        if probed := row.get("probed_at"):
            routine = verification.routine_check(row["id"], probed)
            row["next_check_at"] = "routine" if row["next_check_at"] == routine else row["next_check_at"]
    text = json.dumps(rows, cls=DjangoJSONEncoder)
    for number, key in enumerate(scene.keys):
        text = text.replace(str(key), f"version {number}")
    return json.loads(text.replace(str(scene.movie), "0"))
