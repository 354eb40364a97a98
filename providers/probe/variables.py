"""Variables of an HLS playlist: EXT-X-DEFINE and `{$name}` (draft-pantos-hls-rfc8216bis section 4.4.2.3).

Pure. What they make is bounded: a short playlist must not become gigabytes of text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

MAX_TEXT: Final = 1_000_000
_DEFINE = re.compile(r"^#EXT-X-DEFINE:([^\r\n]*)", re.MULTILINE)
_TOLD = re.compile(r'(?:^|,)[ \t]*(NAME|VALUE|IMPORT|QUERYPARAM)="([^"]*)"')
_REFERENCE = re.compile(r"\{\$([A-Za-z0-9_-]{1,100})\}")


def substituted(text: str, url: str, inherited: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """The text with its variables filled in, and these; without a definition nothing is a reference.

    Raises ValueError for a variable that nothing defines, and for a text that grows beyond reason.
    """
    values: dict[str, str] = {}
    for definition in _DEFINE.finditer(text):
        name, value = _defined(dict(_TOLD.findall(definition[1])), url, inherited)
        values[name] = value
    return (_filled(text, values) if values else text), values


def _defined(told: Mapping[str, str], url: str, inherited: Mapping[str, str]) -> tuple[str, str]:
    if name := told.get("NAME"):
        return name, told.get("VALUE", "")
    if name := told.get("IMPORT"):
        return name, _known(inherited, name)
    name = told.get("QUERYPARAM", "")
    return name, _known(dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)), name)


def _known(values: Mapping[str, str], name: str) -> str:
    if name not in values:
        raise ValueError(f"nothing defines the variable {name[:40]!r}")
    return values[name]


def _filled(text: str, values: Mapping[str, str]) -> str:
    room = MAX_TEXT - len(text)

    def value(reference: re.Match[str]) -> str:
        nonlocal room
        found = _known(values, reference[1])
        room -= len(found)
        if room < 0:
            raise ValueError(f"its variables make more than {MAX_TEXT // 1000} kB of it")
        return found

    return _REFERENCE.sub(value, text)
