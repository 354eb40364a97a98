"""What is asked of somebody else's server and what it answered, as values. Nothing is sent here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from core.redact import beginning, secrets_in, shown_url
from providers.errors import ProviderBadResponse

EXCERPT = 2_000
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Request:
    """One GET. `range` is the first and last byte wanted, both included.

    `deadline_s` bounds one attempt from its first look-up to its last byte, redirects included; retries,
    and waiting for the throttle, have limits of their own. `max_bytes` counts the decoded body.
    `accept_statuses` are those above 399 that are an answer all the same ("404: there is none").
    """

    url: str
    params: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    headers: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    range: tuple[int, int] | None = None
    max_bytes: int = 2_000_000
    deadline_s: float = 15.0
    max_redirects: int = 5
    accept_statuses: frozenset[int] = frozenset()

    def __repr__(self) -> str:
        """Only where it goes: a key may be in path or query, and it is the session that knows them."""
        place = re.split("(?<![:/])[/?#]", shown_url(self.url, self.secrets), maxsplit=1)[0]
        return f"Request(GET {place}/…)"

    @property
    def secrets(self) -> set[str]:
        return secrets_in(self.params, self.headers)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Response:
    """An answer, read to its end or to the request's `max_bytes` (then `truncated`). `url` is the final one.

    `elapsed_ms` is the time on the wire of the attempt that succeeded; `shown` says for people what was
    asked of whom, and `secrets` is what must be masked in anything quoted from the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    elapsed_ms: int = 0
    truncated: bool = False
    redirects: int = 0
    provider: str = ""
    shown: str = ""
    secrets: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"Response({self.status}, {len(self.body)} bytes, {self.shown or shown_url(self.url)})"

    def text(self) -> str:
        """The body as text, by the charset that it declares, else UTF-8; undecodable bytes are replaced."""
        charset = get_encoding_from_headers(CaseInsensitiveDict(self.headers))
        declared = "charset" in self.headers.get("content-type", "").lower()
        try:
            return self.body.decode(charset if charset and declared else "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; ProviderBadResponse if it is none, or is nested beyond reason."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            pass
        raise self.bad("the answer is not JSON")

    def bad(self, problem: str) -> ProviderBadResponse:
        """The error to raise when this answer is not what its documentation promises."""
        return ProviderBadResponse(
            problem,
            provider=self.provider,
            request=self.shown,
            status=self.status,
            answer=self.excerpt(),
        )

    def excerpt(self) -> str:
        """The beginning of the body, for people: secrets masked."""
        return beginning(self.text(), EXCERPT, self.secrets)
