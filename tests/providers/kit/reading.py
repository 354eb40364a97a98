"""Rules on how an adapter reads answers that came: recorded ones, and such as no provider should give."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from providers.errors import ProviderBadResponse, ProviderError
from providers.types import SearchAnswer, StreamCandidate
from tests.providers.kit.case import BrokenRule, Case, insist
from tests.providers.kit.recorded import Answer

GARBAGE = (
    b"",
    b" \n",
    b"[[[[",
    b"\x00\xff\xfe\x00",
    b"<html><body>Just a moment...</body></html>",
    b"[" * 100_000,
)
"""What is an answer of nobody's: it has to be an error."""
ODD = (
    b"null",
    b"7",
    b"[]",
    b"{}",
    b'"text"',
    b'{"a": NaN, "b": 1e999}',
    b'{"renditions": 7, "response": []}',
)
"""What somebody may have meant: an error, or an answer without candidates."""
MARK = "changed-by-the-kit"


def reads_what_is_recorded(case: Case) -> None:
    found = case.normal()
    expected = case.recorded.candidates
    insist(len(found) == len(expected), f"{len(found)} candidates instead of the {len(expected)} recorded")
    for candidate, fields in zip(found, expected, strict=True):
        for name, value in fields.items():
            got = _told(candidate, name)
            insist(got == value, f"{name} of a candidate is {got!r}, and {value!r} is recorded")


def delivers_what_it_declares(case: Case) -> None:
    declared = {capability.value for capability in case.adapter.capabilities}
    for candidate in case.normal():
        insist(candidate.delivery.value in declared, f"{candidate.delivery} is not among its capabilities")


def says_by_which_rights(case: Case) -> None:
    for candidate in case.normal():
        rights = candidate.rights
        insist(rights.licence or rights.licence_url, f"{candidate.url} is offered without a licence")


def gives_equal_frozen_answers(case: Case) -> None:
    responses = case.responses(case.answers("normal"))
    provider = case.provider()
    first, second, third = (
        reader.parse_search(case.movie, responses) for reader in (provider, provider, case.provider())
    )
    insist(first == second == third, "reading the same answers again gives something else")
    for value in (first, *first.candidates):
        insist(_is_frozen(value), f"a {type(value).__name__} can be changed")
    hash(first)


def keeps_the_identity_of_a_rendition(case: Case) -> None:
    found = case.normal()
    keys = _keys(case, found)
    insist(len(set(keys)) == len(keys), "two candidates have the same identity")
    for candidate in found:
        renewed = [_with_param(candidate.url, name) for name in sorted(case.adapter.volatile_params)]
        identities = {case.provider().canonical_url(url) for url in [candidate.url, *renewed]}
        insist(len(identities) == 1, "another value of a volatile parameter makes another rendition")
        insist(
            identities == {case.provider().canonical_url(*identities)},
            "an identity has an identity of its own",
        )
    if "renewed" in case.recorded.situations:
        later = case.search(case.answers("renewed")).candidates
        insist(_keys(case, later) == keys, "the same renditions with new tokens have another identity")


def takes_nothing_for_nothing(case: Case) -> None:
    insist(
        case.provider().parse_search(case.movie, ()) == SearchAnswer(candidates=()), "no answers, yet a find"
    )
    found = case.search(case.answers("empty"))
    insist(not found.candidates, "an empty answer has candidates")
    insist(not found.skipped, "an empty answer counts as one with rows that could not be read")


def refuses_what_it_cannot_read(case: Case) -> None:
    malformed = case.failure(case.answers("malformed"))
    insist(isinstance(malformed, ProviderBadResponse), f"a malformed answer is a {type(malformed).__name__}")
    for body in GARBAGE:
        for script in case.with_failure(Answer(body=body)):
            words = f"{body[:20]!r} for an answer"
            insist(isinstance(case.failure(script), ProviderBadResponse), f"{words} is no bad response")
    for body in ODD:
        for script in case.with_failure(Answer(body=body)):
            insist(not _candidates(case, script), f"{body[:20]!r} for an answer gives candidates")


def keeps_secrets(case: Case) -> None:
    """Neither what people read, log lines included, nor what viewers are sent to holds a secret setting."""
    with _overheard() as texts:
        texts += [repr(request) for request in case.provider().build_search(case.movie)]
        texts += [repr(response) for response in case.responses(case.answers("normal"))]
        texts.append(repr(case.normal()))
        for status in (200, 401, 500):
            try:
                texts.append(repr(case.search([Answer(status=status, how="echo")])))
            except ProviderError as error:
                texts += [str(error), repr(error), repr(error.context)]
    for secret in case.secrets:
        insist(len(secret) >= 12, "a recorded secret is too short for a leak of it to be seen")
        for text in texts:
            insist(secret not in text, f"a secret setting shows in: {text.replace(secret, '<SECRET>')[:200]}")


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """What is logged meanwhile, at whichever level."""
    lines: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, listener = logging.getLogger(), Listener()
    level = root.level
    root.addHandler(listener)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.removeHandler(listener)
        root.setLevel(level)


def _candidates(case: Case, script: Sequence[Answer]) -> Sequence[StreamCandidate]:
    try:
        found = case.search(script)
    except ProviderBadResponse:
        return ()
    except ProviderError as error:
        raise BrokenRule(f"an odd answer is a {type(error).__name__}, and no bad response") from error
    return found.candidates if len(script) == 1 else ()


def _told(candidate: StreamCandidate, name: str) -> Any:
    holder: Any = candidate if hasattr(candidate, name) else candidate.rights
    value = getattr(holder, name)
    return list(value) if isinstance(value, tuple) else value


def _keys(case: Case, candidates: Sequence[StreamCandidate]) -> list[str]:
    provider = case.provider()
    return [candidate.ref or provider.canonical_url(candidate.url) for candidate in candidates]


def _with_param(url: str, name: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{name}={MARK}"


def _is_frozen(value: Any) -> bool:
    try:
        setattr(value, dataclasses.fields(value)[0].name, None)
    except dataclasses.FrozenInstanceError:
        return True
    return False
