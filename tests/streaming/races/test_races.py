"""Eight threads and four processes on one movie: nothing lost, nothing doubled, losers decide again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from streaming import switching
from streaming.errors import StaleSeq
from streaming.models import StreamSwitch
from tests.streaming import factory
from tests.streaming.factory import NOW
from tests.streaming.invariants import assert_consistent
from tests.streaming.races import processes, verbs
from tests.streaming.races.processes import Process
from tests.streaming.races.verbs import Call, Scene, Told

THREADS, PROCESSES = 8, 4
SEED = 3
MOVIE = 7_000_001


@pytest.fixture(scope="module", autouse=True)
def _processes(django_db_setup: None) -> Iterator[None]:
    with processes.beside(django_db_setup):
        yield


@pytest.fixture
def scene(transactional_db: None) -> Scene:
    scene = verbs.scene(MOVIE)
    switching.activate(MOVIE, scene.keys[0], actor=factory.EDITOR, comment="start", at=NOW)
    return scene


def race(scene: Scene, programs: dict[str, list[Call]]) -> dict[str, list[Told]]:
    """Run the programs at the same time, the first PROCESSES of them in processes; what each was told."""
    actors = list(programs)
    beside = {actor: Process(verbs.race, scene, actor, programs[actor]) for actor in actors[:PROCESSES]}
    started = threading.Barrier(THREADS + 1)

    def thread(actor: str) -> list[Told]:
        try:
            started.wait(processes.WATCHDOG_S)
            return verbs.race(scene, actor, programs[actor])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        threads = {actor: pool.submit(thread, actor) for actor in actors[PROCESSES:]}
        for process in beside.values():
            process.ready()
        for process in beside.values():
            process.go()
        started.wait(processes.WATCHDOG_S)
        heard: dict[str, list[Told]] = {actor: process.result() for actor, process in beside.items()}
        return heard | {actor: future.result() for actor, future in threads.items()}


def test_whatever_twelve_do_at_once_the_log_has_what_each_was_told(scene: Scene) -> None:
    actors = [f"racer-{number}" for number in range(PROCESSES + THREADS)]
    heard = race(scene, {actor: verbs.program(actor, SEED, 8) for actor in actors})
    log = assert_consistent(scene.movie)
    _each_turn_is_as_it_was_told(log, heard)
    assert len(log) > 2 * len(actors), "too little happened to prove anything"


def _each_turn_is_as_it_was_told(log: list[StreamSwitch], heard: dict[str, list[Told]]) -> None:
    """Whose verb returned a turn has it in the log, once, with their name and words, and has no other."""
    by_key = {row.pk: row for row in log}
    returned = [(actor, told) for actor, answers in heard.items() for told in answers if told.turn]
    for actor, told in returned:
        key, attempt = told.turn
        row = by_key[key]
        assert row.attempt == attempt
        if told.call.verb != "fail canary":  # Marquee's own word
            assert (row.actor_name, row.actor_id, row.comment) == (actor, actor, told.call.comment)
    assert max(Counter(told.turn for _, told in returned).values()) == 1
    spoken = {row.comment for row in log if row.actor_name in heard}
    assert spoken == {told.call.comment for _, told in returned if told.call.verb != "fail canary"}
    assert sum(row.actor_name in heard for row in log) == len(spoken)


@pytest.mark.parametrize("round_", range(3))
def test_of_editors_who_saw_the_same_turn_one_wins(scene: Scene, round_: int) -> None:
    """Each asks for something else, so that a second winner would show."""
    calls = {
        f"editor-{number}": [Call("exactly", number, f"editor-{number}", NOW)]
        for number in range(PROCESSES + THREADS)
    }
    heard = race(scene, calls)
    answers = [answer for answers in heard.values() for answer in answers]
    winners = [answer for answer in answers if answer.turn]
    assert len(winners) == 1
    assert {answer.refused for answer in answers if not answer.turn} == {StaleSeq.code}
    log = assert_consistent(scene.movie)
    assert [row.comment for row in log] == ["start", winners[0].call.comment]
