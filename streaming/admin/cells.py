"""Cells that several lists of the admin show alike."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.templatetags.ago import ago
from streaming.models import Movie
from streaming.quality import Quality

EMPTY = "—"


def quality(value: int | None) -> str | SafeString:
    """A rung of the ladder with its bulbs."""
    if value is None:
        return EMPTY
    return format_html('<span class="quality rung-{}">{}</span>', int(value), Quality(value).label)


def tag(text: str, tone: str = "") -> SafeString:
    """A word in a frame; `tone` is good, warn, bad or empty."""
    return format_html('<span class="tag{}">{}</span>', f" tag-{tone}" if tone else "", text)


def since(moment: datetime | None) -> str | SafeString:
    """How long ago, with the exact time for those who hover or read the source."""
    if moment is None:
        return EMPTY
    stamp = moment.isoformat(timespec="seconds")
    return format_html('<time datetime="{}" title="{}">{}</time>', stamp, stamp, ago(moment))


def movie_link(movie_id: int | None, text: str = "") -> str | SafeString:
    """A link to the movie's page."""
    if movie_id is None:
        return EMPTY
    url = reverse("admin:streaming_movie_change", args=[quote(str(movie_id))])
    return format_html('<a href="{}">{}</a>', url, text or movie_id)


def poster(movie: Movie) -> str | SafeString:
    """A small poster; its title stands beside it."""
    if not movie.poster_path:
        return ""
    url = f"{settings.TMDB_IMAGE_BASE_URL}w92{movie.poster_path}"
    return format_html('<img class="thumb" src="{}" alt="" width="40" height="60" loading="lazy">', url)
