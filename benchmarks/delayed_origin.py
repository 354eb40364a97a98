"""A web origin for benchmarks: answers from memory, each answer a set time after its request.

It runs in a process of its own, so that its work is not taken for that of whom it serves. It honours Range
and keeps connections open. `/counts` tells how many requests came, and how many at most at once.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import PurePosixPath

KINDS = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".webm": "video/webm",
    "": "text/html",
}
_ASKED = re.compile(rb"GET (/\S*) HTTP/1.1\r\n")
_RANGE = re.compile(rb"\r\nrange: bytes=(\d+)-(\d+)\r\n", re.IGNORECASE)


class Counts:
    def __init__(self) -> None:
        self.requests = self.now = self.most_at_once = 0

    def came(self) -> None:
        self.requests += 1
        self.now += 1
        self.most_at_once = max(self.most_at_once, self.now)


class Client(asyncio.Protocol):
    """One connection; a client that pipelines is none of ours."""

    def __init__(self, pages: Mapping[str, bytes], delay_s: float, counts: Counts) -> None:
        self.pages, self.delay_s, self.counts = pages, delay_s, counts
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.received.endswith(b"\r\n\r\n"):
            return
        asked, self.received = self.received, b""
        if asked.startswith(b"GET /counts "):
            self.transport.write(answer(200, "/counts.json", json.dumps(vars(self.counts)).encode(), ""))
            return
        self.counts.came()
        asyncio.get_running_loop().call_later(self.delay_s, self.reply, asked)

    def reply(self, asked: bytes) -> None:
        self.counts.now -= 1
        self.transport.write(self.found(asked))

    def found(self, asked: bytes) -> bytes:
        told = _ASKED.match(asked)
        path = told[1].decode() if told else ""
        body = self.pages.get(path.partition("?")[0])
        if body is None:
            return answer(404, path, b"not here", "")
        if span := _RANGE.search(asked):
            first, last = int(span[1]), min(int(span[2]), len(body) - 1)
            return answer(206, path, body[first : last + 1], f"bytes {first}-{last}/{len(body)}")
        return answer(200, path, body, "")


def answer(status: int, path: str, body: bytes, content_range: str) -> bytes:
    kind = KINDS.get(PurePosixPath(path).suffix, "application/octet-stream")
    ranged = f"Content-Range: {content_range}\r\n" if content_range else ""
    head = f"HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{ranged}\r\n"
    return head.encode() + body


async def _serve(pages: Mapping[str, bytes], delay_s: float, ready: Connection) -> None:
    counts = Counts()
    server = await asyncio.get_running_loop().create_server(
        lambda: Client(pages, delay_s, counts), "127.0.0.1", 0, backlog=1024
    )
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _process(pages: Mapping[str, bytes], delay_s: float, ready: Connection) -> None:
    asyncio.run(_serve(pages, delay_s, ready))


@contextmanager
def running(pages: Mapping[str, bytes], *, delay_s: float) -> Iterator[str]:
    """Serve `pages` by path; the origin's URL."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_process, args=(pages, delay_s, there), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.terminate()
        process.join(5)
