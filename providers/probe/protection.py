"""How media is encrypted, in words: by which method, and for which systems of digital rights management.

Pure. Encryption never speaks against a stream; it only limits what can be measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

SYSTEMS: Final = {
    "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed": "Widevine",
    "9a04f079-9840-4286-ab92-e65be0885f95": "PlayReady",
    "94ce86fb-07ff-4f43-adb8-93d2fa968ca2": "FairPlay",
    "e2719d58-a985-b3c9-781a-b030af78d30e": "ClearKey",
    "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b": "ClearKey",
    "com.apple.streamingkeydelivery": "FairPlay",
    "com.microsoft.playready": "PlayReady",
    "com.widevine": "Widevine",
}
"""By KEYFORMAT or UUID (https://dashif.org/identifiers/content_protection/)."""


@dataclass(frozen=True, slots=True)
class Protection:
    """`method` is "" for what is in the clear."""

    method: str = ""
    systems: frozenset[str] = frozenset()

    def and_key(self, method: str, key_format: str) -> Protection:
        """With another EXT-X-KEY: several may hold at once, one for each system; NONE ends them all."""
        if method == "NONE":
            return CLEAR
        return replace(self.for_system(key_format), method=method[:40])

    def for_system(self, name: str) -> Protection:
        """For one more system, by its UUID (with or without `urn:uuid:`) or KEYFORMAT, if it is known."""
        known = SYSTEMS.get(name.lower().removeprefix("urn:uuid:"))
        return replace(self, systems=self.systems | {known}) if known else self

    @property
    def opaque(self) -> bool:
        """Whole segments are encrypted, headers and all: there is nothing to read."""
        return self.method == "AES-128"

    def __str__(self) -> str:
        return ", ".join([self.method, *sorted(self.systems)]) if self.method else ""


CLEAR: Final = Protection()
