"""One open stream, as the hub sees it: a mailbox, and whether it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from streaming.live.news import Frame, Mailbox, News


class Viewer:
    """Told by the hub, asked by the connection. Belongs to one event loop."""

    __slots__ = ("_last", "_mailbox", "_over", "_wake")

    def __init__(self) -> None:
        self._mailbox = Mailbox()
        self._wake = asyncio.Event()
        self._over = False
        self._last = b""

    def greet(self, frames: Sequence[Frame]) -> None:
        """What comes before anything that the hub has told."""
        self._mailbox.put_first(frames)
        self._wake.set()

    def tell(self, news: News) -> None:
        self._mailbox.put(news)
        self._wake.set()

    def end(self, last: bytes = b"") -> None:
        """Close the stream, once what waits and these `last` bytes have been sent."""
        self._over = True
        self._last = self._last or last
        self._wake.set()

    async def next(self, patience_s: float) -> bytes | None:
        """What to send now; empty if nothing happened for `patience_s` seconds, None when it is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._wake.wait()
        over, data = self._over, b"".join(frame.data for frame in self._mailbox.take())
        if not over:
            self._wake.clear()
            return data
        data, self._last = data + self._last, b""
        return data or None
