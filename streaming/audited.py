"""What a turn changed, as the audit says it: small, and no address of a stream. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core import audit
from core.audit import Action
from streaming.models import Movie, StreamSwitch
from streaming.quality import Quality

FACTS = ("locked_fields", *Movie.FACTS)
WORDS = ("hidden", "pinned", "target_quality", "removed_at")


@dataclass(slots=True)
class Told:
    """What whoever takes a turn says of it: the movie as it was, and the turn's row, if one was taken."""

    movie: Movie | None = None
    row: StreamSwitch | None = None


@contextmanager
def turn(action: Action, movie_id: int, why: str) -> Iterator[Told]:
    """Audit what somebody does to a movie within the block."""
    with audit.act(action, movie_id, why=why) as deed:
        told = Told()
        try:
            yield told
        finally:
            deed.name = str(told.movie or "")
            if told.movie is not None and told.row is not None:
                deed.changed(*sides(told.movie, told.row))


def sides(movie: Movie, row: StreamSwitch) -> tuple[dict[str, Any], dict[str, Any]]:
    """From what to what a turn led. Members that are the same on both sides are among them."""
    words = {name: getattr(movie, name) for name in WORDS}
    said = {name: row.effects["movie"][name] for name in WORDS if name in row.effects["movie"]}
    facts = {name: value for name, value in row.effects["movie"].items() if name in FACTS}
    before = {"stream": row.from_version, "quality": _label(row.from_quality), **_plain(words)}
    after = {"stream": row.to_version, "quality": _label(row.to_quality), **_plain({**words, **said})}
    before |= {name: getattr(movie, name) for name in facts}
    return before, {**after, **facts, **_kept_out(row), "turn": row.pk}


def _plain(words: dict[str, Any]) -> dict[str, Any]:
    return {
        "hidden": words["hidden"],
        "pinned": words["pinned"],
        "target_quality": _label(words["target_quality"]),
        "withdrawn": words["removed_at"] is not None,
    }


def _kept_out(row: StreamSwitch) -> dict[str, Any]:
    """The versions that may not be chosen from now on, and until when."""
    versions = row.effects.get("versions", {}).items()
    kept = {
        key: columns.get("suppressed_until") or "for good"
        for key, columns in versions
        if columns.get("suppressed_at")
    }
    cleared = [
        key for key, columns in versions if "suppressed_at" in columns and not columns["suppressed_at"]
    ]
    free = [key for key in cleared if key != str(row.to_version)]
    return {**({"kept_out": kept} if kept else {}), **({"may_be_chosen": free} if free else {})}


def _label(value: int | None) -> str | None:
    return None if value is None else Quality(value).label
