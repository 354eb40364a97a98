"""`/healthz` and `/readyz`, ahead of the threads that serve the rest: nothing that hangs may hold them up."""

from __future__ import annotations

from streaming.live import http
from streaming.live.http import ASGIApp, Receive, Scope, Send

ALIVE = b'{"status":"ok"}'


class Probes:
    """The first is answered on the event loop. The second goes to `ready`, everything else to `rest`."""

    def __init__(self, rest: ASGIApp, *, ready: ASGIApp) -> None:
        self.rest, self.ready = rest, ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope["path"]).rstrip("/") if scope["type"] == "http" else ""
        if path == "/healthz" and scope["method"] in ("GET", "HEAD"):
            head = {"content-type": "application/json", "content-length": str(len(ALIVE))}
            await http.start(send, 200, head)
            await http.body(send, ALIVE if scope["method"] == "GET" else b"")
        elif path == "/readyz":
            await self.ready(scope, receive, send)
        else:
            await self.rest(scope, receive, send)
