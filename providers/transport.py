"""The wire under the guarded session: each connection goes to an address that the guard has just approved,
and no read outlives the deadline of the request it belongs to. No URLs, retries or meanings here.

`requests-hardened` was tried first: it takes only the first address of a name, lets fec0::/10 pass, resolves
through a fixed function without a time limit, and leaves ports, sizes and total time to its caller.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from threading import BoundedSemaphore, Thread
from typing import Any

import certifi
from requests import Session
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from providers.guard import Guard, Origin, is_address

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
LOOKUPS = 64
POOLED_HOSTS = 32
POOLED_CONNECTIONS = 16

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to IP addresses, in the order in which to try them; OSError when the name is unknown."""

Dial = Callable[[str, int, float], socket.socket]
"""IP address, port and seconds to a connected socket; OSError when nobody answers."""

_lookups = BoundedSemaphore(LOOKUPS)
_deadline: ContextVar[float] = ContextVar("deadline", default=float("inf"))


class Unreachable(Exception):
    """The name did not resolve, or none of its addresses took the connection."""


class DeadlineExceeded(TimeoutError):
    """The time allowed for the whole request is used up."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Everything that this thread reads within the block must be there before `seconds` have passed, and
    before any deadline that it had already."""
    token = _deadline.set(min(_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def left_s() -> float:
    """Seconds until this thread's deadline: infinite without one, negative when it has passed."""
    return _deadline.get() - time.monotonic()


def time_left(at_most: float) -> float:
    left = min(at_most, left_s())
    if left <= 0:
        raise DeadlineExceeded("the deadline of the request has passed")
    return left


class _TimedSocket(socket.socket):
    """A time-out per read lets a server drip bytes for ever; this one shrinks with the deadline."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(time_left(READ_TIMEOUT_S))
        return super().recv_into(*args, **kwargs)


class _TimedTlsSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(time_left(READ_TIMEOUT_S))
        return super().recv_into(*args, **kwargs)


def resolve(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def dial(address: str, port: int, timeout_s: float) -> socket.socket:
    sock = _TimedSocket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(timeout_s)
        sock.connect((address, port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


@cache
def tls_context() -> ssl.SSLContext:
    """Verifies certificate and host name. One for all, because loading the bundle takes 20 ms."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.sslsocket_class = _TimedTlsSocket
    return context


def _in_time(resolve: Resolve, host: str, port: int) -> Sequence[str]:
    """The system's resolver knows no deadline, so it works in a thread that nobody has to wait for.

    There are only so many: a resolver that hangs is given no more threads than that. An address is its own
    answer.
    """
    if is_address(host):
        return [host]
    room = _lookups
    if not room.acquire(timeout=time_left(CONNECT_TIMEOUT_S)):
        raise OSError("too many names are being looked up")
    answer: Future[Sequence[str]] = Future()

    def look_up() -> None:
        try:
            answer.set_result(resolve(host, port))
        except Exception as failure:
            answer.set_exception(failure)
        finally:
            room.release()

    Thread(target=look_up, name="resolve", daemon=True).start()
    return answer.result(time_left(CONNECT_TIMEOUT_S))


class PinnedAdapter(HTTPAdapter):
    """A pooled adapter that resolves a name once per connection and connects to just that answer.

    Host header, server name and certificate stay those of the URL; a reused connection keeps its address.
    """

    def __init__(self, guard: Guard, *, resolve: Resolve = resolve, dial: Dial = dial) -> None:
        self._guard, self._resolve, self._dial = guard, resolve, dial
        super().__init__(pool_connections=POOLED_HOSTS, pool_maxsize=POOLED_CONNECTIONS, max_retries=0)

    def connect(self, origin: Origin) -> socket.socket:
        self._guard.check_origin(origin)
        try:
            found = _in_time(self._resolve, origin.host, origin.port)
        except DeadlineExceeded:
            raise
        except (OSError, UnicodeError) as failure:
            raise Unreachable(f"{origin.host} did not resolve ({type(failure).__name__})") from None
        for address in self._guard.usable(origin, found):
            try:
                return self._dial(address, origin.port, time_left(CONNECT_TIMEOUT_S))
            except DeadlineExceeded:
                raise
            except OSError as failure:
                reason = failure.strerror or type(failure).__name__
        raise Unreachable(f"no connection to {origin.host} port {origin.port} ({reason})")

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=tls_context(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self.connect)

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """The context already holds the bundle."""


def _pool_classes(connect: Callable[[Origin], socket.socket]) -> dict[str, type[HTTPConnectionPool]]:
    class Http(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(Origin("http", self.host, self.port or 80))

    class Https(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(Origin("https", self.host, self.port or 443))

    class HttpPool(HTTPConnectionPool):
        ConnectionCls = Http

    class HttpsPool(HTTPSConnectionPool):
        ConnectionCls = Https

    return {"http": HttpPool, "https": HttpsPool}


class _NoCookies(RequestsCookieJar):
    def extract_cookies(self, *args: Any, **kwargs: Any) -> None:
        """One session serves many threads and movies; nothing that one answer says may colour the next."""


class PlainSession(Session):
    """A `requests` session without memory, environment or redirects of its own."""

    def __init__(self, adapter: HTTPAdapter, user_agent: str) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies = _NoCookies()
        self.adapters.clear()
        self.mount("http://", adapter)
        self.mount("https://", adapter)
        self.headers.update({"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"})

    def get_redirect_target(self, resp: Any) -> None:
        """Even with `allow_redirects=False`, requests would read the whole body of a redirect."""
        return
