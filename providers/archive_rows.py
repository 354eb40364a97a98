"""Reading the Internet Archive's JSON: items of a search, and the metadata and files of one.

Pure. Sources: https://archive.org/developers/md-record.html and https://archive.org/developers/metadata-schema/.
Its values are texts, numbers or lists of texts, as uploaders wrote them; nothing here trusts their form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from providers import titles
from providers.rows import Row
from providers.types import MovieRef, Rights

YEARS_APART: Final = 1
RUNTIME_RATIO: Final = (0.75, 1.35)  # silent films run at several speeds; a trailer or half a film is neither
ROUNDING_S: Final = 60
CREATORS: Final = 350
"""Characters of whole names: with the address of the item they have to fit what is stored."""
IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_PLAYABLE: Final = (".mp4", ".m4v", ".webm")
_FORMATS: Final = re.compile(r"(?:h\.264|mpeg4|webm)\b|.* mpeg4", re.IGNORECASE)
"""What it calls MP4 and WebM. Browsers play neither Ogg Theora nor masters (MPEG-2, Matroska, AVI)."""
_NOT_THE_FILM: Final = {
    *("trailer", "teaser", "sample", "preview"),
    *("clip", "excerpt", "commentary", "featurette"),
}
_LICENCE: Final = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)"
    r"/(by(?:-[a-z]{2})*|publicdomain|zero|mark)(?:/([0-9]\.[0-9]))?(?:/[A-Za-z./-]*)?",
    re.IGNORECASE,
)
_PUBLIC_DOMAIN: Final = {"publicdomain": "Public domain", "mark": "Public Domain Mark", "zero": "CC0"}


class Licence(NamedTuple):
    """A licence of Creative Commons: its short name with the version, and its terms ("by", "nc", ...)."""

    name: str
    terms: frozenset[str]


def told(row: Row, name: str) -> str:
    """A field's text in one line, the first one of several; "" for none."""
    return next(iter(_all_told(row, name)), "")


def _all_told(row: Row, name: str) -> list[str]:
    value = row.get(name)
    values = value if isinstance(value, list) else [value]
    words = (str(value).split() for value in values if isinstance(value, str | int | float))
    lines = (" ".join(parts).encode(errors="replace").decode() for parts in words)
    return [line for line in lines if line]


def is_true(row: Row, name: str) -> bool:
    return told(row, name).lower() == "true"


def is_of(item: Row, movie: MovieRef) -> bool:
    """Whether title and year are the film's. A year in the title counts more than the one beside it."""
    title, year = titles.split_year(told(item, "title"))
    beside = (told(item, "year") or told(item, "date"))[:4]
    year = year or (int(beside) if re.fullmatch("[0-9]{4}", beside) else None)
    near = year is not None and movie.year is not None and abs(year - movie.year) <= YEARS_APART
    return near and titles.is_titled(movie, title)


def licence_of(item: Row) -> Licence | None:
    """The licence that the uploader gave it, None if there is none, or none of Creative Commons."""
    match = _LICENCE.fullmatch(told(item, "licenseurl"))
    if match is None:
        return None
    kind, version = match[1].lower(), match[2] or ""
    if kind in _PUBLIC_DOMAIN:
        return Licence(f"{_PUBLIC_DOMAIN[kind]} {version}".strip(), frozenset())
    return Licence(f"CC {kind.upper()} {version}".strip(), frozenset(kind.split("-")))


def rights_of(item: Row, identifier: str) -> Rights:
    """Its licence, and whom and what it asks to name: the creators, and where it is from."""
    licence = licence_of(item)
    creators = ", ".join(_all_told(item, "creator"))
    if len(creators) > CREATORS:
        creators = f"{creators[:CREATORS].rpartition(', ')[0]}, …".lstrip(", ")
    source = f"archive.org/details/{identifier}"
    return Rights(
        licence=licence.name if licence else "",
        licence_url=re.sub("^http:", "https:", told(item, "licenseurl")),
        attribution=f"{creators} | {source}" if creators else source,
    )


def is_file(row: object) -> bool:
    """Whether it names a file, in a line that a URL can be made of."""
    return isinstance(row, dict) and bool(told(row, "name")) and row["name"] == told(row, "name")


def films_in(files: Sequence[dict[str, Any]], movie: MovieRef) -> Iterator[dict[str, Any]]:
    """The files that play and last as long as the film does, or as the item's longest where nobody knows."""
    playable = [file for file in files if _plays(file) and not _is_extra(file["name"], movie)]
    lengths = [_seconds(told(file, "length")) for file in playable]
    expected = 60 * movie.runtime_min if movie.runtime_min else max(lengths, default=0)
    shortest, longest = RUNTIME_RATIO[0] * expected - ROUNDING_S, RUNTIME_RATIO[1] * expected + ROUNDING_S
    for file, length in zip(playable, lengths, strict=True):
        if length and shortest <= length <= longest:
            yield file


def size(file: Row) -> str:
    """The picture as it is said to be, "1280x720"; "" when nobody has measured it."""
    return f"{told(file, 'width')}x{told(file, 'height')}" if pixels(file) else ""


def pixels(file: Row) -> int:
    sides = (told(file, "width"), told(file, "height"))
    width, height = (int(side) if re.fullmatch("[0-9]{1,5}", side) else 0 for side in sides)
    return width * height


def _plays(file: Row) -> bool:
    right = told(file, "name").lower().endswith(_PLAYABLE) and bool(_FORMATS.match(told(file, "format")))
    return right and not is_true(file, "private")


def _is_extra(name: str, movie: MovieRef) -> bool:
    return bool(_NOT_THE_FILM.intersection(titles.fold(name).split()) - set(titles.fold(movie.title).split()))


def _seconds(length: str) -> float:
    """Seconds of "596.5" or "0:09:56"; zero when nobody has measured it."""
    if not re.fullmatch(r"[0-9]{1,3}(:[0-5]?[0-9]){1,2}|[0-9]{1,7}(\.[0-9]+)?", length):
        return 0.0
    seconds = 0.0
    for part in length.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds
