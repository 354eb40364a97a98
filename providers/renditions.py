"""The rendition format (docs/library-format.md): what the library and the HTTP catalogue list for a film.

One reader for both. A row that cannot be read is skipped, logged and counted, and never guessed at.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import urljoin

from providers import rows
from providers.base import LicensedProvider
from providers.errors import ProviderBadResponse
from providers.messages import Response
from providers.types import Delivery, MovieRef, Rights, SearchAnswer, StreamCandidate

log = logging.getLogger(__name__)

MAX_RENDITIONS: Final = 200
NO_SUCH_FILM: Final = frozenset({404, 410})
FRESH_FOR_S: Final = (30, 30 * 24 * 3600)
DELIVERIES: Final = {delivery.value: delivery for delivery in Delivery if delivery is not Delivery.EMBED}

_PORT = r"(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_URL = re.compile(  # what a backslash means depends on who reads it, so there is none
    rf"(?:(?:[Hh][Tt][Tt][Pp][Ss]?:)?//[A-Za-z0-9][A-Za-z0-9._-]*(?::{_PORT})?(?:[/?#][^\\]*)?"
    r"|(?![A-Za-z][A-Za-z0-9+.-]*:|//)[^\s\\][^\\]*)"
)


def listed(response: Response) -> list[object]:
    """The renditions of a film's own file. Raises ProviderBadResponse when it is none."""
    answer = response.json()
    found = answer.get("renditions") if isinstance(answer, dict) else None
    if not isinstance(found, list) or len(found) > MAX_RENDITIONS:
        raise response.bad(f'expected an object with a list "renditions" of at most {MAX_RENDITIONS}')
    return found


def answer(
    provider: LicensedProvider,
    movie: MovieRef,
    listed: Iterable[object],
    response: Response,
    *,
    skipped: int = 0,
) -> SearchAnswer:
    """What the rows say of the movie. `skipped` are rows that could not be read before it came to this."""
    found: dict[str, StreamCandidate] = {}
    for number, row in enumerate(listed):
        try:
            candidate = _candidate(row, response)
            if provider.reveals(candidate):  # or it would stand in the way of its like without
                raise ValueError("it shows a secret setting, and what is said of a stream is public")
            provider.vet(candidate)
            key = candidate.ref or provider.canonical_url(candidate.url)
            if key in found:
                raise ValueError(f"{key[:200]!r} is listed twice")
            found[key] = candidate
        except (ValueError, ProviderBadResponse) as error:
            skipped += 1
            log.warning(
                "%s: rendition %d of movie %d skipped: %s", provider.name, number, movie.tmdb_id, error
            )
    return SearchAnswer(candidates=tuple(found.values()), fresh_for_s=fresh_for_s(response), skipped=skipped)


def nothing(response: Response) -> SearchAnswer:
    """The answer "there is no such film", which holds for a while as any other does."""
    return SearchAnswer(candidates=(), fresh_for_s=fresh_for_s(response))


def fresh_for_s(response: Response) -> int | None:
    """`max-age` of RFC 9111 section 5.2.2.1, within bounds; None when the origin does not say."""
    cache_control = response.headers.get("Cache-Control", "")
    if re.search(r"\bno-(?:store|cache)\b", cache_control, re.IGNORECASE):
        return None
    told = re.search(r"(?:^|[\s,])max-age=\"?(\d{1,10})", cache_control, re.IGNORECASE)
    return min(max(int(told[1]), FRESH_FOR_S[0]), FRESH_FOR_S[1]) if told else None


def _candidate(row: object, response: Response) -> StreamCandidate:
    if not isinstance(row, dict):
        raise ValueError("a rendition must be an object")
    return StreamCandidate(
        url=_url(row, response),
        delivery=_delivery(row),
        ref=rows.text(row, "id", limit=200),
        claimed=rows.text(row, "quality", limit=100),
        edition=rows.text(row, "edition", limit=100),
        languages=rows.languages(row, "languages"),
        subtitles=rows.languages(row, "subtitles"),
        rights=_rights(rows.mapping(row, "rights")),
        url_expires_at=rows.time(row, "url_expires_at"),
    )


def _url(row: rows.Row, response: Response) -> str:
    given = row.get("url")
    if not isinstance(given, str) or not _URL.fullmatch(given) or not rows.text(row, "url", limit=2000):
        raise ValueError("url must be an http or https URL, or relative, without user name and password")
    return urljoin(response.url, given.strip())


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
