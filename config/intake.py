"""What stands between the server and Django's threads, so that a thread only ever works and never waits.

A request body is read to its end before a thread is taken, within a size and a time. Answers are handed over
whole: it is the event loop that waits for a slow reader. Threads that all hang leave no backlog.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, cast

from a2wsgi import WSGIMiddleware

from core import answers
from core.outages import RETRY_AFTER_S
from streaming.live import http
from streaming.live.http import ASGIApp, Receive, Scope, Send

BODY_WITHIN_S = 20.0
THREAD_WITHIN_S = 5.0
"""Whoever has waited longer for a thread is told to come back: the work would be for nobody."""
_SINCE = "marquee.since"


class _Disconnected(Exception):
    """The client left before it had said everything."""


class _TooLarge(Exception):
    """The body is larger than allowed."""


class Intake:
    """Runs a WSGI application in `workers` threads."""

    def __init__(self, wsgi: Any, *, workers: int, max_body_bytes: int) -> None:
        # Queue size 0 is "no bound": with one, a thread waits in it until a slow reader has made room.
        self.app = cast(ASGIApp, WSGIMiddleware(_in_time(wsgi), workers=workers, send_queue_size=0))
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await self._body(scope, receive)
        except _Disconnected:
            return
        except _TooLarge:
            await _refuse(scope, send, 413, f"At most {self.max_body_bytes} bytes are taken.")
        except TimeoutError:
            await _refuse(scope, send, 408, f"The request did not end within {BODY_WITHIN_S:g} s.")
        else:
            await self.app(_for_wsgi(scope, len(body)), _replay(body), send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        announced = http.header(scope, b"content-length")
        if announced.isdigit() and int(announced) > self.max_body_bytes:
            raise _TooLarge
        chunks, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Disconnected
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > self.max_body_bytes:
                raise _TooLarge
            more = message.get("more_body", False)
        return b"".join(chunks)


async def _refuse(scope: Scope, send: Send, status: int, said: str) -> None:
    """Nothing more is read from this connection."""
    content_type, body = answers.error(scope["path"], status, said)
    await http.whole(send, status, content_type, body, {"connection": "close"})


def _for_wsgi(scope: Scope, length: int) -> Scope:
    """The request as CGI can express it.

    A name with an underscore would become the same variable as one with a hyphen, past every proxy that
    guards that one. The length is now known, whatever transfer coding the body came in.
    """
    replaced = (b"content-length", b"transfer-encoding")
    headers = [(n, v) for n, v in scope["headers"] if b"_" not in n and n not in replaced]
    headers += [(b"content-length", str(length).encode())] if length else []
    return {**scope, "headers": headers, _SINCE: time.monotonic()}


def _in_time(wsgi: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """`wsgi` for requests that a thread took up soon enough. The others cost it nothing, so a backlog is
    gone as soon as one thread is free."""

    def within(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if time.monotonic() - environ["asgi.scope"][_SINCE] <= THREAD_WITHIN_S:
            return wsgi(environ, start_response)
        said = "Too much is waiting here. Please try again."
        content_type, body = answers.error(environ["PATH_INFO"], 503, said)
        head = [("Content-Type", content_type), ("Content-Length", str(len(body)))]
        head += [("Retry-After", str(RETRY_AFTER_S)), ("Cache-Control", "no-store")]
        start_response("503 Service Unavailable", head)
        return [body]

    return within


def _replay(body: bytes) -> Receive:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
