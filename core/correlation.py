"""One id for all that a request or a run sets off: every log line, run and answer carries it.

It says what belongs together, and no more: nobody is believed for it, and nothing is decided by it. Providers
are not told: a caller chooses it, and what others learn of us is no caller's choice. Each call to one is
logged under it instead.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from django.http import HttpRequest, HttpResponseBase

from core.ids import uuid7

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:=-]{1,64}")
"""What proxies make of it (hexadecimal, UUIDs, `Root=1-…`), and nothing that could forge a log line."""
_current: ContextVar[str] = ContextVar("correlation_id", default="")

T = TypeVar("T")
Answer = Callable[[HttpRequest], HttpResponseBase]


def current() -> str:
    """The id of the work at hand, "" when nobody gave it one. A new thread starts without (see `carried`)."""
    return _current.get()


def new() -> str:
    """An id that nothing else has; later ones sort later."""
    return str(uuid7())


@contextmanager
def under(correlation_id: str) -> Iterator[None]:
    """Everything that is done within the block belongs to this id."""
    token = _current.set(correlation_id)
    try:
        yield
    finally:
        _current.reset(token)


def carried(work: Callable[[], T]) -> Callable[[], T]:
    """The same work, for another thread to do under this one's id."""
    correlation_id = current()

    def under_ours() -> T:
        with under(correlation_id):
            return work()

    return under_ours


class Correlate:
    """Middleware, the outermost: takes the caller's X-Request-ID if it is well-formed, else makes one, and
    gives it back with every answer of Django's, errors included."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get(HEADER, "")
        with under(given if _WELL_FORMED.fullmatch(given) else new()):
            response = self.get_response(request)
            response[HEADER] = current()
            return response


class Stamp(logging.Filter):
    """Gives every record its `correlation_id`; "-" for one that belongs to nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = current() or "-"
        return True
