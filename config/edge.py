"""The outermost layers of the web process: they see all that comes and goes, event streams included.

Each is a plain ASGI layer and holds no state. None of them decides who may do what.
"""

from __future__ import annotations

from collections.abc import Sequence

from core import addresses
from streaming.live.http import ASGIApp, Receive, Scope, Send, headers


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


def _scheme(scope: Scope) -> str:
    """Of X-Forwarded-Proto one plain word counts: of several, who wrote which cannot be told."""
    said = [value.strip().lower() for value in headers(scope, b"x-forwarded-proto")]
    return "https" if said == [b"https"] else "http" if said == [b"http"] else str(scope["scheme"])
