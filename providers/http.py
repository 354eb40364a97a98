"""The one guarded HTTP session: every request that Marquee sends to somebody else goes through it.

GET only, so everything may be repeated. It knows statuses, limits and failures, but no provider's format.
"""

from __future__ import annotations

import logging
import random
import time
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol, Self
from urllib.parse import urldefrag

import requests

from core.redact import beginning, quieten_urllib3, redact, shown_url
from providers import failures, transport
from providers.errors import Context, ProviderBadResponse, ProviderError
from providers.guard import Guard
from providers.messages import Request, Response
from providers.redirects import Trail, redirect_target
from providers.retry import RetryPolicy, retry_after_s

__all__ = ["GuardedSession", "Request", "Response"]

USER_AGENT = "Marquee"

_log = logging.getLogger(__name__)
_CHUNK = 16_384
_DECODABLE = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
_KEPT_ACROSS_ORIGINS = frozenset({"accept", "accept-encoding", "accept-language", "range"})


class Pace(Protocol):
    """How often requests may leave."""

    def wait(self) -> float:
        """Before every request on the wire, redirects included: returns when it may leave, and says when
        that was. Raises ProviderRateLimited when that is too far away."""

    def slow_down(self, pause_s: float, *, sent: float) -> None:
        """A request that left at `sent` met a 429, or a 503 with Retry-After: nobody is to ask for `pause_s`
        (0 when the answer did not say), and then less often."""


class Unhurried:
    """The pace of a session that nobody holds to one."""

    def wait(self) -> float:
        return 0.0

    def slow_down(self, pause_s: float, *, sent: float) -> None:
        pass


