"""By which door somebody came in: who, how and from where, for whatever is audited further down.

Each door opens one context; services deep down are not handed it. Nothing is decided by it.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.db.models import TextChoices
from django.http import HttpRequest, HttpResponseBase

from core import correlation
from core.addresses import address_of

Answer = Callable[[HttpRequest], HttpResponseBase]


class Door(TextChoices):
    """The ways in."""

    API = "api", "API"
    ADMIN = "admin"
    PAGE = "page"
    COMMAND = "command"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Who:
    """Whoever acts, copied: the account's key ("" without one), and what it was called then."""

    id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an act comes from. `who` is asked when it is recorded: a request tells that after it began."""

    door: Door
    via: str = ""
    address: str = ""
    who: Callable[[], Who] = Who


_current: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


def current() -> Origin:
    """The door that the work at hand came in by. Without one it is a job's."""
    return _current.get() or Origin(door=Door.JOB)


def is_open() -> bool:
    """Whether a person stands behind the work at hand."""
    return _current.get() is not None


@contextmanager
def opened(origin: Origin) -> Iterator[None]:
    """Whatever is recorded within the block came from there."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def nobodys() -> Iterator[None]:
    """What is done within the block is nobody's act, whoever set it off: it is not audited by itself."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def at_terminal(command: str) -> Iterator[None]:
    """Whatever is recorded within the block was done by this command of manage.py. The outermost one counts:
    a command that calls others is answerable for them."""
    if is_open():
        yield
        return
    who, host = Who(name=_login_name()), socket.gethostname()[:64]
    origin = Origin(door=Door.COMMAND, via=f"manage.py {command}", address=host, who=lambda: who)
    with opened(origin), correlation.under(correlation.current() or correlation.new()):
        yield


class Doorkeeper:
    """Middleware: says of every request who sends it from where."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        via = f"{request.method} {request.path}"  # no query: tokens and searches lie there
        origin = Origin(
            door=_door_of(request.path),
            via=via,
            address=address_of(request),
            who=lambda: who_is(getattr(request, "user", None)),
        )
        with opened(origin):
            return self.get_response(request)


def who_is(user: object) -> Who:
    """An account as the audit names it. (Django REST framework puts the token's account into the request.)"""
    if not getattr(user, "is_authenticated", False):
        return Who()
    return Who(str(user.pk), user.get_username())  # type: ignore[attr-defined]


def _door_of(path: str) -> Door:
    if path.startswith("/api/"):
        return Door.API
    return Door.ADMIN if path.startswith("/admin/") else Door.PAGE


def _login_name() -> str:
    """The name of whoever is logged in to this machine; a container's user may have none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody at a terminal"
