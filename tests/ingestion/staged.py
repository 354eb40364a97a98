"""A film for editors' tests: two real streams on a local origin, an upgrade to the better one an hour ago."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.utils import timezone

from providers.models import Provider
from streaming import switching
from streaming.models import Movie, StreamVersion
from streaming.quality import Quality
from tests.ingestion.world import World
from tests.streaming import factory

AGO = timedelta(hours=1)
MEDIA = {"low": "/media/low.mp4", "high": "/media/high.mp4"}


class Staged(NamedTuple):
    """Its movie, and the keys of the version it left and of the one that plays."""

    movie_id: int
    low: uuid.UUID
    high: uuid.UUID

    @property
    def active(self) -> uuid.UUID | None:
        return Movie.objects.get(pk=self.movie_id).active_stream_id

    @property
    def seq(self) -> int:
        return Movie.objects.get(pk=self.movie_id).switch_seq

    def version(self, key: uuid.UUID) -> StreamVersion:
        return StreamVersion.objects.get(pk=key)


def stage(
    world: World,
    movie_id: int = 45745,
    *,
    film: Mapping[str, Any] | None = None,
    stream: Mapping[str, Any] | None = None,
) -> Staged:
    """`film` and `stream` are further columns of the movie and of both its versions."""
    movie, at = factory.movie(movie_id, **(film or {})), timezone.now() - AGO
    low = _version(world, movie, "low", "720p", width=1280, height=720, **(stream or {}))
    switching.reconsider(movie.pk, at=at)
    since = {"first_seen": factory.NOW + AGO}
    high = _version(world, movie, "high", "1080p", width=1920, height=804, **since, **(stream or {}))
    switching.reconsider(movie.pk, at=at)
    switching.pass_canary(high)
    StreamVersion.objects.filter(pk=high).update(next_check_at=timezone.now() + AGO, probed_at=at)
    return Staged(movie.pk, low, high)


def _version(world: World, movie: Movie, name: str, picture: str, **columns: Any) -> uuid.UUID:
    return factory.version(
        movie,
        name,
        Quality.from_label(picture),
        provider=Provider.objects.get(pk="library"),
        url=world.stream(f"{name}.mp4", picture),
        delivery="progressive",
        **columns,
    )
