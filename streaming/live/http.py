"""The HTTP of the live part: which request is ours, from whom, and how it is answered. It keeps no state."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from core import problems

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

ALLOWED_METHODS = "GET, HEAD, OPTIONS"
LARGEST_ID = 2**31 - 1
_PATH = re.compile(r"/api/movies/([1-9][0-9]{0,9})/stream-events/?", re.ASCII)
_LAST_EVENT_ID = re.compile(rb"([1-9][0-9]{0,9}):([0-9]{1,10})")
_SHARED = {"cache-control": "no-store"}


def watched_movie(scope: Scope) -> int | None:
    """The movie whose events are asked for; None if the request is for something else."""
    path = str(scope["path"]).removeprefix(scope.get("root_path", ""))
    match = _PATH.fullmatch(path)
    return int(match[1]) if match and int(match[1]) <= LARGEST_ID else None


def header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def headers(scope: Scope, name: bytes) -> list[bytes]:
    """Its values, of every line that has this name."""
    return [value for key, value in scope["headers"] if key == name]


def host_allowed(scope: Scope) -> bool:
    """Django's own rules (ALLOWED_HOSTS, USE_X_FORWARDED_HOST) for a request that never reaches Django."""
    name, port = scope.get("server") or ("localhost", None)
    request = HttpRequest()
    request.META = {"SERVER_NAME": name, "SERVER_PORT": str(port or "")}
    for key in (b"host", b"x-forwarded-host", b"x-forwarded-port"):
        if value := header(scope, key):
            request.META["HTTP_" + key.decode().upper().replace("-", "_")] = value.decode("latin-1")
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def client_address(scope: Scope) -> str:
    """The peer, or whom a trusted proxy says it speaks for (config.edge sees to that). Empty if unknown."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def last_turn_seen(scope: Scope, movie_id: int) -> int | None:
    """The turn named by `Last-Event-ID`; None unless it is one of this movie."""
    match = _LAST_EVENT_ID.fullmatch(header(scope, b"last-event-id"))
    return int(match[2]) if match and int(match[1]) == movie_id else None


async def start(send: Send, status: int, headers: dict[str, str]) -> None:
    lines = [(name.encode(), value.encode()) for name, value in {**_SHARED, **headers}.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})


async def body(send: Send, data: bytes, *, more: bool = False) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def problem(send: Send, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
    """An RFC 9457 problem, as all of the API answers."""
    data = json.dumps(problems.body(status, detail)).encode()
    await whole(send, status, problems.CONTENT_TYPE, data, headers)


async def whole(
    send: Send, status: int, content_type: str, data: bytes, headers: dict[str, str] | None = None
) -> None:
    """An answer that is all there."""
    sized = {"content-type": content_type, "content-length": str(len(data))}
    await start(send, status, {**sized, **(headers or {})})
    await body(send, data)
