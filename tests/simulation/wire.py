"""The wire of a simulated day: names, connections and bytes, a fifth of all calls failing in every known way.

It stands where the guarded session resolves a name and dials an address, so everything above it is Marquee's
own: guard, throttle, retries, HTTP, adapters, probes.
"""

from __future__ import annotations

import io
import re
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.simulation.clock import Clock, chance
from tests.simulation.peers import Page, Peers
from tests.simulation.world import World

ADDRESS = "93.184.216.34"
"""A public one, as the guard asks for. Nothing is sent there."""

OUTAGES = ("refused", "dns", "timeout", "429", "500", "503", "cut")
"""Failures that say nothing of what was asked for."""
LIES = ("403", "404", "html", "empty", "huge")
"""Failures that could be meant."""
P_OUTAGE = 0.2
P_LIE = {"api": 0.004, "cdn": 0.015}
TIMEOUT_S = 10.0
HUGE = 1_200_000


class Wire:
    """Resolves, dials and answers for everybody, one call at a time; counts what became of the calls."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world, self.clock, self.peers = world, clock, Peers(world)
        self.calls: Counter[str] = Counter()
        """By what became of them: "ok", or how they failed."""
        self.on_call: Callable[[], None] = lambda: None
        self.asked: Counter[tuple[str, int]] = Counter()
        self._host, self._fate = "", ""

    @property
    def failing(self) -> float:
        """The share of calls that failed."""
        return 1 - self.calls["ok"] / max(self.calls.total(), 1)

    def resolve(self, host: str, port: int) -> list[str]:
        """A call begins: what becomes of it depends on the host, the minute and how often it was asked."""
        self.on_call()
        self._host, self._fate = host, self._decide(host)
        if self._fate == "dns":
            self._count("dns")
            raise socket.gaierror("Name or service not known")
        return [ADDRESS]

    def dial(self, address: str, port: int, timeout_s: float) -> Any:
        assert address == ADDRESS
        if self._fate == "refused":
            self._count("refused")
            raise ConnectionRefusedError(111, "Connection refused")
        return _Socket(self._answer)

    def _decide(self, host: str) -> str:
        minute, kind = self.clock.minute, host.partition(".")[0]
        self.asked[host, minute] += 1
        about = (self.world.seed, host, minute, self.asked[host, minute])
        self.clock.sleep(0.02 + 0.3 * chance("latency", *about) ** 2)
        if outage := self.world.outage(host.split(".")[1], minute):
            return outage
        drawn, which = chance("fails", *about), chance("how", *about)
        if drawn < P_OUTAGE:
            return OUTAGES[int(which * len(OUTAGES))]
        lies = LIES[1:] if "tmdb" in host else LIES  # a key that TMDB refuses is not tried again by anybody
        return lies[int(which * len(lies))] if drawn < P_OUTAGE + P_LIE[kind] else ""

    def _count(self, outcome: str) -> None:
        self.calls[outcome] += 1

    def _answer(self, head: bytes) -> bytes:
        """The bytes that come back for a request; TimeoutError when none do."""
        lines = head.decode("latin-1").split("\r\n")
        url = urlsplit(lines[0].split(" ")[1])
        if self._fate == "timeout":
            self._count("timeout")
            self.clock.sleep(TIMEOUT_S)
            raise TimeoutError("timed out")
        page = self._fate_page() if self._fate not in ("", "cut") else self._page(url.path, url.query)
        missing = page.status in (404, 410) and self._host.startswith("api.")
        self._count(self._fate or ("ok" if page.status < 400 or missing else str(page.status)))
        asked = next((line[7:] for line in lines if line.lower().startswith("range: ")), "")
        return _message(page, asked, cut=self._fate == "cut")

    def _page(self, path: str, query: str) -> Page:
        return self.peers.page(self._host, path, dict(parse_qsl(query)), self.clock.minute)

    def _fate_page(self) -> Page:
        match self._fate:
            case "429":
                pause = int(2 + 20 * chance("pause", self._host, self.clock.minute))
                return Page(
                    body=b"slow down", kind="text/plain", status=429, headers={"Retry-After": f"{pause}"}
                )
            case "html":
                return Page(
                    body=b"<!doctype html><html>Welcome to our captive portal</html>", kind="text/html"
                )
            case "empty":
                return Page(kind="text/html")
            case "huge":
                return Page(body=bytes(HUGE), kind="application/octet-stream")
        return Page(body=b"error", kind="text/plain", status=int(self._fate))


def _message(page: Page, asked: str, *, cut: bool) -> bytes:
    """An HTTP answer: a part of the page if one was asked for; cut in the middle if the line breaks."""
    status, body, headers = page.status, page.body, dict(page.headers)
    span = re.fullmatch(r"bytes=(\d+)-(\d+)", asked)
    if span and status == 200:
        first, last = int(span[1]), min(int(span[2]), len(body) - 1)
        status = 206 if first < len(body) else 416
        total = f"bytes {first}-{last}/{len(body)}" if status == 206 else f"bytes */{len(body)}"
        headers["Content-Range"], body = total, body[first : last + 1]
    headers |= {"Content-Type": page.kind, "Content-Length": str(len(body) + cut), "Connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + (body[: len(body) // 2] if cut else body)


class _Socket:
    """As much of a socket as `http.client` uses."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer, self._sent = answer, bytearray()

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def makefile(self, mode: str, *args: Any) -> io.BufferedIOBase:
        return _Late(lambda: self._answer(bytes(self._sent)))

    def settimeout(self, seconds: float | None) -> None:
        pass

    def close(self) -> None:
        pass

    shutdown = settimeout


class _Late(io.BufferedReader):
    """The answer, made when its first byte is read, as that is when a read may time out."""

    def __init__(self, answer: Callable[[], bytes]) -> None:
        super().__init__(_Raw(answer))


class _Raw(io.RawIOBase):
    def __init__(self, answer: Callable[[], bytes]) -> None:
        self._answer = answer
        self._bytes: io.BytesIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._bytes is None:
            self._bytes = io.BytesIO(self._answer())
        return self._bytes.readinto(buffer)
