"""A real local origin that replays recorded answers, and spoils them as networks and bad days do."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler

from tests.providers.kit.recorded import Answer
from tests.providers.origin import LocalServer

ENDLESS = 64 * 1024 * 1024
"""So much of an endless answer is sent at most; nobody should read a third of it."""


class ReplayingOrigin(LocalServer):
    """Gives the answers of its script one after the other, the last one for ever, whatever is asked."""

    protocol = "HTTP/1.0"  # what has no length ends with its connection

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._script: list[Answer] = []
        self._turn = threading.Lock()
        self._over = threading.Event()
        self.urls = {self.url, self.url.replace("127.0.0.1", "localhost")}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        with self._turn:
            self.asked.append(handler.path)
            answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        with suppress(OSError):
            self._give(answer, handler)

    @contextmanager
    def playing(self, script: Sequence[Answer]) -> Iterator[None]:
        """Play `script` from its beginning; what still hangs at the end is let go."""
        self.asked, self._script, self._over = [], list(script), threading.Event()
        try:
            yield
        finally:
            self._over.set()

    def _give(self, answer: Answer, handler: BaseHTTPRequestHandler) -> None:
        body = answer.body
        if answer.how == "echo":
            body = f"{handler.requestline}\n{handler.headers}".encode()
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        if answer.how != "huge":
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body if answer.how in {"whole", "echo", "huge"} else body[: len(body) // 2])
        handler.wfile.flush()
        if answer.how == "huge":
            filler = b" " * 65_536
            for _ in range(ENDLESS // len(filler)):
                handler.wfile.write(filler)
        elif answer.how == "slow":
            self._over.wait(30)
