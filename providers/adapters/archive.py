"""The Internet Archive: films that their uploaders licensed to all, or gave to the public domain.

It builds requests and reads answers. It fetches nothing, and believes no claim: measuring is the probe's.
Sources: https://archive.org/help/aboutsearch.htm (search), https://archive.org/developers/md-read.html (an
item's metadata).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from providers import archive_rows as items
from providers import titles
from providers.archive_rows import IDENTIFIER, YEARS_APART
from providers.base import Capability, LicensedProvider
from providers.messages import Request, Response
from providers.options import ConfigField, ConfigKind
from providers.rows import Row
from providers.types import Delivery, MovieRef, SearchAnswer, StreamCandidate

log = logging.getLogger(__name__)

MAX_ITEMS: Final = 4
MAX_FILES: Final = 6
SEARCHED: Final = 50
MAX_ANSWER_BYTES: Final = 4_000_000
_FIELDS: Final = "identifier,title,year,date,licenseurl,mediatype,access-restricted-item"


class Archive(LicensedProvider):
    """The Internet Archive's films whose licence lets everybody show them."""

    slug = "archive"
    label = "Internet Archive"
    capabilities = frozenset({Capability.BY_TITLE, Capability.PROGRESSIVE})
    default_priority = 50
    default_hosts = ("archive.org", "*.archive.org")  # a download redirects to one of many machines
    config_fields = (
        ConfigField(
            name="base_url",
            label="Base URL",
            kind=ConfigKind.URL,
            default="https://archive.org",
            help="The Internet Archive, or a mirror that answers as it does.",
        ),
        ConfigField(
            name="public_domain_only",
            label="Public domain only",
            kind=ConfigKind.BOOLEAN,
            help="Leave out Creative Commons licences, which ask for attribution.",
        ),
        ConfigField(
            name="non_commercial",
            label="Non-commercial licences too",
            kind=ConfigKind.BOOLEAN,
            help="Take films that only a service without commercial advantage may show, too.",
        ),
        ConfigField(
            name="collection",
            label="Collection",
            help="Take items of this collection alone, for example feature_films. Empty: of any.",
        ),
    )

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        if movie.year is None or not titles.fold(movie.title):
            return ()
        params = {
            "q": self._query(movie, movie.year),
            "fl[]": _FIELDS,
            "sort[]": "downloads desc",
            "rows": str(SEARCHED),
            "page": "1",
            "output": "json",
        }
        url = f"{self.config['base_url']}/advancedsearch.php"
        return (Request(url=url, params=params, max_bytes=MAX_ANSWER_BYTES),)

    def build_details(self, movie: MovieRef, responses: Sequence[Response]) -> tuple[Request, ...]:
        identifiers, _ = self._matching(movie, responses[0])
        base = f"{self.config['base_url']}/metadata"
        return tuple(Request(url=f"{base}/{name}", max_bytes=MAX_ANSWER_BYTES) for name in identifiers)

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        if not responses:
            return SearchAnswer(candidates=())
        search, *details = responses
        identifiers, skipped = self._matching(movie, search)
        found: list[StreamCandidate] = []
        for identifier, detail in zip(identifiers, details, strict=True):
            candidates, unreadable = self._files_of(movie, identifier, detail)
            found += candidates
            skipped += unreadable
        return SearchAnswer(candidates=tuple(found), skipped=skipped)

    def _query(self, movie: MovieRef, year: int) -> str:
        """Lucene's syntax. Years and licences are only narrowed here; what counts is read from the answer."""
        names = [name for name in dict.fromkeys((movie.title, movie.original_title)) if name]
        years = [str(near) for near in range(year - YEARS_APART, year + YEARS_APART + 1)]
        licences = "publicdomain" if self.config["public_domain_only"] else "creativecommons"
        parts = [
            "mediatype:movies",
            f"title:({' OR '.join(map(_quoted, names))})",
            f"(year:[{years[0]} TO {years[-1]}] OR title:({' OR '.join(years)}))",
            f"licenseurl:*{licences}*",
        ]
        if collection := str(self.config["collection"]):
            parts.append(f"collection:{_quoted(collection)}")
        return " AND ".join(parts)

    def _matching(self, movie: MovieRef, search: Response) -> tuple[list[str], int]:
        """The items that are this film and may be shown, most wanted first; how many could not be read."""
        answer = search.json()
        docs = answer.get("response") if isinstance(answer, dict) else None
        docs = docs.get("docs") if isinstance(docs, dict) else None
        if not isinstance(docs, list):
            raise search.bad('expected an object "response" with a list "docs"')
        found: list[str] = []
        skipped = 0
        for doc in docs[:SEARCHED]:
            if not isinstance(doc, dict) or not IDENTIFIER.fullmatch(items.told(doc, "identifier")):
                log.warning("%s: an item of the search for movie %d skipped", self.name, movie.tmdb_id)
                skipped += 1
            elif self._may_be_shown(doc) and items.is_of(doc, movie):
                found.append(items.told(doc, "identifier"))
        return list(dict.fromkeys(found))[:MAX_ITEMS], skipped

    def _may_be_shown(self, item: Row) -> bool:
        licence, closed = items.licence_of(item), items.is_true(item, "access-restricted-item")
        if licence is None or closed or items.told(item, "mediatype") != "movies":
            return False
        if self.config["public_domain_only"] and licence.terms:
            return False
        return "nc" not in licence.terms or bool(self.config["non_commercial"])

    def _files_of(
        self, movie: MovieRef, identifier: str, detail: Response
    ) -> tuple[list[StreamCandidate], int]:
        """The film's own files in one item, the largest picture first; how many rows could not be read."""
        item = detail.json()
        if item == {} or (isinstance(item, dict) and items.is_true(item, "is_dark")):  # gone, or closed
            return [], 0
        about, files = (item.get("metadata"), item.get("files")) if isinstance(item, dict) else (None, None)
        if not isinstance(about, dict) or not isinstance(files, list):
            raise detail.bad('expected an object with "metadata" and a list "files"')
        if not (self._may_be_shown(about) and items.is_of(about, movie)):
            return [], 0
        good = [file for file in files if items.is_file(file)]
        films = sorted(items.films_in(good, movie), key=lambda file: (-items.pixels(file), file["name"]))
        rights, base = items.rights_of(about, identifier), f"{self.config['base_url']}/download/{identifier}"
        found = [
            StreamCandidate(
                url=f"{base}/{quote(file['name'])}",
                delivery=Delivery.PROGRESSIVE,
                claimed=items.size(file),
                rights=rights,
            )
            for file in films[:MAX_FILES]
        ]
        return found, len(files) - len(good)


def _quoted(text: str) -> str:
    """A phrase of Lucene's query syntax."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
