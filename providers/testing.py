"""A provider tried out step by step, so that an operator sees within seconds what works, what not, and why.

Nothing is written, neither to its health nor to the catalogue: a slip in a form is no outage, and a film that
was made up no finding. Its pace counts all the same, for that is between it and all of our processes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from django.conf import settings

from core import audit, conf
from core.audit import Action
from core.options import Options
from core.redact import shown_url
from providers import secrets, sessions, transport, words
from providers.base import LicensedProvider
from providers.calls import bulkheads, reported
from providers.errors import ProviderBadResponse, ProviderError, ProviderTransient
from providers.http import GuardedSession
from providers.messages import Response
from providers.models import Provider
from providers.probe import probe
from providers.readiness import adapter_of
from providers.types import MovieRef, ProbeOutcome, ProbeResult, SearchAnswer, StreamCandidate

WITHIN_S: Final = 20.0
CANDIDATES_SHOWN: Final = 20


class State(StrEnum):
    OK = "ok"
    FAILED = "failed"
    NOT_REACHED = "not_reached"


class StepName(StrEnum):
    """In the order in which they are taken: what fails is as far as it goes."""

    SETTINGS = "settings"
    CONNECTION = "connection"
    ANSWER = "answer"
    STREAMS = "streams"
    PLAYABLE = "playable"


@dataclass(slots=True)
class Step:
    """One step: what was asked and what came of it, secrets masked, and what that means for an operator."""

    name: StepName
    state: State = State.NOT_REACHED
    asked: str = ""
    came: str = ""
    means: str = ""
    took_ms: int = 0


@dataclass(slots=True)
class Report:
    """What came of it. `candidates` are at most CANDIDATES_SHOWN of `found`, their URLs masked."""

    provider: str
    movie: MovieRef
    steps: list[Step] = field(default_factory=lambda: [Step(name) for name in StepName])
    found: int = 0
    candidates: list[StreamCandidate] = field(default_factory=list)
    probe: ProbeResult | None = None
    took_ms: int = 0

    @property
    def works(self) -> bool:
        return all(step.state is State.OK for step in self.steps)

    @property
    def failed(self) -> Step | None:
        """The step that it ended at."""
        return next((step for step in self.steps if step.state is State.FAILED), None)


def try_out(provider: Provider, movie: MovieRef, *, within_s: float = WITHIN_S) -> Report:
    """Search a provider, enabled or not, for a movie, and probe the first stream that it offers.

    Without retries, which would hide from the operator what he came to see. Never raises for what the other
    side does, and returns within about `within_s` seconds.
    """
    with audit.act(Action.PROVIDER_TEST, provider.pk, name=provider.label) as deed:
        report = _try_out(provider, movie, within_s)
        result = f"{report.failed.name} failed" if report.failed else "it works"
        deed.changed(after={"movie": movie.title, "result": result})
    return report


def _try_out(provider: Provider, movie: MovieRef, within_s: float) -> Report:
    began = time.monotonic()
    attempt = _Attempt(provider, movie, replace(conf.current(), max_retry_attempts=0), within_s)
    done = bulkheads.submit(provider.pk, attempt.run)
    wait([done], within_s)
    done.cancel()  # of no use any more if it still waits for a thread
    report = attempt.report_now(within_s)
    report.took_ms = _since(began)
    return report


class _Stopped(Exception):
    """A step failed, and has said so."""


class _Attempt:
    """The steps, one after the other, on a thread that may be left behind."""

    def __init__(self, provider: Provider, movie: MovieRef, options: Options, within_s: float) -> None:
        self._provider, self._movie, self._options = provider, movie, options
        self._until = time.monotonic() + within_s
        self._report = Report(provider=provider.slug, movie=movie)

    def run(self) -> None:
        try:
            with transport.deadline(self._until - time.monotonic()):
                adapter, session = self._settings()
                asking = adapter.ask(self._movie, session.send)
                answer = self._answer(adapter, self._connection(asking), asking)
                self._playable(session, self._streams(answer))
        except _Stopped:
            return

    def report_now(self, within_s: float) -> Report:
        """A copy as it stands, whatever the thread still does to its own. A step under way has failed."""
        seen = replace(self._report, steps=[replace(step) for step in self._report.steps])
        if not seen.works and seen.failed is None:
            current = next(step for step in seen.steps if step.state is not State.OK)
            current.state, current.means = State.FAILED, words.OVERDUE
            current.came = f"nothing within {within_s:g} s, which is all that a test may take"
        return seen

    def _settings(self) -> tuple[LicensedProvider, GuardedSession]:
        with self._step(StepName.SETTINGS) as step:
            adapter = adapter_of(self._provider)
            session = sessions.for_provider(self._provider, adapter, self._options)
            step.came = f"complete, as the adapter {adapter.label} wants them"
        return adapter, session

    def _connection(self, asking: Iterator[Response]) -> Response | ProviderError:
        """The first answer, or the refusal that shows that somebody is there."""
        with self._step(StepName.CONNECTION) as step:
            first: Response | ProviderError | None
            try:
                first = next(asking, None)
            except ProviderError as error:
                if not _was_reached(error):
                    raise
                first = error
            if first is None:
                step.means = words.NOTHING_TO_ASK
                raise _Stopped
            step.asked = first.request if isinstance(first, ProviderError) else first.shown
            step.came = "the host answers"
        return first

    def _answer(
        self, adapter: LicensedProvider, first: Response | ProviderError, rest: Iterator[Response]
    ) -> SearchAnswer:
        with self._step(StepName.ANSWER) as step:
            if isinstance(first, ProviderError):
                raise first
            responses = [first, *rest]
            step.asked, step.came = responses[-1].shown, "; ".join(map(words.summary, responses))
            return adapter.read(self._movie, responses)

    def _streams(self, answer: SearchAnswer) -> StreamCandidate:
        with self._step(StepName.STREAMS) as step:
            masks = secrets.masks(self._provider)
            self._report.found = len(answer.candidates)
            self._report.candidates = [
                replace(each, url=shown_url(each.url, masks)) for each in answer.candidates[:CANDIDATES_SHOWN]
            ]
            step.asked, step.came = words.film(self._movie), words.found(answer)
            if not answer.candidates:
                step.means = words.NO_STREAMS
                raise _Stopped
        return answer.candidates[0]

    def _playable(self, session: GuardedSession, candidate: StreamCandidate) -> None:
        with self._step(StepName.PLAYABLE) as step:
            step.asked = self._report.candidates[0].url
            result = probe(candidate.url, candidate.delivery, session, site_origin=settings.SITE_ORIGIN)
            self._report.probe = result
            step.came, step.means = result.evidence, words.PROBED[result.outcome]
            if result.outcome is not ProbeOutcome.OK:
                raise _Stopped

    @contextmanager
    def _step(self, name: StepName) -> Iterator[Step]:
        began, step = time.monotonic(), next(step for step in self._report.steps if step.name is name)
        try:
            yield step
            step.state = State.OK
        except _Stopped:
            step.state = State.FAILED
            raise
        except ProviderError as error:
            step.asked, step.came = error.request or step.asked, words.said(error)
            step.means, step.state = words.meaning(error), State.FAILED
            raise _Stopped from None
        except Exception as bug:  # ours: a page that says so is more use than one that breaks
            step.came, step.means = reported(bug, self._provider, "test"), words.OUR_BUG
            step.state = State.FAILED
            raise _Stopped from None
        finally:
            step.took_ms = _since(began)


def _was_reached(error: ProviderError) -> bool:
    """Whether an error shows that somebody is there: it came with a status, too slow, or garbled."""
    if isinstance(error, ProviderTransient):
        return not error.unreachable
    return error.status is not None or isinstance(error, ProviderBadResponse)


def _since(began: float) -> int:
    return round(1000 * (time.monotonic() - began))
