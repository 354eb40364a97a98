"""Two at the same movie, in every order that matters; and several, in orders that nobody thought of."""

from __future__ import annotations

import itertools
from datetime import timedelta
from functools import partial

import pytest
from django.db import connections, router
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.maintenance import LOOK_BACK
from streaming import switching
from streaming.errors import StaleSeq
from streaming.models import StreamSwitch
from streaming.quality import Quality
from tests.streaming.factory import NOW
from tests.streaming.invariants import assert_consistent
from tests.streaming.races import verbs
from tests.streaming.races.interleaving import Stepped, interleaved
from tests.streaming.races.moments import DECIDED, INSERTED, MOVIE, NUDGED, READ, VERSION, Killed
from tests.streaming.races.verbs import ANY, Call, Scene, Told

RUNGS = (Quality.P720, Quality.P1080, Quality.P2160)
ids = itertools.count(7_000_000)


def scene_at_turn_one() -> Scene:
    scene = verbs.scene(next(ids), RUNGS)
    verbs.told(scene, Call("activate", 1, "start", NOW), "eve")
    return scene


def orders(steps: int) -> list[tuple[int, ...]]:
    """Every way in which two can take so many steps each."""
    places = range(2 * steps)
    chosen = itertools.combinations(places, steps)
    return [tuple(0 if place in first else 1 for place in places) for first in chosen]


ORDERS = orders(3)
"""From the beginning to the reading, to the insert, to the end."""


def test_in_no_order_two_win_who_saw_the_same_turn(transactional_db: None) -> None:
    for order in ORDERS:
        scene = scene_at_turn_one()
        calls = [Call("exactly", number, f"editor {number}", NOW) for number in range(2)]
        answers = together(scene, calls, order)
        assert sorted(answer.refused for answer in answers) == ["", StaleSeq.code], order
        (winner,) = (answer for answer in answers if answer.turn)
        assert [row.comment for row in assert_consistent(scene.movie)] == ["start", winner.call.comment]


def test_in_no_order_a_loser_goes_by_what_it_saw_before(transactional_db: None) -> None:
    """An editor moves to the best stream, another suppresses that: whoever is second knows of the first."""
    calls = [Call("activate", 2, "take it", NOW), Call("suppress", 2, "not that one", NOW)]
    seen = set()
    for order in ORDERS:
        scene = scene_at_turn_one()
        together(scene, calls, order)
        seen.add(tuple((row.comment, row.reason) for row in assert_consistent(scene.movie)[1:]))
    assert seen == {
        (("take it", "manual"), ("not that one", "failover")),
        (("not that one", "revised"), ("take it", "manual")),
    }


def together(scene: Scene, calls: list[Call], order: tuple[int, ...]) -> list[Told]:
    threads = [Stepped(partial(verbs.told, scene, call, call.comment), {READ, INSERTED}) for call in calls]
    return interleaved(threads, order)


# Not the UNCOMMITTED one: on SQLite whoever waits there keeps all others waiting.
PAUSES = {READ, DECIDED, INSERTED, VERSION, MOVIE, NUDGED}
PROGRAMS = st.lists(st.tuples(st.sampled_from(ANY), st.integers(0, 29)), min_size=1, max_size=3)
ACTORS = st.lists(st.tuples(PROGRAMS, st.integers(-1, 30)), min_size=1, max_size=3)


@pytest.mark.skipif(
    connections[router.db_for_write(StreamSwitch)].vendor != "sqlite",
    reason="the same lines in the same orders: another database adds minutes; what differs is tried above",
)
@given(actors=ACTORS, order=st.lists(st.integers(0, 2), max_size=40))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whoever_does_what_in_any_order_and_dies_anywhere_the_movie_is_whole(
    transactional_db: None, actors: list[tuple[list[tuple[str, int]], int]], order: list[int]
) -> None:
    scene = scene_at_turn_one()
    threads = []
    for actor, (words, dies_at) in enumerate(actors):
        calls = [
            Call(verb, number, f"{actor}.{place}", NOW + place * timedelta(minutes=3))
            for place, (verb, number) in enumerate(words)
        ]
        threads.append(Stepped(partial(verbs.race, scene, str(actor), calls), PAUSES, dies_at))
    outcomes = interleaved(threads, [number for number in order if number < len(threads)])
    switching.finish_pending(since=NOW - LOOK_BACK)
    log = {(row.pk, row.attempt) for row in assert_consistent(scene.movie)}
    for outcome in outcomes:
        assert isinstance(outcome, (list, Killed)), outcome
        if isinstance(outcome, list):
            assert {told.turn for told in outcome if told.turn} <= log
