"""Keeps secrets out of everything that people read: error texts, log lines, URLs that are shown.

Works on text alone. What is sent is never changed here.
"""

from __future__ import annotations

import base64
import html
import json
import logging
import re
from collections.abc import Iterable, Mapping
from functools import partial
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
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MASK),  # a JSON Web Token
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
    if forms := _forms(secrets):
        text = re.sub("|".join(map(re.escape, forms)), MASK, text, flags=re.IGNORECASE)
    for shape, masked in _SHAPES:
        text = shape.sub(masked, text)
    return text


def beginning(text: str, length: int, secrets: Iterable[str] = ()) -> str:
    """The first `length` characters, masked. A secret that the cut would divide is left out whole: nobody
    could tell its first half for what it is."""
    folded, forms, uncut = _folded(text), [_folded(form) for form in _forms(secrets)], length + 1
    while length < uncut:
        uncut = length
        for form in forms:
            at = folded.rfind(form, 0, length + len(form) - 1)
            if 0 <= at < length < at + len(form):
                length = at
    return redact(text[:length], secrets)


def _folded(text: str) -> str:
    """In lower case, and as long as it was: a few letters (İ) become two, and all after them would shift."""
    return "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)


def _forms(secrets: Iterable[str]) -> list[str]:
    """Each secret in every spelling that servers, URLs and Python quote it in, URLs within URLs included;
    the longest first."""
    known = {str(secret) for secret in secrets if len(str(secret)) >= SHORTEST_SECRET}
    spellings = (
        str,
        partial(quote, safe=""),
        quote,
        quote_plus,
        html.escape,
        _in_json,
        _in_python,
        _in_base64,
    )
    spelt = {spell(secret) for secret in known for spell in spellings}
    return sorted(
        spelt | {quote(form, safe=safe) for form in spelt for safe in ("", "/")}, key=len, reverse=True
    )


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_python(text: str) -> str:
    return repr(text)[1:-1]


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")


def shown_url(url: str, secrets: Iterable[str] = ()) -> str:
    """A URL as people may see it: no user, no fragment, secrets of path and query masked."""
    try:
        shown = urlsplit(url)._replace(fragment="").geturl()
    except ValueError:
        shown = url
    return beginning(shown, 2000, secrets)[:500]


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
