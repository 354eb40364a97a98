"""Reading an extended M3U playlist (docs/catalogue-format.md). What its entries say is not judged here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MAX_LINE_CHARS = 10_000
_ENTRY = "#EXTINF:"
_HLS_TAG = "#EXT-X-"
_ATTRIBUTE = r"""[ \t]+([A-Za-z0-9_-]+)="([^"]*)\""""
_EXTINF = re.compile(rf"#EXTINF:[ \t]*-?[0-9.]+((?:{_ATTRIBUTE})*)[ \t]*,(.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: its attributes by name in lower case, the title behind the comma, and its URL."""

    attributes: Mapping[str, str]
    title: str
    url: str


def is_playlist(text: str) -> bool:
    """Whether the text says that it is an extended M3U playlist."""
    return text.lstrip("\ufeff \t\r\n").startswith("#EXTM3U")


def is_hls(text: str) -> bool:
    """Whether it is the playlist of a single stream (RFC 8216), and no list of films."""
    return any(line.startswith(_HLS_TAG) for line in text.splitlines())


def entries(text: str) -> Iterator[Entry | None]:
    """The entries in order; None stands for one that cannot be read, or has no URL or no #EXTINF line."""
    head: str | None = None
    for line in (line.strip() for line in text.split("\n")):
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
    match = _EXTINF.fullmatch(head) if len(head) <= MAX_LINE_CHARS else None
    if match is None:
        return None
    attributes = {name.lower(): value for name, value in re.findall(_ATTRIBUTE, match[1])}
    return Entry(attributes=attributes, title=match[4].strip(), url=url)
