"""EmbedSu: embed pages at <base URL>/embed/movie/<id>. All else is providers/embedding.py's."""

from __future__ import annotations

from providers.embedding import EmbedProvider


class EmbedSu(EmbedProvider):
    """One page per film, at one address for TMDB and IMDb ids alike."""

    slug = "embedsu"
    label = "EmbedSu"
    default_priority = 50
    tmdb_page = "/embed/movie/{id}"
    imdb_page = "/embed/movie/{id}"
