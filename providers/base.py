"""What an adapter is: it says which requests find a movie, and reads the answers.

An adapter never sends, sleeps, retries or touches the database; whoever calls it does. That is why each one
is a single short file, tested offline from recorded answers.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, final
from urllib.parse import parse_qsl, unquote, unquote_plus, urlencode, urlsplit, urlunsplit

from core.redact import SHORTEST_SECRET
from providers.errors import ProviderBadResponse
from providers.options import ConfigField, ConfigValue, read_config
from providers.types import MovieRef, SearchAnswer, StreamCandidate

if TYPE_CHECKING:
    from providers.messages import Request, Response

log = logging.getLogger(__name__)

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PAGE = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9]")


class Capability(StrEnum):
    """What an adapter finds films by, and how its streams are delivered (the values of `Delivery`)."""

    BY_TMDB_ID = "by_tmdb_id"
    BY_IMDB_ID = "by_imdb_id"
    BY_TITLE = "by_title"
    HLS = "hls"
    DASH = "dash"
    PROGRESSIVE = "progressive"
    EMBED = "embed"


SAMPLE = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207", year=2008, runtime_min=10)
"""A film that anybody may show (CC BY 3.0), and that many sources therefore have."""


class LicensedProvider(ABC):
    """A source of streams that the operator holds a licence for.

    A subclass declares what it is, and writes `build_search` and `parse_search`. One configured instance is
    one provider; `name` is its slug, used in errors (two catalogues of one adapter are two providers).

    Raises ProviderMisconfigured when `config` does not fit `config_fields`.
    """

    slug: ClassVar[str]
    """The adapter's name for ever: it is stored, and part of every stream's key."""
    label: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    """Of the BY_ ones, any one is enough to find a film; of the others, every one that a stream may have."""
    config_fields: ClassVar[tuple[ConfigField, ...]] = ()
    volatile_params: ClassVar[frozenset[str]] = frozenset()
    """Query parameters (tokens, expiry) that change while the rendition stays the same."""
    default_priority: ClassVar[int] = 100
    """Lower comes first."""
    default_hosts: ClassVar[tuple[str, ...]] = ()
    """The hosts of its streams, where they are known: what a new provider's `allowed_hosts` begin as."""
    needs_licence_note: ClassVar[bool] = False
    """Whether it stays off until the operator has said by which licence it may be used."""
    sample: ClassVar[MovieRef] = SAMPLE
    """The film that a test of a provider searches for, unless the operator names another."""

    def __init__(self, config: Mapping[str, object], *, name: str = "") -> None:
        self.name = name or self.slug
        self.config: Mapping[str, ConfigValue] = read_config(self.config_fields, config, provider=self.name)

    @abstractmethod
    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        """The requests that find this movie's renditions; none when it lacks what that takes (an IMDb id)."""

    def build_details(self, movie: MovieRef, responses: Sequence[Response]) -> tuple[Request, ...]:
        """The second and last round, for a source that answers a search with names alone: a few requests.

        Raises ProviderBadResponse as `parse_search` does.
        """
        return ()

    @abstractmethod
    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        """Read the answers to `build_search`, then those to `build_details`, in order.

        No requests, no responses: an empty answer.
        Raises ProviderBadResponse when an answer is not what the provider documents.
        """

    @final
    def ask(self, movie: MovieRef, send: Callable[[Request], Response]) -> Iterator[Response]:
        """Both rounds of a search, sent by the caller's `send`: each answer as it comes."""
        first: list[Response] = []
        for request in self.build_search(movie):
            first.append(send(request))
            yield first[-1]
        if first:
            yield from map(send, self.build_details(movie, first))

    @final
    def read(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        """`parse_search`, less each candidate that shows a secret of ours: what it says is public.

        What is left out is counted as skipped. Raises what `parse_search` and `vet` do.
        """
        answer = self.parse_search(movie, responses)
        fit = tuple(candidate for candidate in answer.candidates if not self.reveals(candidate))
        if revealing := len(answer.candidates) - len(fit):
            log.warning("%s: %d streams left out, as they show a secret setting", self.name, revealing)
        for candidate in fit:
            self.vet(candidate)
        return replace(answer, candidates=fit, skipped=answer.skipped + revealing)

    @final
    def vet(self, candidate: StreamCandidate) -> None:
        """Raises ProviderBadResponse unless both of its addresses lead to the web.

        A stream without one could not be stored, and the other answers would be lost with it. A licence's is
        shown to viewers as a link, here and by every frontend: a script must not be in it.
        """
        scheme, page = urlsplit(self.canonical_url(candidate.url)).scheme, candidate.rights.licence_url
        if scheme not in _DEFAULT_PORTS:
            raise ProviderBadResponse(
                f"a stream is neither http nor https: {scheme[:20]!r}", provider=self.name
            )
        if page and not _PAGE.match(page):
            raise ProviderBadResponse(
                f"a licence's page is neither http nor https: {page[:200]!r}", provider=self.name
            )

    @final
    def reveals(self, candidate: StreamCandidate) -> bool:
        """Whether what is said of a stream, all of which is public, shows a secret setting of ours."""
        rights = candidate.rights
        shown = (candidate.url, candidate.ref, candidate.claimed, candidate.edition)
        told = " ".join((*shown, rights.licence, rights.licence_url, rights.attribution))
        readings = (told, unquote(told), unquote_plus(told))
        secrets = (str(self.config[field.name]) for field in self.config_fields if field.secret)
        known = [secret for secret in secrets if len(secret) >= SHORTEST_SECRET]
        return any(secret in reading for secret in known for reading in readings)

    def canonical_url(self, url: str) -> str:
        """`url` as an identity: the same rendition gives the same text, whatever its token says today.

        Scheme and host in lower case, no default port, no fragment, no volatile parameter, the rest sorted
        (RFC 3986 section 6.2). For comparing, not for fetching. Raises ProviderBadResponse on what is no URL.
        """
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host:
            raise ProviderBadResponse(f"not an absolute URL: {url[:200]!r}", provider=self.name)
        scheme = parts.scheme.lower()
        place = f"[{host}]" if ":" in host else host
        if port is not None and port != _DEFAULT_PORTS.get(scheme):
            place = f"{place}:{port}"
        kept = [
            pair
            for pair in parse_qsl(parts.query, keep_blank_values=True)
            if pair[0] not in self.volatile_params
        ]
        return urlunsplit((scheme, place, parts.path or "/", urlencode(sorted(kept)), ""))
