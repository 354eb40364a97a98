"""Reading a few bytes of a URL within a budget: the only way a probe touches the network.

Everything goes through the guarded session that is handed in. What the network does becomes a Verdict here,
so that the parsers know nothing of statuses and the caller nothing of exceptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Protocol

from core.redact import beginning
from providers.errors import (
    ProviderError,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTransient,
)
from providers.messages import Request, Response
from providers.types import ProbeOutcome

BLOCK: Final = 16_384
"""Bytes of one read: holds the header of a fast-start MP4, or the start of a transport stream."""
JUMP: Final = 8_192
"""Bytes of a read further on in a file: holds one track's header."""
MAX_REQUESTS: Final = 12
MAX_REDIRECTS: Final = 8
REQUEST_REDIRECTS: Final = 5
MAX_BYTES: Final = 1_000_000
MAX_SECONDS: Final = 30.0
REQUEST_SECONDS: Final = 10.0

_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)
_STATUS_OUTCOMES: Final = {
    401: ProbeOutcome.FORBIDDEN,
    402: ProbeOutcome.FORBIDDEN,
    403: ProbeOutcome.FORBIDDEN,
    404: ProbeOutcome.DEAD,
    408: ProbeOutcome.PROVIDER_DOWN,
    410: ProbeOutcome.DEAD,
    416: ProbeOutcome.DEAD,  # the file is shorter than the manifest says
    429: ProbeOutcome.THROTTLED,
    451: ProbeOutcome.FORBIDDEN,
}


class Verdict(Exception):
    """The probe is over: `outcome` because of `evidence`."""

    def __init__(self, outcome: ProbeOutcome, evidence: str) -> None:
        super().__init__(evidence)
        self.outcome = outcome
        self.evidence = evidence


class Fetcher(Protocol):
    """What a probe needs of the guarded session."""

    def fetch(self, request: Request) -> Response:
        """Send once; give back any status. Raises ProviderError for guard, connection and time-out."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of a file; `total` is the size of the whole file, None when the server does not say."""

    data: bytes
    total: int | None


@dataclass(slots=True)
class Reader:
    """Counts what one probe may still spend. Time is that of the exchanges, not of our own throttle."""

    session: Fetcher
    bytes_read: int = 0
    latency_ms: int = 0
    requests: int = 0
    redirects: int = 0
    secrets: frozenset[str] = frozenset()
    """What must not show in what is said of the answers: their servers may throw it back."""
    _spent_ms: int = field(default=0, init=False)

    def get(self, url: str, *, max_bytes: int, byte_range: tuple[int, int] | None = None) -> Response:
        """A successful response, perhaps truncated at `max_bytes`. Raises Verdict for everything else."""
        response = self._fetch(url, max_bytes, byte_range)
        _require_good(response, url)
        return response

    def beginning(self, url: str, length: int) -> tuple[bytes, str, bool]:
        """The first `length` bytes at most, the address that they came from, and whether that is all.

        Asked for as a range: an answer that is cut off costs its connection, and the next request a new one.
        """
        response = self._fetch(url, length, (0, length - 1))
        if response.status == 416:  # it is empty, or its server takes no such range of it
            response = self._fetch(url, length, None)
        _require_good(response, url)
        if response.status != 206:
            return response.body, response.url, not response.truncated
        total = _total(response, url, start=0)
        whole = len(response.body) < length if total is None else len(response.body) >= total
        return response.body, response.url, whole and not response.truncated

    def read(self, url: str, start: int, length: int) -> Chunk:
        """`length` bytes of a file from `start`, fewer at its end. Copes with a server without Range."""
        response = self.get(url, max_bytes=length, byte_range=(start, start + length - 1))
        if response.status == 206:
            return Chunk(response.body, _total(response, url, start=start))
        if start == 0:
            return Chunk(response.body, None if response.truncated else len(response.body))
        if start + length > MAX_BYTES // 2:
            raise Verdict(ProbeOutcome.INCONCLUSIVE, f"{_short(url, response)} ignores Range requests")
        whole = self.get(url, max_bytes=start + length)
        return Chunk(whole.body[start:], None if whole.truncated else len(whole.body))

    def _fetch(self, url: str, max_bytes: int, byte_range: tuple[int, int] | None) -> Response:
        left_s = MAX_SECONDS - self._spent_ms / 1000
        if left_s <= 0:
            raise Verdict(ProbeOutcome.PROVIDER_DOWN, f"too slow: more than {MAX_SECONDS:.0f} s in all")
        if self.requests >= MAX_REQUESTS or self.bytes_read + max_bytes > MAX_BYTES:
            raise Verdict(
                ProbeOutcome.INCONCLUSIVE,
                f"gave up after {self.requests} requests and {self.bytes_read} bytes",
            )
        self.requests += 1
        request = Request(
            url=url,
            range=byte_range,
            max_bytes=max_bytes,
            deadline_s=min(REQUEST_SECONDS, left_s),
            max_redirects=min(REQUEST_REDIRECTS, MAX_REDIRECTS - self.redirects),
        )
        try:
            response = self.session.fetch(request)
        except ProviderError as error:
            raise _verdict(error) from error
        self.redirects += response.redirects
        self.secrets |= response.secrets
        self._spent_ms += response.elapsed_ms
        self.bytes_read += len(response.body)
        self.latency_ms = self.latency_ms or response.elapsed_ms
        return response


