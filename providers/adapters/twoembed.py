"""2Embed: embed pages at <base URL>/embed/<id>. All else is providers/embedding.py's."""

from __future__ import annotations

from providers.embedding import EmbedProvider


class TwoEmbed(EmbedProvider):
    """One page per film, at one address for TMDB and IMDb ids alike."""

    slug = "twoembed"
    label = "2Embed"
    default_priority = 30
    tmdb_page = "/embed/{id}"
    imdb_page = "/embed/{id}"
