"""A house that has pages to be framed instead of streams: an adapter of the simulated day alone."""

from __future__ import annotations

from collections.abc import Sequence

from providers.adapters.library import Library
from providers.messages import Response
from providers.types import Delivery, MovieRef, SearchAnswer, StreamCandidate


class Frames(Library):
    """Lists embeds in the library's format, which itself has none."""

    slug = "frames"
    label = "Frames"

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        (response,) = responses
        if response.status in (404, 410):
            return SearchAnswer(candidates=())
        rows = self._renditions(response)
        return SearchAnswer(candidates=tuple(_candidate(row) for row in rows if isinstance(row, dict)))


def _candidate(row: dict[str, str]) -> StreamCandidate:
    return StreamCandidate(
        url=row["url"], delivery=Delivery.EMBED, ref=row.get("id", ""), claimed=row["quality"]
    )
