"""The ASGI application in front of Django: it answers `stream-events` itself and hands on everything else.

Bare ASGI on purpose: Django would give every open stream a thread of its own.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable
from types import FrameType

from streaming.live import http
from streaming.live.http import ASGIApp, Receive, Scope, Send
from streaming.live.hub import Hub
from streaming.live.room import Refused
from streaming.live.viewer import Viewer

KEEP_ALIVE_S = 15.0
KEEP_ALIVE = b": keep-alive\n\n"
RECONNECT_MS = (1000, 4000)
"""Clients that lose the server at the same moment come back spread over this span."""

STREAM_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
}


class LiveApp:
    """`fallback` is all the rest of the site."""

    def __init__(self, fallback: ASGIApp, hub: Hub) -> None:
        self.fallback = fallback
        self.hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http" and (movie_id := http.watched_movie(scope)) is not None:
            await self._stream_events(movie_id, scope, receive, send)
        else:
            await self.fallback(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self.hub.start()
        on_termination(self.hub.drain)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.hub.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _stream_events(self, movie_id: int, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        if not http.host_allowed(scope):
            await http.problem(send, 400, "This host name is not served here.")
        elif method == "OPTIONS":
            await http.start(send, 204, {"allow": http.ALLOWED_METHODS})
            await http.body(send, b"")
        elif method not in ("GET", "HEAD"):
            await http.problem(send, 405, f"Use {http.ALLOWED_METHODS}.", {"allow": http.ALLOWED_METHODS})
        else:
            await self._answer(movie_id, scope, receive, send)

    async def _answer(self, movie_id: int, scope: Scope, receive: Receive, send: Send) -> None:
        last_seq = http.last_turn_seen(scope, movie_id)
        try:
            async with self.hub.watch(
                movie_id, address=http.client_address(scope), last_seq=last_seq
            ) as viewer:
                await http.start(send, 200, STREAM_HEADERS)
                if scope["method"] == "GET":
                    await _pump(viewer, receive, send)
        except Refused as refused:
            again = {"retry-after": str(refused.retry_after_s)} if refused.retry_after_s else {}
            await http.problem(send, refused.status, refused.detail, again)
            return
        await http.body(send, b"")


async def _pump(viewer: Viewer, receive: Receive, send: Send) -> None:
    """Send what the viewer is told, until it is over or the client is gone."""
    listening = asyncio.ensure_future(_until_disconnected(receive))
    listening.add_done_callback(lambda _: viewer.end())
    try:
        await http.body(send, b"retry: %d\n\n" % random.randint(*RECONNECT_MS), more=True)
        while (data := await viewer.next(KEEP_ALIVE_S)) is not None:
            await http.body(send, data or KEEP_ALIVE, more=True)
    finally:
        listening.cancel()


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def on_termination(callback: Callable[[], None]) -> None:
    """Have `callback` run on the event loop as soon as the process is told to end.

    ASGI servers send `lifespan.shutdown` only once no request is left, for which endless ones would be waited
    for in vain. The server's own handlers are called as before; without any there is nothing to add to.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        previous = signal.getsignal(number)
        if not callable(previous):
            continue

        def handle(signum: int, frame: FrameType | None, previous: Callable[..., object] = previous) -> None:
            loop.call_soon_threadsafe(callback)
            previous(signum, frame)

        try:
            signal.signal(number, handle)
        except ValueError:  # not the main thread: whoever runs us there ends us some other way
            return