class GuardedSession:
    """Sends requests for one provider, from any number of threads.

    `allowed_hosts` are exact names or `*.example.org`. Raises ValueError for a trusted origin that is none.
    A deadline that the caller sets (`transport.deadline`) holds for all attempts and pauses together.
    """

    def __init__(
        self,
        *,
        provider: str,
        trusted_origins: Collection[str] = (),
        allowed_hosts: Collection[str] | None = None,
        max_retries: int = 3,
        pace: Pace | None = None,
        secrets: Collection[str] = (),
        user_agent: str = USER_AGENT,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        rng: Callable[[], float] = random.random,
        resolve: transport.Resolve = transport.resolve,
        dial: transport.Dial = transport.dial,
    ) -> None:
        self.provider = provider
        self._guard = Guard.of(trusted_origins, allowed_hosts)
        self._pace = pace or Unhurried()
        self._secrets = frozenset(secrets)
        self._retry = RetryPolicy(max_retries=max_retries)
        self._clock, self._wall_clock, self._sleep, self._rng = clock, wall_clock, sleep, rng
        adapter = transport.PinnedAdapter(self._guard, resolve=resolve, dial=dial)
        self._http = transport.PlainSession(adapter, user_agent)
        weakref.finalize(self, self._http.close)  # urllib3's own finalizers would keep our pools for ever
        quieten_urllib3()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def send(self, request: Request) -> Response:
        """The whole answer to a request that must succeed.

        Raises ProviderRefused (guard), ProviderTransient (time-out, broken connection, 5xx),
        ProviderRateLimited (429, 503 with Retry-After), ProviderMisconfigured (401, 403), ProviderPermanent
        (other 4xx) or ProviderBadResponse (too big, undecodable). Transient failures and rate limits are
        retried first.
        """
        return self._retrying(lambda: self._judged(self._attempt(request), request))

    def fetch(self, request: Request) -> Response:
        """The answer whatever its status, cut off at `max_bytes`. For probes: a status is never retried.

        Raises ProviderRefused, ProviderTransient and ProviderBadResponse (undecodable) as `send` does.
        """
        return self._retrying(lambda: self._attempt(request))

    def _retrying(self, attempt: Callable[[], Response]) -> Response:
        attempts = 0
        while True:
            try:
                return attempt()
            except ProviderError as error:
                pause = self._retry.pause(error, attempts, self._rng)
                if pause is None or pause >= transport.left_s():
                    raise
                attempts += 1
                _log.info("%s; attempt %d failed, the next one in %.1f s", error, attempts, pause)
            self._sleep(pause)

    def _attempt(self, request: Request) -> Response:
        trail = Trail(request.url, request.max_redirects)
        try:
            response = self._follow(request, trail)
            _log.debug("%s: %d in %d ms", response.shown, response.status, response.elapsed_ms)
            return response
        except failures.RAW as exc:
            mask = partial(redact, secrets=self._secrets | request.secrets)
            failure = failures.of_exception(exc, self._context(request, trail.url), mask)
        raise failure  # out here, so that it doesn't drag along an exception that quotes the whole URL

    def _context(self, request: Request, url: str) -> Context:
        shown = shown_url(url, self._secrets | request.secrets)
        return {"provider": self.provider, "request": f"GET {shown}"}

    def _follow(self, request: Request, trail: Trail) -> Response:
        """Send the request and go where it is redirected to, each step past the guard and the throttle."""
        hop, left = self._first_hop(request), request.deadline_s
        while True:
            here = trail.step(hop.url or "")
            origin = self._guard.check(here)
            sent = self._pace.wait()
            started = self._clock()
            with transport.deadline(left), self._open(hop) as answer:
                target = redirect_target(answer)
                left -= self._clock() - started
                self._heed(answer, sent)
                if target is None:
                    return replace(self._read(request, answer, left), redirects=trail.redirects)
            same = self._guard.check(target) == origin
            kept = {k: v for k, v in hop.headers.items() if same or k.lower() in _KEPT_ACROSS_ORIGINS}
            hop = self._http.prepare_request(requests.Request("GET", target, headers=kept))

    def _first_hop(self, request: Request) -> requests.PreparedRequest:
        headers = dict(request.headers)
        if request.range is not None:  # of the file itself: a range of a compressed copy would be no use
            headers |= {"Range": "bytes={}-{}".format(*request.range), "Accept-Encoding": "identity"}
        url = urldefrag(request.url).url
        wanted = requests.Request("GET", url, headers=headers, params=dict(request.params))
        return self._http.prepare_request(wanted)

    def _open(self, hop: requests.PreparedRequest) -> requests.Response:
        timeout = (transport.CONNECT_TIMEOUT_S, transport.READ_TIMEOUT_S)
        return self._http.send(hop, stream=True, allow_redirects=False, timeout=timeout)

    def _read(self, request: Request, answer: requests.Response, left: float) -> Response:
        started = self._clock()
        context = self._context(request, answer.url)
        if answer.status_code < 200:  # whatever follows would be taken for the answer to another request
            raise ProviderBadResponse(f"only an interim answer (HTTP {answer.status_code})", **context)
        if (coding := answer.headers.get("content-encoding", "").strip().lower()) not in _DECODABLE:
            named = beginning(coding, 40, self._secrets | request.secrets)
            raise ProviderBadResponse(f"unasked-for content coding {named!r}", **context)
        body = bytearray()
        for chunk in _chunks(answer, min(_CHUNK, request.max_bytes + 1)):
            body += chunk
            if len(body) > request.max_bytes:
                break
        return Response(
            status=answer.status_code,
            headers=answer.headers,
            body=bytes(body[: request.max_bytes]),
            url=answer.url,
            elapsed_ms=round(1000 * (request.deadline_s - left + self._clock() - started)),
            truncated=len(body) > request.max_bytes,
            provider=self.provider,
            shown=context["request"],
            secrets=self._secrets | request.secrets,
        )

    def _heed(self, answer: requests.Response, sent: float) -> None:
        """What an answer says of our pace counts, whatever becomes of its body."""
        asked = self._asked(answer.headers)
        if answer.status_code == 429 or (answer.status_code == 503 and asked is not None):
            self._pace.slow_down(asked or 0.0, sent=sent)

    def _asked(self, headers: Mapping[str, str]) -> float | None:
        return retry_after_s(headers.get("retry-after"), self._wall_clock())

    def _judged(self, response: Response, request: Request) -> Response:
        """The response, if it is a whole and good one, or one that the request takes for an answer."""
        context: Context = {"provider": self.provider, "request": response.shown, "status": response.status}
        if response.status >= 400 and response.status not in request.accept_statuses:
            context["answer"] = response.excerpt()
            raise failures.of_status(response.status, self._asked(response.headers), context)
        if response.truncated:
            raise ProviderBadResponse(f"the answer is larger than {request.max_bytes} bytes", **context)
        return response


def _chunks(answer: requests.Response, size: int) -> Iterator[bytes]:
    """The decoded body, never more than `size` bytes of it unpacked at a time (urllib3 from 2.6 on)."""
    return iter(answer.raw.stream(size, decode_content=True))
