"""The values that container parsers share: where bytes come from, and what they turned out to be.

Pure. A parser believes the codec's own header before the container's, and neither believes a manifest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

MAX_SIDE: Final = 16_384
"""Pixels. Above it a number is no side of a picture but damage, or a lie."""


MAX_SECONDS: Final = 1_000_000.0
"""Eleven days: above it a number is no length of a film."""


class Source(Protocol):
    """Random access to a file. `size` is None when unknown; `read` gives fewer bytes at the end."""

    @property
    def size(self) -> int | None: ...

    def read(self, offset: int, length: int) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Bytes:
    """A Source over bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + max(length, 0)]


class Part(NamedTuple):
    """A file that a manifest names, or `length` bytes of it from `start`."""

    url: str
    start: int = 0
    length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A container, and what it says. Zero and "" mean unknown; `has_video` None means not found out.

    `codecs` holds exact RFC 6381 strings or nothing: a player takes them at their word.
    """

    container: str
    width: int = 0
    height: int = 0
    codecs: str = ""
    duration_s: float = 0.0
    has_video: bool | None = None

    @property
    def measured(self) -> bool:
        return self.width > 0 and self.height > 0


UNKNOWN: Final = Media(container="")