@dataclass(slots=True)
class RemoteFile:
    """A file, or a part of one, that is read in blocks as a parser asks for them."""

    reader: Reader
    url: str
    start: int = 0
    length: int | None = None
    block: int = BLOCK
    size: int | None = field(default=None, init=False)
    _blocks: list[tuple[int, bytes]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.size = self.length

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes at `offset`; fewer at the end of the file."""
        if self.size is not None:
            length = min(length, self.size - offset)
        if length <= 0:
            return b""
        for at, data in self._blocks:
            if at <= offset and offset + length <= at + len(data):
                return data[offset - at : offset - at + length]
        return self._fetch(offset, length)[:length]

    def _fetch(self, offset: int, length: int) -> bytes:
        wanted = max(length, min(self.block, JUMP) if offset else self.block)
        if self.size is not None:
            wanted = min(wanted, self.size - offset)
        chunk = self.reader.read(self.url, self.start + offset, wanted)
        if self.length is None and chunk.total is not None:
            self.size = chunk.total - self.start
        self._blocks.append((offset, chunk.data))
        return chunk.data


def _verdict(error: ProviderError) -> Verdict:
    match error:
        case ProviderRateLimited():
            return Verdict(ProbeOutcome.THROTTLED, error.message)
        case ProviderTransient():
            return Verdict(ProbeOutcome.PROVIDER_DOWN, error.message)
        case ProviderRefused(ours_alone=True):  # a player may well get there
            return Verdict(ProbeOutcome.INCONCLUSIVE, f"not looked at: {error.message}")
        case ProviderPermanent():
            return Verdict(ProbeOutcome.DEAD, error.message)
        case _:
            return Verdict(ProbeOutcome.INCONCLUSIVE, error.message)


def _require_good(response: Response, url: str) -> None:
    if not 200 <= response.status < 300:
        raise Verdict(_outcome(response), f"{_short(url, response)} answers {response.status}")


def _outcome(response: Response) -> ProbeOutcome:
    if response.status == 503 and "Retry-After" in response.headers:
        return ProbeOutcome.THROTTLED
    if response.status >= 500:
        return ProbeOutcome.PROVIDER_DOWN
    return _STATUS_OUTCOMES.get(response.status, ProbeOutcome.INCONCLUSIVE)


def _total(response: Response, url: str, *, start: int) -> int | None:
    """The size of the whole file, if the server says. Raises Verdict if the bytes begin elsewhere."""
    told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    if told is None:
        return None
    if int(told[1]) != start:
        raise Verdict(ProbeOutcome.INCONCLUSIVE, f"{_short(url, response)} answers another range than asked")
    return None if told[3] == "*" else int(told[3])


def _short(url: str, response: Response) -> str:
    """The URL's last part, without its query: evidence is read by people and may hold no token."""
    path = url.partition("?")[0].partition("#")[0]
    return beginning(path.rstrip("/").rpartition("/")[2], 80, response.secrets) or "the address"
