"""Reading an extended M3U playlist (docs/catalogue-format.md). What its entries say is not judged here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_LINE_CHARS = 10_000
_ENTRY = "#EXTINF:"
_HLS_TAG = "\n#EXT-X-"
_BLANK = "\ufeff \t\r\n"
_LINES = re.compile(r"[^\r\n]+")
_DURATION = re.compile(r"#EXTINF:[ \t]*-?[0-9.]+")
_ATTRIBUTE = re.compile(r'[ \t]+([A-Za-z0-9_-]+)="([^"]*)"')
_TITLE = re.compile(r"[ \t]*,(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: its attributes by name in lower case, the title behind the comma, and its URL."""

    attributes: Mapping[str, str]
    title: str
    url: str


def is_playlist(text: str) -> bool:
    """Whether the text says that it is an extended M3U playlist."""
    return text.lstrip(_BLANK).startswith("#EXTM3U")


def is_hls(text: str) -> bool:
    """Whether it is the playlist of a single stream (RFC 8216), and no list of films."""
    return _HLS_TAG in text


def entries(text: str) -> Iterator[Entry | None]:
    """The entries in order; None stands for one that cannot be read, or has no URL or no #EXTINF line."""
    head: str | None = None
    for line in (match[0].strip(_BLANK) for match in _LINES.finditer(text)):
        if line.startswith(_ENTRY):
            if head is not None:
                yield None
            head = line
        elif line and not line.startswith("#"):
            yield _entry(head or "", line)
            head = None
    if head is not None:
        yield None


def _entry(head: str, url: str) -> Entry | None:
    place = _DURATION.match(head) if len(head) <= MAX_LINE_CHARS else None
    attributes: dict[str, str] = {}
    while place and (attribute := _ATTRIBUTE.match(head, place.end())):
        attributes[attribute[1].lower()] = attribute[2]
        place = attribute
    title = _TITLE.fullmatch(head, place.end()) if place else None
    return None if title is None else Entry(attributes=attributes, title=title[1].strip(), url=url)
