"""What a movie's page in the admin shows: its streams as the policy sees them, its log. It only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from streaming import switching
from streaming.admin import words
from streaming.admin.versions import TONES
from streaming.errors import SwitchError
from streaming.models import StreamSwitch, StreamVersion
from streaming.standing import Standing

TURNS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Row:
    """A stream version, best first, with the policy's verdict of this moment."""

    version: StreamVersion
    active: bool
    tone: str
    verdict: words.Line


@dataclass(frozen=True, slots=True)
class Turn:
    """A switch with its decision in words."""

    switch: StreamSwitch
    what: str
    was: StreamVersion | None
    became: StreamVersion | None
    lines: list[words.Line]
    effects: list[str]


def context(seen: Standing) -> dict[str, Any]:
    """Everything that the template needs of one movie."""
    by_key = {str(key): version for key, version in seen.versions.items()}
    decision = seen.decide()
    turns = StreamSwitch.objects.of(seen.movie.pk).filter(seq__lte=seen.movie.switch_seq)[:TURNS_SHOWN]
    return {
        "movie": seen.movie,
        "active": seen.active,
        "rows": [_row(line, seen) for line in words.lines(decision.as_json(), by_key) if line.version],
        "turns": [_turn(switch, by_key) for switch in turns],
        "rules": seen.rules(),
        **_rollback(seen),
    }


def _rollback(seen: Standing) -> dict[str, Any]:
    """Whether a rollback is possible now, and where it leads; else why not."""
    try:
        return {"rollback": switching.rollback_target(seen.movie.pk, at=seen.at).version}
    except SwitchError as error:
        return {"rollback": None, "no_rollback": str(error)}


def _row(line: words.Line, seen: Standing) -> Row:
    assert line.version is not None
    version = line.version
    return Row(version, version.pk == seen.movie.active_stream_id, TONES.get(version.state, ""), line)


def _turn(switch: StreamSwitch, versions: dict[str, StreamVersion]) -> Turn:
    return Turn(
        switch=switch,
        what=words.SWITCHES[StreamSwitch.Reason(switch.reason)],
        was=versions.get(str(switch.from_version)),
        became=versions.get(str(switch.to_version)),
        lines=words.lines(switch.decision, versions),
        effects=list(_effects(switch)),
    )


def _effects(switch: StreamSwitch) -> list[str]:
    """What a turn did beside the pointer, in words."""
    told = []
    for columns in switch.effects.get("versions", {}).values():
        if columns.get("suppressed_at"):
            until = columns.get("suppressed_until")
            told.append(
                f"A stream is kept out {'until ' + until[:16].replace('T', ' ') if until else 'for good'}."
            )
    if switch.undoes:
        told.append(f"It undid turn {switch.undoes}.")
    return told
