"""One adapter with one file of its recorded answers: what every rule of the kit is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from providers.base import LicensedProvider
from providers.errors import ProviderError
from providers.http import GuardedSession
from providers.messages import Request, Response
from providers.types import MovieRef, SearchAnswer, StreamCandidate
from tests.providers.kit.recorded import Answer, Recorded
from tests.providers.kit.replay import ReplayingOrigin

NAME = "mine"


class BrokenRule(AssertionError):
    """An adapter does not keep to a rule; the words say what it did, and what it should."""


def insist(kept: object, words: str) -> None:
    """Raises BrokenRule unless `kept`. (Plain `assert` says nothing outside of test modules.)"""
    if not kept:
        raise BrokenRule(words)


@dataclass(frozen=True)
class Case:
    """What rules need: the adapter, what was recorded of its provider, and where that is replayed."""

    adapter: type[LicensedProvider]
    recorded: Recorded
    origin: ReplayingOrigin

    @property
    def movie(self) -> MovieRef:
        return self.recorded.movie

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of its secret settings."""
        named = (field.name for field in self.adapter.config_fields if field.secret)
        return tuple(str(self.recorded.config[name]) for name in named if name in self.recorded.config)

    def provider(self) -> LicensedProvider:
        return self.adapter(self.recorded.config, name=NAME)

    def answers(self, situation: str) -> tuple[Answer, ...]:
        return self.recorded.situations[situation]

    def responses(self, script: Sequence[Answer], *, deadline_s: float | None = None) -> list[Response]:
        """What a guarded session brings home while the origin plays `script`. Raises ProviderError."""
        provider = self.provider()
        with (
            self.origin.playing(script),
            GuardedSession(
                provider=NAME, trusted_origins=self.origin.urls, max_retries=0, secrets=self.secrets
            ) as session,
        ):
            return list(provider.ask(self.movie, _hurried(session, deadline_s)))

    def search(self, script: Sequence[Answer], *, deadline_s: float | None = None) -> SearchAnswer:
        """The whole search, as Marquee does it. Raises ProviderError."""
        return self.provider().read(self.movie, self.responses(script, deadline_s=deadline_s))

    def normal(self) -> tuple[StreamCandidate, ...]:
        return self.search(self.answers("normal")).candidates

    def with_failure(self, failure: Answer) -> Iterator[list[Answer]]:
        """`normal` with this failure in place of its first answer, of its second, and so on to its last."""
        for before, _ in self._positions():
            yield [*before, failure]

    def spoilt(self, how: str) -> Iterator[list[Answer]]:
        """`normal`, of which the first answer, the second, … is huge, slow or cut off."""
        for before, answer in self._positions():
            yield [*before, replace(answer, how=how)]

    def _positions(self) -> Iterator[tuple[list[Answer], Answer]]:
        """For each request of a normal search: the answers before it, and its own."""
        normal = self.answers("normal")
        self.responses(normal)
        played = [normal[min(n, len(normal) - 1)] for n in range(len(self.origin.asked))]
        for position, answer in enumerate(played):
            yield played[:position], answer

    def failure(self, script: Sequence[Answer], *, deadline_s: float | None = None) -> ProviderError:
        """The error that a search ends with; BrokenRule when it ends with an answer instead."""
        try:
            found = self.search(script, deadline_s=deadline_s)
        except ProviderError as error:
            return error
        raise BrokenRule(f"a failure became an answer with {len(found.candidates)} candidates")


def _hurried(session: GuardedSession, deadline_s: float | None) -> Callable[[Request], Response]:
    if deadline_s is None:
        return session.send
    return lambda request: session.send(replace(request, deadline_s=deadline_s))
