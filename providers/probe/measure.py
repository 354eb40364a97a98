"""From the first bytes of anything to what it is: a container with its picture, or no media at all.

Pure. The one place that knows which containers there are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Protocol

from providers.probe import mp4, ts, webm
from providers.probe.media import MAX_SECONDS, MAX_SIDE, UNKNOWN, Media, Source

TEXT_SAMPLE: Final = 512
_TEXT_CONTROLS = frozenset(b"\t\n\v\f\r\x1b")
_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
)


class Container(Protocol):
    """What the module of a container format offers."""

    def recognises(self, head: bytes) -> bool: ...

    def measure(self, source: Source) -> Media: ...


class NotMedia(ValueError):
    """The content is definitely no video; the message says what it is."""


def measure(source: Source) -> Media:
    """Measure a file, an init section or a segment. UNKNOWN for bytes of no container known here.

    Raises NotMedia for text, pages, images and nothing at all.
    """
    head = source.read(0, 1024)
    if what := what_else(head):
        raise NotMedia(what)
    containers: tuple[Container, ...] = (mp4, webm, ts)
    for container in containers:
        if container.recognises(head):
            return _sane(container.measure(source))
    return UNKNOWN


def _sane(media: Media) -> Media:
    """Without a size or duration that no film has: a header may hold any number."""
    if max(media.width, media.height) > MAX_SIDE:
        media = replace(media, width=0, height=0)
    return media if media.duration_s <= MAX_SECONDS else replace(media, duration_s=0.0)


def what_else(head: bytes) -> str:
    """What content that is no media is ("an HTML page"), or "" for what may be media."""
    if not head:
        return "nothing (an empty body)"
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if not _is_text(head[:TEXT_SAMPLE]):
        return ""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:15].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page"
    return "text"


def _is_text(sample: bytes) -> bool:
    if any(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in sample):
        return False
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end >= len(sample) and error.start >= len(sample) - 3  # a character that was cut
    return True
