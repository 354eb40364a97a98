"""Tiny real media, and a web server for it that honours Range: what probes are tested against."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from providers.http import GuardedSession
from providers.probe import probe
from providers.types import Delivery, ProbeResult
from tests.providers.origin import LocalServer

FOLDER = Path(__file__).parent / "fixtures" / "media"
MEDIA = tuple(sorted(path.name for path in FOLDER.iterdir() if path.suffix in {".mp4", ".ts", ".webm"}))


def media(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def fragments(name: str) -> tuple[bytes, bytes]:
    """A fragmented MP4 as its init section and the rest."""
    whole = media(name)
    start = whole.index(b"moof") - 4
    return whole[:start], whole[start:]


def pad_before_moov(name: str, size: int) -> bytes:
    """A `moov`-last file whose media is `size` bytes larger, so that a reader must jump to its header."""
    whole = media(name)
    at = whole.index(b"mdat") - 4
    length = int.from_bytes(whole[at : at + 4], "big")
    grown = (length + size).to_bytes(4, "big") + whole[at + 4 : at + length] + bytes(size)
    return whole[:at] + grown + whole[at + length :]


@dataclass
class Page:
    body: bytes = b""
    kind: str = "application/octet-stream"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True


class MediaOrigin(LocalServer):
    """Serves pages by path; `asked` holds path and Range of every request, `connections` who asked."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[str, Page] = {}
        self.asked: list[tuple[str, str]] = []
        self.connections: set[tuple[str, int]] = set()

    def put(self, path: str, body: bytes | str, **page: Any) -> str:
        """Serve `body` at `path`, and return its URL."""
        self.pages[path] = Page(body.encode() if isinstance(body, str) else body, **page)
        return self.url + path

    def probe(self, path: str, delivery: Delivery, **options: Any) -> ProbeResult:
        """Probe a path through the real session."""
        with GuardedSession(provider="test", trusted_origins=[self.url], max_retries=0) as session:
            return probe(self.url + path, delivery, session, **options)

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range", "")
        self.asked.append((handler.path, asked))
        self.connections.add(handler.client_address)
        page = self.pages.get(handler.path, Page(b"not here", "text/plain", 404))
        status, body, headers = page.status, page.body, dict(page.headers)
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", asked)
        if span and page.ranges and status == 200:
            first, last = int(span[1]), min(int(span[2]), len(body) - 1)
            status = 206 if first < len(body) else 416
            headers["Content-Range"] = (
                f"bytes {first}-{last}/{len(body)}" if status == 206 else f"bytes */{len(body)}"
            )
            body = body[first : last + 1] if status == 206 else b""
        handler.send_response(status)
        for name, value in {"Content-Type": page.kind, "Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        with suppress(OSError):  # a probe hangs up when it has read enough
            handler.wfile.write(body)
