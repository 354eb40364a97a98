"""A real local origin that replays recorded answers, and spoils them as networks and bad days do."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.providers.kit.recorded import Answer

ENDLESS = 64 * 1024 * 1024
"""So much of an endless answer is sent at most; nobody should read a third of it."""


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever has read enough hangs up."""


class ReplayingOrigin:
    """Gives the answers of its script one after the other, the last one for ever, whatever is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._script: list[Answer] = []
        self._turn = threading.Lock()
        self._over = threading.Event()
        replaying = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with replaying._turn:
                    replaying.asked.append(self.path)
                    script = replaying._script
                    answer = script.pop(0) if len(script) > 1 else script[0]
                with suppress(OSError):
                    replaying._give(answer, self)

            def log_message(self, *args: Any) -> None:
                pass

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.urls = {self.url, self.url.replace("127.0.0.1", "localhost")}

    @contextmanager
    def playing(self, script: Sequence[Answer]) -> Iterator[None]:
        """Play `script` from its beginning; what still hangs at the end is let go."""
        self.asked, self._script, self._over = [], list(script), threading.Event()
        try:
            yield
        finally:
            self._over.set()

    @contextmanager
    def running(self) -> Iterator[ReplayingOrigin]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join(5)

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
