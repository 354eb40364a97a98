"""How the demo answers a request: status, headers, body. It knows files, ranges and types, but no socket."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".mp4": "video/mp4",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; `headers` without Content-Length."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(status: int, body: Any, *, max_age: int | None = None) -> Reply:
    """`body` as JSON. `max_age` in seconds; None says that nobody should keep it."""
    keep = "no-store" if max_age is None else f"max-age={max_age}"
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": keep}
    return Reply(status, json.dumps(body, ensure_ascii=False).encode(), headers)


def picture(svg: str) -> Reply:
    """An SVG picture, kept by browsers for an hour; it may load and run nothing."""
    headers = {
        "Content-Type": TYPES[".svg"],
        "Cache-Control": "max-age=3600",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return Reply(200, svg.encode(), headers)


def page(text: str) -> Reply:
    """A web page where media should be: what a careless server says instead of 404."""
    return Reply(
        200, f"<!doctype html><title>{text}</title><h1>{text}</h1>".encode(), {"Content-Type": "text/html"}
    )


def media(path: Path, asked: str | None) -> Reply:
    """The file, or the range of it that the Range header `asked` for (RFC 9110 section 14.2)."""
    body = _bytes(path)
    headers = {"Content-Type": TYPES[path.suffix], "Accept-Ranges": "bytes", "Cache-Control": "no-cache"}
    wanted = parse_range(asked, len(body))
    if wanted is None:
        return Reply(200, body, headers)
    first, last = wanted
    if first > last:
        return Reply(416, b"", {**headers, "Content-Range": f"bytes */{len(body)}"})
    return Reply(
        206, body[first : last + 1], {**headers, "Content-Range": f"bytes {first}-{last}/{len(body)}"}
    )


def parse_range(asked: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte asked for; None: send the whole; first > last: it can't be satisfied.

    More than one range, and what is not a byte range, may be ignored (RFC 9110 section 14.2).
    """
    found = re.fullmatch(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", asked or "", re.ASCII)
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if int(last) else (size, -1)
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) if last else size - 1, size - 1)


@lru_cache(maxsize=256)
def _bytes(path: Path) -> bytes:
    return path.read_bytes()
