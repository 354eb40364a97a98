"""The library adapter: a static origin with one small JSON file per film (docs/library-format.md).

It builds requests and reads answers. It fetches nothing, and believes no claim: measuring is the probe's.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urljoin, urlsplit

from providers import rows
from providers.base import Capability, LicensedProvider
from providers.errors import ProviderBadResponse
from providers.messages import Request, Response
from providers.options import ConfigField, ConfigKind
from providers.types import Delivery, MovieRef, Rights, SearchAnswer, StreamCandidate

log = logging.getLogger(__name__)

MAX_FILE_BYTES: Final = 1_000_000
MAX_RENDITIONS: Final = 200
FRESH_FOR_S: Final = (30, 30 * 24 * 3600)
NO_SUCH_FILM: Final = frozenset({404, 410})
DELIVERIES: Final = {delivery.value: delivery for delivery in Delivery if delivery is not Delivery.EMBED}


class Library(LicensedProvider):
    """A folder behind a web server, holding HLS, DASH and progressive renditions."""

    slug = "library"
    label = "Library"
    capabilities = frozenset({Capability.BY_TMDB_ID, Capability.HLS, Capability.DASH, Capability.PROGRESSIVE})
    default_priority = 10
    config_fields = (
        ConfigField(
            name="base_url",
            label="Base URL",
            kind=ConfigKind.URL,
            required=True,
            help="Where the library's folder is served; it holds movies/<TMDB id>.json.",
        ),
    )

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        url = f"{self.config['base_url']}/movies/{movie.tmdb_id}.json"
        return (Request(url=url, max_bytes=MAX_FILE_BYTES, accept_statuses=NO_SUCH_FILM),)

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        if not responses:
            return SearchAnswer(candidates=())
        (response,) = responses
        fresh_for_s = _fresh_for_s(response.headers.get("Cache-Control", ""))
        if response.status in NO_SUCH_FILM:
            return SearchAnswer(candidates=(), fresh_for_s=fresh_for_s)
        found: dict[str, StreamCandidate] = {}
        listed = self._renditions(response)
        for number, row in enumerate(listed):
            try:
                candidate = _candidate(row, base=response.url)
                key = candidate.ref or self.canonical_url(candidate.url)
                if key in found:
                    raise ValueError(f"{key[:200]!r} is listed twice")
                found[key] = candidate
            except (ValueError, ProviderBadResponse) as error:
                log.warning(
                    "%s: rendition %d of movie %d skipped: %s", self.name, number, movie.tmdb_id, error
                )
        return SearchAnswer(
            candidates=tuple(found.values()), fresh_for_s=fresh_for_s, skipped=len(listed) - len(found)
        )

    def _renditions(self, response: Response) -> list[object]:
        answer = response.json()
        listed = answer.get("renditions") if isinstance(answer, dict) else None
        if not isinstance(listed, list) or len(listed) > MAX_RENDITIONS:
            raise response.bad(f'expected an object with a list "renditions" of at most {MAX_RENDITIONS}')
        return listed


def _candidate(row: object, *, base: str) -> StreamCandidate:
    if not isinstance(row, dict):
        raise ValueError("a rendition must be an object")
    return StreamCandidate(
        url=_url(row, base),
        delivery=_delivery(row),
        ref=rows.text(row, "id", limit=200),
        claimed=rows.text(row, "quality", limit=100),
        edition=rows.text(row, "edition", limit=100),
        languages=rows.languages(row, "languages"),
        subtitles=rows.languages(row, "subtitles"),
        rights=_rights(rows.mapping(row, "rights")),
        url_expires_at=rows.time(row, "url_expires_at"),
    )


def _url(row: rows.Row, base: str) -> str:
    given = rows.text(row, "url", limit=2000)
    if not given or not _is_reference(given):
        raise ValueError("url must be an http or https URL, or relative, without user name and password")
    return urljoin(base, given)


def _is_reference(url: str) -> bool:
    """Relative, or an http or https URL that names a host and no user."""
    try:
        parts = urlsplit(url)
        if not parts.scheme and not parts.netloc:
            return True
        named = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # brackets without an address, a port that is none
        return False
    return named and parts.scheme in {"", "http", "https"}


def _delivery(row: rows.Row) -> Delivery:
    given = row.get("delivery")
    if not isinstance(given, str) or given not in DELIVERIES:
        raise ValueError(f"delivery must be one of {', '.join(DELIVERIES)}, got {str(given)[:40]!r}")
    return DELIVERIES[given]


def _rights(row: Mapping[str, object]) -> Rights:
    return Rights(
        licence=rows.text(row, "licence", limit=500),
        licence_url=rows.text(row, "licence_url", limit=500),
        attribution=rows.text(row, "attribution", limit=500),
        territories=rows.countries(row, "territories"),
        valid_from=rows.time(row, "valid_from"),
        valid_until=rows.time(row, "valid_until"),
    )


def _fresh_for_s(cache_control: str) -> int | None:
    """`max-age` of RFC 9111 section 5.2.2.1, within bounds; None when the origin does not say."""
    if re.search(r"\bno-(?:store|cache)\b", cache_control, re.IGNORECASE):
        return None
    told = re.search(r"(?:^|[\s,])max-age=\"?(\d{1,10})", cache_control, re.IGNORECASE)
    return min(max(int(told[1]), FRESH_FOR_S[0]), FRESH_FOR_S[1]) if told else None
