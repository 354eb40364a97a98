"""The recorded answers of one adapter, as tests/providers/answers/README.md describes them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from providers.types import MovieRef

FOLDER = Path(__file__).parents[1] / "answers"
SITUATIONS = ("normal", "empty", "malformed", "401", "403", "404", "429", "429_retry_after", "500")
OPTIONAL = ("renewed",)
_PARTS = {"source", "config", "movie", "candidates", *SITUATIONS, *OPTIONAL}
_SOURCE = re.compile(r"https://[^\s/]+\.[^\s]+|docs/[a-z0-9-]+\.md(#[a-z0-9-]+)?")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of a provider: whole, or as the network or a bad day of theirs makes it."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    how: str = "whole"
    """`whole`, `huge`, `slow`, `cut` or `echo` (the request itself, in place of the body)."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One file of answers, as it stands when its provider is at `origin`."""

    name: str
    source: str
    config: Mapping[str, object]
    movie: MovieRef
    candidates: tuple[Mapping[str, object], ...]
    situations: Mapping[str, tuple[Answer, ...]]


def files_of(slug: str, folder: Path = FOLDER) -> list[Path]:
    """The files of an adapter: its own, and one for each further variant of its settings."""
    return sorted(folder.glob(f"{slug}.toml")) + sorted(folder.glob(f"{slug}.*.toml"))


def read(path: Path, *, origin: str) -> Recorded:
    """Raises ValueError, naming the file, for one that is not complete."""
    found = tomllib.loads(path.read_text().replace("{origin}", origin))
    for problem in _problems(found):
        raise ValueError(f"{path.name}: {problem}; see answers/README.md")
    return Recorded(
        name=path.name.removesuffix(".toml"),
        source=found["source"],
        config=found.get("config", {}),
        movie=MovieRef(**found["movie"]),
        candidates=tuple(found["candidates"]),
        situations={
            name: tuple(_answer(row) for row in found[name])
            for name in (*SITUATIONS, *OPTIONAL)
            if name in found
        },
    )


def _problems(found: Mapping[str, Any]) -> Iterator[str]:
    if unknown := sorted(set(found) - _PARTS):
        yield f"there is no situation {unknown[0]!r}"
    if not _SOURCE.fullmatch(str(found.get("source", ""))):
        yield "`source` has to name the provider's documentation, a URL or a page of docs/"
    for name in ("movie", "candidates", *SITUATIONS):
        if not found.get(name):
            yield f"{name!r} is not recorded"


def _answer(row: Mapping[str, Any]) -> Answer:
    return Answer(**{**row, "body": str(row.get("body", "")).encode()})
