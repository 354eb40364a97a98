"""Rows for tests: a provider, a movie, measured versions. Time stands still at `NOW`."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from providers.models import Provider
from streaming.models import Movie, StreamVersion
from streaming.quality import Quality
from streaming.switching import Actor

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EDITOR = Actor("7", "ada")


def provider(slug: str = "library", **facts: Any) -> Provider:
    """A provider, enabled unless told otherwise; the same one for the same slug."""
    defaults = {"label": slug.title(), "adapter": "library", "enabled": True, **facts}
    return Provider.objects.get_or_create(slug=slug, defaults=defaults)[0]


def movie(movie_id: int = 45745, **facts: Any) -> Movie:
    """A movie without a stream."""
    row = Movie(id=movie_id, **{"title": f"Movie {movie_id}", "discovered_at": NOW, **facts})
    row.save(force_insert=True)
    return row


def version(of: Movie, ref: str, quality: Quality | None = Quality.P1080, **facts: Any) -> uuid.UUID:
    """A healthy, measured HLS version of a movie; its key."""
    source = facts.pop("provider", None) or provider()
    columns = {
        "url": f"https://cdn.example/{of.pk}/{ref}.m3u8",
        "delivery": "hls",
        "verified_quality": quality,
        "claimed_quality": quality,
        "state": StreamVersion.State.HEALTHY,
        "first_seen": NOW,
        "last_seen": NOW,
        **facts,
    }
    key = StreamVersion.key_for(of.pk, source.pk, ref, columns["url"])
    StreamVersion(id=key, movie=of, provider=source, ref=ref, **columns).save(force_insert=True)
    return key
