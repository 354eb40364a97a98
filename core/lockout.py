"""Wrong passwords, counted for each name over all addresses and processes: after ten, one attempt a pause.

Names that nobody has are counted like others, and a refusal says nothing of them: a lock tells nobody that an
account exists. Nor can it keep anybody out for good: it is a pause of a quarter of an hour at most, and an
address from which the account has signed in lately is counted apart from all the others.

Counted in the shared cache; while that is away, by each process for itself (`core.throttles`).
"""

from __future__ import annotations

import logging
import math
import time
from hashlib import sha256
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from core import addresses, throttles
from core.names import fold

logger = logging.getLogger(__name__)

FREE = 10
FIRST_PAUSE_S = 60
LONGEST_PAUSE_S = 15 * 60
FORGOTTEN_AFTER_S = 24 * 3600
ADDRESS_KNOWN_FOR_S = 30 * 24 * 3600


class Paused(ValidationError):
    """Signing in to this name has to wait `left_s` seconds. As a form's error it is shown by the admin."""

    def __init__(self, left_s: int) -> None:
        super().__init__(sentence(left_s), code="paused")
        self.left_s = left_s


class Backend(ModelBackend):
    """Django's own accounts, by name and password: what the API and the admin's form ask alike."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The account, or None. Raises Paused, and then no password was looked at."""
        if username is None or password is None:
            return None
        name = fold(username)
        address = addresses.address_of(request) if request is not None else "unknown"
        counted = _counted_by(name, address)
        _admit(counted)
        user = super().authenticate(request, username=name, password=password)
        if user is not None:
            throttles.counter.forget(counted, f"{counted}:pause")
            throttles.counter.note(_known(name, address), 1, for_s=ADDRESS_KNOWN_FOR_S)
        return user

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """The same. Django's own would ask past it."""
        return await sync_to_async(self.authenticate)(request, username, password)


def sentence(left_s: int) -> str:
    return f"Too many attempts for this name. Please try again in {left_s} s."


def pause_s(attempts: int) -> int:
    """How long the next attempt has to wait after so many within a day: 0, then a minute, doubling. Pure."""
    beyond = attempts - FREE
    return 0 if beyond < 0 else min(FIRST_PAUSE_S << min(beyond, 10), LONGEST_PAUSE_S)


def _admit(counted: str) -> None:
    """Count an attempt before its password is looked at, so that a hundred at once are a hundred.

    Those that are refused are not counted: whoever is impatient does not make it longer. Raises Paused.
    """
    pausing = f"{counted}:pause"
    _refuse_until(throttles.counter.read(pausing))
    attempts = throttles.counter.add(counted, for_s=FORGOTTEN_AFTER_S)
    if not (pause := pause_s(attempts)):
        return
    if not throttles.counter.note(pausing, time.time() + pause, for_s=pause, once=True):
        raise Paused(pause)  # somebody else's attempt, at the same moment, was let through
    logger.warning("%d attempts to sign in with one name: the next one has to wait %d s", attempts, pause)


def _refuse_until(moment: float | None) -> None:
    if moment is not None and (left_s := math.ceil(moment - time.time())) > 0:
        raise Paused(left_s)


def _counted_by(name: str, address: str) -> str:
    """The key under which attempts of this kind are counted."""
    known = throttles.counter.read(_known(name, address)) is not None
    return f"sign-in:{_digest(name, address)}" if known else f"sign-in:{_digest(name)}"


def _known(name: str, address: str) -> str:
    return f"sign-in:known:{_digest(name, address)}"


def _digest(*words: str) -> str:
    """People type passwords where their name belongs: none of that is kept readable."""
    return sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:32]
