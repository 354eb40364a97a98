"""MultiEmbed: embed pages at <base URL>/?video_id=<id>. All else is providers/embedding.py's."""

from __future__ import annotations

from providers.embedding import EmbedProvider


class MultiEmbed(EmbedProvider):
    """One page per film, by query; an id is an IMDb id unless it is said to be TMDB's."""

    slug = "multiembed"
    label = "MultiEmbed"
    default_priority = 40
    tmdb_page = "/?video_id={id}&tmdb=1"
    imdb_page = "/?video_id={id}"
