"""What all probes do with a file they have found: measure it, and say how the size was come by."""

from __future__ import annotations

from urllib.parse import urljoin

from providers.probe.measure import NotMedia, measure, what_else
from providers.probe.media import MAX_SIDE, UNKNOWN, Media, Part
from providers.probe.reader import Reader, RemoteFile, Verdict
from providers.types import ProbeOutcome

Size = tuple[int, int]

TASTE = 1024
"""Bytes of a segment that only has to be there and be no web page: its picture is known already."""


def measure_stream(
    reader: Reader, init: Part | None, segment: Part | None, *, base: str = "", opaque: bool = False
) -> tuple[Media, int | None]:
    """Measure the init section, else the segment, which has to be there all the same; and the segment's size.

    `opaque` ones are encrypted as a whole: nothing in them is what it looks like. Raises Verdict when one of
    them is gone, or is no media.
    """
    if opaque:
        return UNKNOWN, require_media(reader, segment or init, base=base)
    media = measure_or_dead(_remote(reader, init, base), "the init section") if init else UNKNOWN
    if segment is None or (init and init.url == segment.url):
        return media, segment.length if segment else None
    if media.measured:
        return media, require_media(reader, segment, base=base)
    file = _remote(reader, segment, base)
    return measure_or_dead(file, "the segment"), file.size


def require_media(reader: Reader, part: Part | None, *, base: str = "") -> int | None:
    """The size of a file that has to be there and be no web page. Raises Verdict when it is not."""
    if part is None:
        return None
    file = _remote(reader, part, base)
    file.block = TASTE
    if what := what_else(file.read(0, TASTE)):
        raise Verdict(ProbeOutcome.DEAD, f"the segment is {what}, not media")
    return file.size


def _remote(reader: Reader, part: Part, base: str) -> RemoteFile:
    return RemoteFile(reader, join(base, part.url), part.start, part.length)


def measure_or_dead(file: RemoteFile, name: str) -> Media:
    """`measure`, where content that is no media at all ends the probe."""
    try:
        return measure(file)
    except NotMedia as error:
        raise Verdict(ProbeOutcome.DEAD, f"{name} is {error}, not video") from error


def size_found(media: Media, claimed: Size, *, encryption: str) -> tuple[Size, str]:
    """The measured size, else the manifest's claim, and a clause that says which. Verdict for sound alone."""
    claim = f"{claimed[0]}x{claimed[1]}" if all(0 < side <= MAX_SIDE for side in claimed) else ""
    if media.measured:
        size = media.width, media.height
        found = f"measured {media.width}x{media.height} in {media.container}"
        found += f", encrypted ({encryption})" if encryption else ""
        return size, f"{found}, claimed {claim}" if claim and size != claimed else found
    if media.has_video is False:
        raise Verdict(ProbeOutcome.DEAD, f"the media ({media.container}) has no video")
    why = f"encrypted ({encryption})" if encryption else "of a form that cannot be measured"
    source = f"{claim} is the manifest's claim" if claim else "no size is claimed"
    return (claimed if claim else (0, 0)), f"the media answers but is {why}; {source}"


def bounded(number: float) -> int:
    """A whole number that fits a 32-bit column: nonsense from outside stays small."""
    return int(min(max(number, 0), 2**31 - 1))


def join(base: str, uri: str) -> str:
    """An address named by a manifest. Raises Verdict when it is none."""
    try:
        return urljoin(base, uri)
    except ValueError as error:
        raise Verdict(
            ProbeOutcome.DEAD, f"the manifest names what is no address: {uri.partition('?')[0][:80]!r}"
        ) from error
