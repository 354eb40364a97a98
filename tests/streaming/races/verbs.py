"""Everything that can be done to one movie, as calls that a program may choose among; and who remembers."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from providers.types import ProbeOutcome, ProbeResult
from streaming import switching, verification
from streaming.errors import SwitchError
from streaming.models import StreamSwitch
from streaming.quality import Quality
from streaming.switching import Actor
from tests.streaming import factory
from tests.streaming.factory import NOW

LADDER = (Quality.P720, Quality.P1080, Quality.P1440, Quality.P2160)


@dataclass(frozen=True)
class Scene:
    """One movie and the keys of its versions."""

    movie: int
    keys: tuple[uuid.UUID, ...]


class Call(NamedTuple):
    """One thing to do: `number` stands for whatever the verb has to choose."""

    verb: str
    number: int
    comment: str
    at: datetime


class Told(NamedTuple):
    """What came of a call: the turn that it returned, by key and attempt, or the refusal's code."""

    call: Call
    turn: tuple[str, uuid.UUID] | None
    refused: str


def scene(movie_id: int, rungs: tuple[Quality, ...] = LADDER) -> Scene:
    """A movie with a version of each quality, none of which is active yet."""
    movie = factory.movie(movie_id)
    return Scene(movie_id, tuple(factory.version(movie, f"v{rung.label}", rung) for rung in rungs))


def told(scene: Scene, call: Call, actor: str) -> Told:
    """Do it, and remember what was answered."""
    try:
        row = VERBS[call.verb](scene, call, Actor(actor, actor))
    except SwitchError as error:
        return Told(call, None, error.code)
    turn = (row.pk, row.attempt) if isinstance(row, StreamSwitch) else None
    return Told(call, turn, "")


def program(actor: str, seed: int, length: int) -> list[Call]:
    """What one racer does, in turn; the same for the same seed."""
    choose = random.Random(f"{actor}-{seed}")
    return [
        Call(
            choose.choice(LIVELY),
            choose.randrange(1000),
            f"{actor}.{number}",
            NOW + timedelta(minutes=3 * number),
        )
        for number in range(length)
    ]


def race(scene: Scene, actor: str, calls: list[Call]) -> list[Told]:
    """One racer's whole race."""
    return [told(scene, call, actor) for call in calls]


def _key(scene: Scene, call: Call) -> uuid.UUID:
    return scene.keys[call.number % len(scene.keys)]


def _word(call: Call, actor: Actor) -> dict[str, Any]:
    return {"actor": actor, "comment": call.comment, "at": call.at}


def _activate(scene: Scene, call: Call, actor: Actor) -> Any:
    how = {"pin": call.number % 3 == 0, "suppress_current": call.number % 5 == 0}
    return switching.activate(scene.movie, _key(scene, call), **_word(call, actor), **how)


def _rollback(scene: Scene, call: Call, actor: Actor) -> Any:
    kind = ("forever", "none", "until")[call.number % 3]
    until = call.at + timedelta(hours=1) if kind == "until" else None
    return switching.rollback(scene.movie, **_word(call, actor), suppress=kind, until=until)


def _edit(scene: Scene, call: Call, actor: Actor, **columns: Any) -> Any:
    return switching.edit(scene.movie, **_word(call, actor), **columns)


def _exactly(scene: Scene, call: Call, actor: Actor) -> Any:
    """By one who saw the first turn and nothing after it."""
    number, word = call.number, {**_word(call, actor), "if_seq": 1}
    if number % 2:
        return switching.activate(scene.movie, scene.keys[1 + number % 3], **word, pin=number % 4 == 1)
    return switching.edit(scene.movie, **word, hidden=True, target_quality=LADDER[number % 4])


def _suppress(scene: Scene, call: Call, actor: Actor) -> Any:
    until = call.at + timedelta(hours=1) if call.number % 2 else None
    return switching.suppress(_key(scene, call), **_word(call, actor), until=until)


def _record(scene: Scene, call: Call, outcome: ProbeOutcome, **moved_to: Any) -> Any:
    rung = LADDER[call.number % 3]
    width, height = {Quality.P720: (1280, 720), Quality.P1080: (1920, 1080)}.get(rung, (2560, 1440))
    result = ProbeResult(outcome=outcome, evidence="", width=width, height=height)
    return verification.record(_key(scene, call), result, at=call.at, moved_to=moved_to)


def _credit(scene: Scene, call: Call, actor: Actor) -> Any:
    """The provider names somebody else: news of the active stream, a plain fact of any other."""
    return switching.observe(_key(scene, call), columns={"attribution": f"by {call.number}"}, at=call.at)


def _moved(scene: Scene, call: Call, actor: Actor) -> Any:
    return _record(scene, call, ProbeOutcome.OK, url=f"https://moved.example/{call.number}.m3u8")


VERBS: dict[str, Callable[[Scene, Call, Actor], Any]] = {
    "reconsider": lambda on, call, who: switching.reconsider(on.movie, **_word(call, who)),
    "enforce": lambda on, call, who: switching.reconsider(on.movie, **_word(call, who), enforce=True),
    "activate": _activate,
    "rollback": _rollback,
    "pin": lambda on, call, who: _edit(on, call, who, pinned=bool(call.number % 2)),
    "hide": lambda on, call, who: _edit(on, call, who, hidden=bool(call.number % 2)),
    "aim": lambda on, call, who: _edit(on, call, who, target_quality=LADDER[call.number % len(LADDER)]),
    "suppress": _suppress,
    "release": lambda on, call, who: switching.unsuppress(_key(on, call), **_word(call, who)),
    "measure": lambda on, call, who: _record(on, call, ProbeOutcome.OK),
    "strike": lambda on, call, who: _record(on, call, ProbeOutcome.DEAD),
    "moved": _moved,
    "credit": _credit,
    "fail canary": lambda on, call, who: switching.fail_canary(_key(on, call), at=call.at),
    "pass canary": lambda on, call, who: switching.pass_canary(_key(on, call)),
    "withdraw": lambda on, call, who: switching.withdraw(on.movie, **_word(call, who)),
    "restore": lambda on, call, who: switching.restore(on.movie, **_word(call, who)),
    "exactly": _exactly,
}
ANY = sorted(set(VERBS) - {"exactly"})
LIVELY = ANY + 3 * ["activate", "reconsider", "restore"]
"""So that a movie is not withdrawn for most of a race."""
