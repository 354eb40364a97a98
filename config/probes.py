"""`/healthz`, `/readyz` and `/metrics`, ahead of the threads that serve the rest: nothing that hangs may hold
them up."""

from __future__ import annotations

from collections.abc import Mapping

from streaming.live import http
from streaming.live.http import ASGIApp, Receive, Scope, Send

ALIVE = b'{"status":"ok"}'


class Probes:
    """The first is answered on the event loop. `apart` has the threads of others by path; `rest` the rest."""

    def __init__(self, rest: ASGIApp, *, apart: Mapping[str, ASGIApp]) -> None:
        self.rest, self.apart = rest, apart

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"]).rstrip("/") if scope["type"] == "http" else ""
        if path == "/healthz" and scope["method"] in ("GET", "HEAD"):
            head = {"content-type": "application/json", "content-length": str(len(ALIVE))}
            await http.start(send, 200, head)
            await http.body(send, ALIVE if scope["method"] == "GET" else b"")
        else:
            await self.apart.get(path, self.rest)(scope, receive, send)
