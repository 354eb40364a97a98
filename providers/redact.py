"""Keeps secrets out of everything that people read: error texts, log lines, URLs that are shown.

Works on text alone. What is sent is never changed here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus, urlsplit

MASK = "***"
SHORTEST_SECRET = 6  # masking a shorter text would tear holes into ordinary words

_WORD = r"(?:key|token|auth|pass|pwd|secret|sign|sig|session|cookie|user|credential|policy|jwt|hmac)"
_NAME = rf"[\w.-]{{0,40}}{_WORD}[\w.-]{{0,40}}"
_SENSITIVE = re.compile(_NAME, re.IGNORECASE)
_SHAPES = (
    (re.compile(rf"(?<![\w.-])({_NAME}=)[^&\s\"'<>;]+", re.IGNORECASE), rf"\g<1>{MASK}"),  # in a query
    (re.compile(rf"([\"']{_NAME}[\"']\s*:\s*[\"'])[^\"']+", re.IGNORECASE), rf"\g<1>{MASK}"),  # in JSON
    (re.compile(r"((?:authorization|cookie|api-key)\s*:\s*)[^\r\n\"']+", re.IGNORECASE), rf"\g<1>{MASK}"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}"), rf"\g<1> {MASK}"),
    (re.compile(r"(?<=//)[^/?#\s@]{1,200}@"), f"{MASK}@"),
)


def is_sensitive(name: str) -> bool:
    """Whether a parameter or header of this name usually carries a secret."""
    return _SENSITIVE.fullmatch(name) is not None


def secrets_in(*named: Mapping[str, str]) -> set[str]:
    """The values of those parameters and headers that are secret by their name."""
    values = {value for pairs in named for name, value in pairs.items() if is_sensitive(name)}
    return values | {value.split(None, 1)[1] for value in values if len(value.split(None, 1)) == 2}


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with known secrets, and whatever looks like one, masked."""
    for secret in sorted({str(secret) for secret in secrets}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            for form in {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}:
                text = text.replace(form, MASK)
    for shape, masked in _SHAPES:
        text = shape.sub(masked, text)
    return text


def shown_url(url: str, secrets: Iterable[str] = ()) -> str:
    """A URL as people may see it: no user, no fragment, secrets of path and query masked."""
    try:
        shown = urlsplit(url)._replace(fragment="").geturl()
    except ValueError:
        shown = url
    return redact(shown[:2000], secrets)[:500]


class _NoWholeUrls(logging.Filter):
    """urllib3 logs whole URLs, keys included; we log each failure ourselves, masked."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return False
        record.msg = re.sub(r"(https?://[^/\s?)]+)[^\s)]*", r"\1/…", record.getMessage())
        record.args, record.exc_info, record.exc_text = (), None, None
        return True


def quieten_urllib3() -> None:
    """Called once by the session's module, because a filter on a parent logger would not be asked."""
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry", "urllib3.response"):
        logger = logging.getLogger(name)
        if not any(isinstance(known, _NoWholeUrls) for known in logger.filters):
            logger.addFilter(_NoWholeUrls())
