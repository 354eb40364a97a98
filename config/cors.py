"""Which other origins' pages may read the API: those of CORS_ALLOWED_ORIGINS. One ASGI layer over all of it.

Django's answers and the event streams' have it from here. Cookies never count, only tokens do, and no answer
allows credentials. See https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from __future__ import annotations

from collections.abc import Collection

from streaming.live import http
from streaming.live.http import ASGIApp, Message, Receive, Scope, Send

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
REQUEST_HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, X-Request-ID"
EXPOSED = "ETag, Link, Location, Retry-After, X-Request-ID"
PREFLIGHT_KEPT_S = 7200
"""Browsers keep one no longer. What is asked then is answered by the list as it is then, all the same."""
Lines = list[tuple[bytes, bytes]]


class Cors:
    """Lets pages of `allowed` origins, as browsers write them, read what is under /api/."""

    def __init__(self, app: ASGIApp, allowed: Collection[str]) -> None:
        self.app = app
        self.allowed = frozenset(origin.encode() for origin in allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not str(scope["path"]).startswith("/api/"):
            await self.app(scope, receive, send)
            return
        origin = http.header(scope, b"origin")
        shared = _may_read(origin) if origin in self.allowed else []

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*_varying(message["headers"]), *shared]}
            await send(message)

        if not _is_preflight(scope, origin):
            await self.app(scope, receive, told)
        elif shared:
            await http.start(told, 204, _preflight())
            await http.body(told, b"")
        else:
            await http.problem(told, 403, "Pages of this origin may not use the API (CORS_ALLOWED_ORIGINS).")


def _is_preflight(scope: Scope, origin: bytes) -> bool:
    asked = http.header(scope, b"access-control-request-method")
    return bool(scope["method"] == "OPTIONS" and origin and asked)


def _preflight() -> dict[str, str]:
    return {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-max-age": str(PREFLIGHT_KEPT_S),
    }


def _may_read(origin: bytes) -> Lines:
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", EXPOSED.encode()),
    ]


def _varying(lines: Lines) -> Lines:
    """Also without an origin, and for one that may not read: a cache would hand the one to the other."""
    said = b", ".join(value for name, value in lines if name.lower() == b"vary")
    names = {name.strip().lower() for name in said.split(b",")}
    if names & {b"origin", b"*"}:
        return lines
    others = [line for line in lines if line[0].lower() != b"vary"]
    return [*others, (b"vary", b", ".join(filter(None, [said, b"Origin"])))]
