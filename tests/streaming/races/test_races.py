"""Eight threads and four processes on one movie: nothing lost, nothing doubled, losers decide again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from ingestion.maintenance import LOOK_BACK
from streaming import switching
from streaming.errors import StaleSeq
from streaming.models import StreamSwitch
from tests.streaming import factory
from tests.streaming.factory import NOW
from tests.streaming.invariants import assert_consistent
from tests.streaming.races import moments, processes, verbs
from tests.streaming.races.processes import Process
from tests.streaming.races.verbs import Call, Scene, Told

THREADS, PROCESSES = 8, 4
SEED = 3
MOVIE = 7_000_001
ACTORS = [f"racer-{number}" for number in range(PROCESSES + THREADS)]


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
    beside = {
        actor: Process(verbs.race, scene, actor, programs[actor]) for actor in list(programs)[:PROCESSES]
    }
    heard = beside_threads(scene, programs, beside)
    return {actor: process.result() for actor, process in beside.items()} | heard


def beside_threads(
    scene: Scene, programs: dict[str, list[Call]], beside: dict[str, Process]
) -> dict[str, list[Told]]:
    """Let the processes go, and at the same time run all other programs in threads."""
    started = threading.Barrier(THREADS + 1)

    def thread(actor: str) -> list[Told]:
        try:
            started.wait(processes.WATCHDOG_S)
            return verbs.race(scene, actor, programs[actor])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        threads = {actor: pool.submit(thread, actor) for actor in programs if actor not in beside}
        for process in beside.values():
            process.ready()
        for process in beside.values():
            process.go()
        started.wait(processes.WATCHDOG_S)
        return {actor: future.result() for actor, future in threads.items()}


def test_whatever_twelve_do_at_once_the_log_has_what_each_was_told(scene: Scene) -> None:
    heard = race(scene, {actor: verbs.program(actor, SEED, 8) for actor in ACTORS})
    log = assert_consistent(scene.movie)
    _each_turn_is_as_it_was_told(log, heard)
    assert len(log) > len(ACTORS), "too little happened to prove anything"


def test_processes_that_die_in_the_midst_of_it_take_nothing_with_them(scene: Scene) -> None:
    programs = {actor: verbs.program(actor, SEED, 8) for actor in ACTORS}
    dying = {
        actor: Process(moments.exit_at, 2 * (number + 1), verbs.race, scene, actor, programs[actor])
        for number, actor in enumerate(ACTORS[:PROCESSES])
    }
    heard = beside_threads(scene, programs, dying)
    assert {process.ended() for process in dying.values()} == {moments.EXIT_CODE}
    switching.finish_pending(since=NOW - LOOK_BACK)
    _each_turn_is_as_it_was_told(assert_consistent(scene.movie), heard)


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


def test_of_editors_who_saw_the_same_turn_one_wins(scene: Scene) -> None:
    heard = race(scene, {who: [Call("exactly", number, who, NOW)] for number, who in enumerate(ACTORS)})
    answers = [answer for answers in heard.values() for answer in answers]
    winners = [answer for answer in answers if answer.turn]
    assert len(winners) == 1
    assert {answer.refused for answer in answers if not answer.turn} == {StaleSeq.code}
    log = assert_consistent(scene.movie)
    assert [row.comment for row in log] == ["start", winners[0].call.comment]
