"""An adapter that keeps every rule: a small JSON API with a token, and playback URLs that are signed anew."""

from __future__ import annotations

from collections.abc import Sequence

from providers import rows
from providers.base import Capability, LicensedProvider
from providers.messages import Request, Response
from providers.options import ConfigField, ConfigKind
from providers.types import Delivery, MovieRef, Rights, SearchAnswer, StreamCandidate


class Tidy(LicensedProvider):
    """Films by IMDb id, as HLS and files."""

    slug = "tidy"
    label = "Tidy"
    capabilities = frozenset({Capability.BY_IMDB_ID, Capability.HLS, Capability.PROGRESSIVE})
    volatile_params = frozenset({"sig"})
    config_fields = (
        ConfigField(
            name="base_url", label="Base URL", kind=ConfigKind.URL, required=True, help="Where its API is."
        ),
        ConfigField(name="token", label="Token", required=True, secret=True, help="Ours, from their site."),
    )

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        if not movie.imdb_id:
            return ()
        return (
            Request(
                url=f"{self.config['base_url']}/streams",
                params={"imdb_id": movie.imdb_id},
                headers={"Authorization": f"Bearer {self.config['token']}"},
                max_bytes=500_000,
            ),
        )

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        found = [self.candidate(row) for response in responses for row in self.streams(response)]
        return SearchAnswer(candidates=tuple(found))

    def streams(self, response: Response) -> list[rows.Row]:
        answer = response.json()
        listed = answer.get("streams") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            raise response.bad('expected an object with a list "streams"')
        return listed

    def candidate(self, row: rows.Row) -> StreamCandidate:
        return StreamCandidate(
            url=rows.text(row, "url", limit=2000),
            delivery=Delivery(rows.text(row, "type", limit=20)),
            claimed=rows.text(row, "quality", limit=100),
            rights=Rights(licence=rows.text(row, "licence", limit=500)),
        )
