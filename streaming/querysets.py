"""Chainable questions about movies, versions and switches. Time is an argument, never hidden.

None joins: MongoDB would read whole collections for it. Ask for rows by an index, then for theirs by key.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db import models

if TYPE_CHECKING:
    from streaming.models import Movie, StreamSwitch, StreamVersion  # noqa: F401


class Publicity(models.TextChoices):
    """Where a movie stands with the public."""

    PUBLISHED = "published"
    WITHOUT_STREAM = "without-a-stream", "without a stream"
    PINNED = "pinned"
    HIDDEN = "hidden"
    WITHDRAWN = "withdrawn"


class MovieQuerySet(models.QuerySet["Movie"]):
    def published(self) -> Self:
        """What the public may see."""
        return self.filter(active_stream__isnull=False, hidden=False, removed_at__isnull=True)

    def present(self) -> Self:
        """Not removed by an editor."""
        return self.filter(removed_at__isnull=True)

    def standing(self, publicity: Publicity) -> Self:
        match publicity:
            case Publicity.PUBLISHED:
                return self.published()
            case Publicity.WITHOUT_STREAM:
                return self.present().filter(active_stream__isnull=True)
            case Publicity.PINNED:
                return self.present().filter(pinned=True)
            case Publicity.HIDDEN:
                return self.present().filter(hidden=True)
            case Publicity.WITHDRAWN:
                return self.filter(removed_at__isnull=False)

    def search(self, text: str) -> Self:
        """Those whose title, or title in its own language, contains `text`; all, if that is empty."""
        if not text:
            return self
        return self.filter(models.Q(title__icontains=text) | models.Q(original_title__icontains=text))

    def due_for_tick(self, at: datetime) -> Self:
        return self.present().filter(next_check_at__lte=at).order_by("next_check_at", "pk")

    def due_for_refresh(self, at: datetime) -> Self:
        return self.present().filter(refresh_at__lte=at).order_by("refresh_at", "pk")


class StreamVersionQuerySet(models.QuerySet["StreamVersion"]):
    def of(self, movie_id: int) -> Self:
        """A movie's versions, in the same order on every database."""
        return self.filter(movie_id=movie_id).order_by("pk")

    def due(self, at: datetime) -> Self:
        """Those to be probed, the longest overdue first, with their providers."""
        return self.filter(next_check_at__lte=at).order_by("next_check_at", "pk").prefetch_related("provider")

    def taken(self) -> Self:
        """Those that turns have written to and not left since: every active stream is among them."""
        return self.filter(retired_at__isnull=True, switch_seq__gt=0)


class StreamSwitchQuerySet(models.QuerySet["StreamSwitch"]):
    def of(self, movie_id: int) -> Self:
        """One movie's log, newest first."""
        return self.filter(movie_id=movie_id).order_by("-seq")
