"""The levels of a DASH manifest: what a Period hands down to AdaptationSets, and they to Representations.

Pure. Attributes, base address and segment information are inherited, the innermost word counting (ISO/IEC
23009-1 sections 5.3.9.1 and 5.6).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from providers.probe.protection import CLEAR, Protection

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_ADDRESS: Final = 4096
"""Characters of an address, and of what a template makes: a short manifest must not fill the memory."""
TRICK_MODE: Final = "http://dashif.org/guidelines/trickmode"
_SEGMENT_TAGS: Final = ("SegmentTemplate", "SegmentList", "SegmentBase")
_INHERITED: Final = ("id", "width", "height", "bandwidth", "codecs", "mimeType", "contentType")
_OF_TEMPLATES: Final = (
    "media",
    "initialization",
    "startNumber",
    "timescale",
    "duration",
    "presentationTimeOffset",
)
MP4_PROTECTION: Final = "urn:mpeg:dash:mp4protection:2011"
"""The scheme whose value is how it is encrypted (`cenc`, `cbcs`); others name systems."""


class Unusable(ValueError):
    """A manifest that offers nothing to play; the message says what is missing."""


class Unclear(ValueError):
    """A manifest that may well be played, but says too little to a probe; the message says of what."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a Representation inherits: attributes, base address, and its segment element's attributes."""

    base: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    parts: Mapping[str, list[Element]] = field(default_factory=dict)
    protection: Protection = CLEAR
    trick: bool = False

    def enter(self, element: Element) -> Level:
        """The level of a Period, AdaptationSet or Representation inside this one."""
        base = next((child.text or "" for child in children(element, "BaseURL")), "")
        found = next(((tag, one) for tag in _SEGMENT_TAGS for one in children(element, tag)), None)
        schemes = (child.get("schemeIdUri") for child in children(element, "EssentialProperty"))
        return Level(
            base=join_address(self.base, base.strip()) if base.strip() else self.base,
            attributes={**self.attributes, **_some(element, _INHERITED)},
            segments={**self.segments, **(_some(found[1], _OF_TEMPLATES) if found else {})},
            kind=found[0] if found else self.kind,
            parts={**self.parts, **(_by_name(found[1]) if found else {})},
            protection=_protected(self.protection, element),
            trick=self.trick or TRICK_MODE in schemes,
        )

    def number(self, name: str) -> int:
        return whole_number(self.attributes.get(name))


def _protected(protection: Protection, element: Element) -> Protection:
    for child in children(element, "ContentProtection"):
        scheme = child.get("schemeIdUri", "")
        told = child.get("value", "") if scheme == MP4_PROTECTION else ""
        method = told[:40] or protection.method or "ContentProtection"
        protection = replace(protection.for_system(scheme), method=method)
    return protection


def whole_number(text: str | None, *, default: int = 0) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,20}", text) else default


def local_name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def children(element: Element, tag: str) -> Iterator[Element]:
    """Children by local name: manifests in the wild get the namespace wrong."""
    return (child for child in element if local_name(child) == tag)


def _some(element: Element, names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name in names if (value := element.get(name)) is not None}


def _by_name(element: Element) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for child in element:
        found.setdefault(local_name(child), []).append(child)
    return found


def join_address(base: str, address: str) -> str:
    try:
        return bounded(urljoin(base, address[: MAX_ADDRESS + 1]))
    except ValueError as error:
        if isinstance(error, Unclear):
            raise
        raise Unusable(
            f"the manifest names what is no address: {address.partition('?')[0][:80]!r}"
        ) from error


def bounded(address: str) -> str:
    if len(address) > MAX_ADDRESS:
        raise Unclear(f"the manifest makes an address of more than {MAX_ADDRESS} characters")
    return address
