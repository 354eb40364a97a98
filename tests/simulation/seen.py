"""All rows of Marquee at one moment of a simulated day, for the invariants to look at. Nothing is written."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core import conf
from core.options import Options
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.standing import Standing
from tests.simulation.journal import Journal

TOLERANCE = timedelta(minutes=10)
"""How long a tick's work may take: one that is killed costs two minutes, and each does a bounded part."""

Log = list[StreamSwitch]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All rows at one moment, and those of the last look that tell what has gone since."""

    at: datetime
    options: Options
    movies: dict[int, Movie]
    versions: dict[uuid.UUID, StreamVersion]
    logs: Mapping[int, Log]
    journal: Journal
    before: Seen | None = None
    of: Mapping[int, dict[uuid.UUID, StreamVersion]] = field(default_factory=dict)

    def shrunk(self) -> Seen:
        """Without its log and its past."""
        return replace(self, logs={}, before=None)

    def standing(self, movie: Movie) -> Standing:
        return Standing(
            movie=movie, versions=self.of.get(movie.pk, {}), announced=None, options=self.options, at=self.at
        )


def look(at: datetime, journal: Journal, *, before: Seen | None = None) -> Seen:
    """Read everything."""
    versions = {v.pk: v for v in StreamVersion.objects.prefetch_related("provider")}
    logs: dict[int, Log] = defaultdict(list)
    for row in StreamSwitch.objects.order_by("movie_id", "seq"):
        logs[row.movie_id].append(row)
    of: dict[int, dict[uuid.UUID, StreamVersion]] = defaultdict(dict)
    for key, version in versions.items():
        of[version.movie_id][key] = version
    return Seen(
        at=at,
        options=conf.current(),
        movies=Movie.objects.in_bulk(),
        versions=versions,
        logs=dict(logs),
        journal=journal,
        before=before,
        of=dict(of),
    )
