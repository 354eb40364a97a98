"""The library adapter: a static origin with one small JSON file per film (docs/library-format.md).

It builds requests and reads answers. It fetches nothing, and believes no claim: measuring is the probe's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from providers import renditions
from providers.base import Capability, LicensedProvider
from providers.messages import Request, Response
from providers.options import ConfigField, ConfigKind
from providers.types import MovieRef, SearchAnswer

MAX_FILE_BYTES: Final = 1_000_000


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
        return (Request(url=url, max_bytes=MAX_FILE_BYTES, accept_statuses=renditions.NO_SUCH_FILM),)

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        if not responses:
            return SearchAnswer(candidates=())
        (response,) = responses
        if response.status in renditions.NO_SUCH_FILM:
            return renditions.nothing(response)
        return renditions.answer(self, movie, renditions.listed(response), response)
