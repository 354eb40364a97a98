"""One call to one provider, a search or a probe: bounded in threads and time, whatever the other side does.

These threads talk to the network and nothing else; rows are read and written by whoever calls.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import cache, partial
from typing import NamedTuple

from django.conf import settings

from core.options import Options
from core.redact import redact
from providers import secrets, sessions, transport
from providers.bulkheads import Bulkheads
from providers.errors import (
    ProviderError,
    ProviderMisconfigured,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderTransient,
)
from providers.http import GuardedSession
from providers.messages import Response
from providers.models import Provider
from providers.probe import probe as probe_url
from providers.readiness import adapter_of
from providers.types import Delivery, MovieRef, ProbeOutcome, ProbeResult, SearchAnswer

POOL = 8
"""Threads of one process that one provider may hold, however it hangs."""
GRACE_S = 1.0
"""For an answer to be parsed that came with the last second of a deadline."""

SessionOf = Callable[[Provider], GuardedSession]

bulkheads = Bulkheads(POOL)
_log = logging.getLogger(__name__)


class Patience(NamedTuple):
    """The deadline of a call, waiting and retries included: time for `slots` requests at the provider's pace,
    as others of ours have their turn in between, within bounds in seconds."""

    slots: int
    least_s: float
    most_s: float

    def allowed_s(self, provider: Provider, options: Options) -> float:
        try:
            rps = sessions.rps_of(provider, options)
        except ProviderMisconfigured:
            return self.least_s  # nothing will be sent
        return min(max(self.least_s, self.slots / rps), self.most_s)


SEARCH = Patience(slots=16, least_s=30, most_s=120)
PROBE = Patience(slots=80, least_s=120, most_s=600)


class ProviderAnswer(NamedTuple):
    """What came of asking one provider: an answer, an error, or the reason why it was not asked.

    `duration_ms` is all the time it took us; `latency_ms` that on the wire, None when nothing was answered.
    """

    provider: Provider
    answer: SearchAnswer | None = None
    error: ProviderError | None = None
    skipped: str = ""
    duration_ms: int = 0
    latency_ms: int | None = None


class Target(NamedTuple):
    """A stream to be probed."""

    provider: Provider
    url: str
    delivery: str


class Search:
    """One provider being asked for one movie, on a thread of its own, from now on."""

    def __init__(self, provider: Provider, movie: MovieRef, options: Options) -> None:
        self._provider, self._movie, self._options = provider, movie, options
        self._began = time.monotonic()
        self._allowed_s = SEARCH.allowed_s(provider, options)
        self._responses: list[Response] = []
        self._ended: float | None = None
        self._asking = bulkheads.submit(provider.pk, self._asked)

    def answer(self) -> ProviderAnswer:
        """What came of it, at its deadline at the latest."""
        wait([self._asking], self._left_s() + GRACE_S)
        answer, error = self._asking.result() if self._asking.done() else (None, self._overdue())
        return ProviderAnswer(
            self._provider,
            answer,
            error,
            duration_ms=int(1000 * ((self._ended or time.monotonic()) - self._began)),
            latency_ms=max((response.elapsed_ms for response in list(self._responses)), default=None),
        )

    def _asked(self) -> tuple[SearchAnswer | None, ProviderError | None]:
        try:
            return self._ask(), None
        except ProviderError as error:
            return None, error
        except Exception as bug:  # ours: the other providers' answers must not be lost with it
            said = reported(bug, self._provider, "search")
            return None, ProviderPermanent(said, provider=self._provider.slug)
        finally:
            self._ended = time.monotonic()

    def _ask(self) -> SearchAnswer:
        if self._left_s() <= 0:
            raise self._busy()
        with transport.deadline(self._left_s()):
            adapter = adapter_of(self._provider)
            session = sessions.for_provider(self._provider, adapter, self._options)
            for response in adapter.ask(self._movie, session.send):
                self._responses.append(response)
            return adapter.read(self._movie, self._responses)

    def _left_s(self) -> float:
        return self._allowed_s - (time.monotonic() - self._began)

    def _overdue(self) -> ProviderError:
        if self._asking.cancel():
            return self._busy()
        said = f"no complete answer within {self._allowed_s:.0f} s"
        return ProviderTransient(said, provider=self._provider.slug)

    def _busy(self) -> ProviderError:
        """Waiting for a turn of ours is no failing of the provider."""
        said = f"our {POOL} threads for it were busy for {self._allowed_s:.0f} s"
        return ProviderRateLimited(said, provider=self._provider.slug)


def sessions_by(options: Options) -> SessionOf:
    """Each provider's session for a batch of probes: its secrets are decrypted once, and kept no longer."""

    @cache
    def session_of(provider: Provider) -> GuardedSession:
        return sessions.for_provider(provider, adapter_of(provider), options)

    return session_of


def probing(target: Target, options: Options, session_of: SessionOf) -> Future[ProbeResult]:
    """A stream being probed, as soon as its provider has a thread free."""
    return bulkheads.submit(target.provider.pk, partial(_probe, target, options, session_of))


def reported(bug: Exception, provider: Provider, work: str) -> str:
    """Log a mistake of ours with its traceback, the provider's settings masked; what to say of it."""
    settled = map(str, provider.config.values()) if isinstance(provider.config, dict) else ()
    trace = redact("".join(traceback.format_exception(bug)), {*settled, *secrets.masks(provider)})
    _log.error("%s: our own %s of it failed:\n%s", provider.slug, work, trace)
    return f"our own {work} of it failed ({type(bug).__name__}); the log says where"


def _probe(target: Target, options: Options, session_of: SessionOf) -> ProbeResult:
    provider = target.provider
    try:
        session = session_of(provider)
        with transport.deadline(PROBE.allowed_s(provider, options)):
            delivery = Delivery(target.delivery)
            return probe_url(target.url, delivery, session, site_origin=settings.SITE_ORIGIN)
    except ProviderError as error:
        evidence = str(error)
    except Exception as bug:  # ours: it says nothing of this stream, let alone of the others
        evidence = reported(bug, provider, "probe")
    return ProbeResult(outcome=ProbeOutcome.INCONCLUSIVE, evidence=evidence[:500])
