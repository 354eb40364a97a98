"""A mistake of ours in words that staff may read: one sentence, and the traceback with every secret masked.

Both fit their columns on every database. Nothing is decided here.
"""

from __future__ import annotations

import logging
import traceback
from typing import NamedTuple

from core.redact import redact
from ingestion.slots import Lease
from providers import secrets

logger = logging.getLogger(__name__)

SENTENCE_CHARS = 500
FRAMES, TRACEBACK_CHARS = 50, 20_000
UNCUT = 5
"""So many times as much is masked before it is cut: a secret that the cut divides would not be known."""


class Told(NamedTuple):
    """What is said of a bug."""

    sentence: str
    traceback: str


def told(bug: Exception, where: object, lease: Lease) -> Told:
    """What to say of a bug, which is said in the process's own log as well. A database that is away is waited
    for: it knows the providers' secrets."""
    known = lease.written(secrets.all_masks)
    trace = "".join(traceback.format_exception(bug, limit=-FRAMES))[-UNCUT * TRACEBACK_CHARS :]
    trace = _legible(redact(trace, known))[-TRACEBACK_CHARS:]
    logger.error("%s failed by a bug:\n%s", where, trace)
    said = _legible(redact(f"{type(bug).__name__}: {bug}"[: UNCUT * SENTENCE_CHARS], known))
    return Told(" ".join(said.split())[:SENTENCE_CHARS].removesuffix(":"), trace)


def _legible(text: str) -> str:
    """The text as every database takes it: PostgreSQL has no room for a NUL, UTF-8 none for half a pair."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")
