"""The outermost layers of the web process: they see all that comes and goes, event streams included.

Each is a plain ASGI layer and holds no state. None of them decides who may do what.
"""

from __future__ import annotations

from collections.abc import Sequence

from csp.utils import build_policy
from django.conf import settings

from core import addresses
from streaming.live.http import ASGIApp, Message, Receive, Scope, Send, headers, problem

CLOSED_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For what is no page: opened as a document of its own, it may do nothing."""
Lines = list[tuple[bytes, bytes]]


class Proxies:
    """Puts the caller in the place of the proxies that speak for it, and its scheme in the place of theirs.

    What an untrusted peer says of either is not read. Nor is `Forwarded` or `X-Real-IP`, from anybody.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[addresses.Network]) -> None:
        self.app, self.trusted = app, trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client") if scope["type"] == "http" else None
        if client and addresses.trusts(addresses.parse(client[0]), self.trusted):
            scope = {**scope, "client": (self._caller(client[0], scope), 0), "scheme": _scheme(scope)}
        await self.app(scope, receive, send)

    def _caller(self, peer: str, scope: Scope) -> str:
        hops = b",".join(headers(scope, b"x-forwarded-for")).decode("latin-1")
        return addresses.caller(peer, hops, self.trusted)


class OneHost:
    """Refuses a request that names no host, or several: who passes it on could take it for another's
    (RFC 9112, section 3.2). HTTP/1.0 need not name one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = len(headers(scope, b"host")) if scope["type"] == "http" else 1
        if named > 1 or (named == 0 and scope["http_version"] == "1.1"):
            await problem(send, 400, "A request names one host.", {"connection": "close"})
        else:
            await self.app(scope, receive, send)


class Headers:
    """Gives every answer what it lacks of the headers that all carry.

    Django sets some by itself, from the same settings; where it did, they stand. A page's policy is its own;
    whatever is no page gets the closed one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.shared = [(name.lower().encode(), value.encode()) for name, value in _shared().items()]
        # Django's debug pages have their styles inline.
        self.page_policy = b"" if settings.DEBUG else build_policy().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._completed(message["headers"], scope["scheme"])}
            await send(message)

        await self.app(scope, receive, complete if scope["type"] == "http" else send)

    def _completed(self, lines: Lines, scheme: str) -> Lines:
        wanted = [*self.shared, *_hsts(scheme)]
        if _is_page(lines):
            wanted += [(b"content-security-policy", self.page_policy)] if self.page_policy else []
        else:
            lines = [line for line in lines if line[0].lower() != b"content-security-policy"]
            wanted += [(b"content-security-policy", CLOSED_POLICY.encode())]
        there = {name.lower() for name, _ in lines}
        return [*lines, *(line for line in wanted if line[0] not in there)]


def _scheme(scope: Scope) -> str:
    """Of X-Forwarded-Proto one plain word counts: of several, who wrote which cannot be told."""
    said = [value.strip().lower() for value in headers(scope, b"x-forwarded-proto")]
    return "https" if said == [b"https"] else "http" if said == [b"http"] else str(scope["scheme"])


def _shared() -> dict[str, str]:
    return {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{name}={who}" for name, who in settings.PERMISSIONS_POLICY.items()),
    }


def _hsts(scheme: str) -> Lines:
    """Over plain HTTP it counts for nothing (RFC 6797, section 7.2)."""
    if scheme != "https" or not settings.SECURE_HSTS_SECONDS:
        return []
    return [(b"strict-transport-security", f"max-age={settings.SECURE_HSTS_SECONDS}".encode())]


def _is_page(lines: Lines) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in lines)
