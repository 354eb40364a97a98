"""What the embed family has in common: a page per film at an address that follows from its id.

No address ships with Marquee: base URL, quality and licence are the operator's. Nothing is read out of a
page: that there is one is all that it says. Whether it can be framed is the probe's to find out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, final
from urllib.parse import quote

from providers.base import Capability, LicensedProvider
from providers.messages import Request, Response
from providers.options import ConfigField, ConfigKind
from providers.types import Delivery, MovieRef, Rights, SearchAnswer, StreamCandidate

MAX_PAGE_BYTES: Final = 1_000_000
NO_SUCH_FILM: Final = frozenset({404, 410})
PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})


class EmbedProvider(LicensedProvider):
    """Embed pages, by TMDB id, and where there is none under that, by IMDb id.

    A subclass says where under the base URL a film's page is, with `{id}` for the id.
    """

    tmdb_page: ClassVar[str]
    imdb_page: ClassVar[str]

    capabilities = frozenset({Capability.BY_TMDB_ID, Capability.BY_IMDB_ID, Capability.EMBED})
    needs_licence_note = True
    config_fields = (
        ConfigField(
            name="base_url",
            label="Base URL",
            kind=ConfigKind.URL,
            required=True,
            help="Where the embed pages are that you hold a licence for, as your agreement names it.",
        ),
        ConfigField(
            name="quality",
            label="Claimed quality",
            kind=ConfigKind.QUALITY,
            required=True,
            help="What your agreement promises. It stays a claim: inside an embed nothing can be measured.",
        ),
        ConfigField(
            name="licence",
            label="Licence, as shown to viewers",
            required=True,
            help="One line, for example “Licensed from Example Films until 2031”.",
        ),
    )

    @final
    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        return (_request(self._by_tmdb_id(movie)),)

    @final
    def build_details(self, movie: MovieRef, responses: Sequence[Response]) -> tuple[Request, ...]:
        there = _is_page(responses[0])
        return (_request(self._by_imdb_id(movie)),) if movie.imdb_id and not there else ()

    @final
    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        pages = [self._by_tmdb_id(movie), self._by_imdb_id(movie)]
        there = [page for page, response in zip(pages, responses, strict=False) if _is_page(response)]
        return SearchAnswer(candidates=tuple(self._candidate(movie, page) for page in there))

    def _by_tmdb_id(self, movie: MovieRef) -> str:
        return f"{self.config['base_url']}{self.tmdb_page.format(id=movie.tmdb_id)}"

    def _by_imdb_id(self, movie: MovieRef) -> str:
        return f"{self.config['base_url']}{self.imdb_page.format(id=quote(movie.imdb_id or '', safe=''))}"

    def _candidate(self, movie: MovieRef, page: str) -> StreamCandidate:
        """One rendition for ever, by whichever id it is found: the provider has one page per film."""
        return StreamCandidate(
            url=page,
            delivery=Delivery.EMBED,
            ref=f"movie-{movie.tmdb_id}",
            claimed=str(self.config["quality"]),
            rights=Rights(licence=str(self.config["licence"])),
        )


def _request(page: str) -> Request:
    return Request(url=page, max_bytes=MAX_PAGE_BYTES, accept_statuses=NO_SUCH_FILM)


def _is_page(response: Response) -> bool:
    """Whether there is a page. Raises ProviderBadResponse for an answer that is neither page nor "none"."""
    if response.status in NO_SUCH_FILM:
        return False
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in PAGES or not response.body.strip():
        raise response.bad("expected a page (HTML), and not an empty one")
    return True
