"""An adapter whose module could wait, and so one day would."""

from __future__ import annotations

import time
from collections.abc import Sequence

from providers.messages import Response
from providers.types import MovieRef, SearchAnswer
from tests.providers.broken.tidy import Tidy


class Sleeps(Tidy):
    """Gives its provider a rest before it reads on."""

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        time.sleep(0)
        return super().parse_search(movie, responses)
