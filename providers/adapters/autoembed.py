"""AutoEmbed: embed pages at <base URL>/embed/movie/<id>. All else is providers/embedding.py's."""

from __future__ import annotations

from providers.embedding import EmbedProvider


class AutoEmbed(EmbedProvider):
    """One page per film, at one address for TMDB and IMDb ids alike."""

    slug = "autoembed"
    label = "AutoEmbed"
    default_priority = 20
    tmdb_page = "/embed/movie/{id}"
    imdb_page = "/embed/movie/{id}"
