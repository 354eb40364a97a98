"""Movies, the versions of each that can be streamed, and the log of which one was active when.

Columns named in `SWITCHING_OWNS` are written by `streaming.switching` alone: `save()` leaves them be.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models

from providers.types import Delivery
from streaming import lookups  # noqa: F401 - `holds`, for JSON lists
from streaming.quality import Quality, effective_quality
from streaming.querysets import MovieQuerySet, StreamSwitchQuerySet, StreamVersionQuerySet

QUALITY_CHOICES = [(int(q), q.label) for q in Quality]


class GuardedModel(models.Model):
    """A model some of whose columns have one writer that is not `save()`."""

    SWITCHING_OWNS: ClassVar[frozenset[str]] = frozenset()

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save all columns but those that switching owns; to name one of those is an error.

        A new instance is a new row: it never overwrites one that is there.
        """
        if self._state.adding:
            kwargs["force_insert"] = True
            super().save(*args, update_fields=update_fields, **kwargs)
            return
        columns = {f.attname: f.name for f in self._meta.concrete_fields if not f.primary_key}
        wanted = {columns.get(name, name) for name in (columns if update_fields is None else update_fields)}
        owned = wanted & self.SWITCHING_OWNS
        if update_fields is None:
            wanted -= owned
        elif owned:
            raise ValueError(f"{', '.join(sorted(owned))}: written by streaming.switching alone.")
        super().save(*args, update_fields=wanted, **kwargs)


class Movie(GuardedModel):
    """A movie, by its TMDB id, with a pointer to the one stream that is active.

    The pointer and what stands with it are the projection of the switch log at `switch_seq`.
    """

    SWITCHING_OWNS = frozenset(
        {
            "active_stream",
            "active_quality",
            "switch_seq",
            "switched_at",
            "pinned",
            "hidden",
            "target_quality",
            "removed_at",
        }
    )

    FACTS = (
        "imdb_id",
        "title",
        "original_title",
        "original_language",
        "overview",
        "tagline",
        "release_date",
        "runtime_min",
        "genres",
        "poster_path",
        "backdrop_path",
        "popularity",
        "vote_average",
        "vote_count",
    )
    """What TMDB says of it, and what an editor can lock."""

    id = models.PositiveIntegerField(primary_key=True, db_column="_id")
    imdb_id = models.CharField(max_length=16, blank=True)
    title = models.CharField(max_length=300)
    original_title = models.CharField(max_length=300, blank=True)
    original_language = models.CharField(max_length=8, blank=True)
    overview = models.TextField(blank=True)
    tagline = models.CharField(max_length=500, blank=True)
    release_date = models.DateField(null=True, blank=True)
    runtime_min = models.PositiveIntegerField(null=True, blank=True)
    genres = models.JSONField(default=list, blank=True)
    poster_path = models.CharField(max_length=200, blank=True)
    backdrop_path = models.CharField(max_length=200, blank=True)
    popularity = models.FloatField(default=0.0)
    vote_average = models.FloatField(default=0.0)
    vote_count = models.PositiveIntegerField(default=0)
    locked_fields = models.JSONField(
        default=list, blank=True, help_text="Columns that discovery must not overwrite."
    )

    discovered_at = models.DateTimeField()
    metadata_at = models.DateTimeField(null=True, blank=True)
    tmdb_gone_at = models.DateTimeField(null=True, blank=True)
    matched_at = models.DateTimeField(null=True, blank=True)
    refresh_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="When content.refresh may search again."
    )
    next_check_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="When maintenance.tick searches again."
    )
    fruitless_searches = models.PositiveSmallIntegerField(default=0)

    active_stream = models.ForeignKey(
        "streaming.StreamVersion", models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    active_quality = models.PositiveSmallIntegerField(null=True, choices=QUALITY_CHOICES, editable=False)
    switch_seq = models.PositiveIntegerField(default=0, editable=False)
    switched_at = models.DateTimeField(null=True, editable=False)
    pinned = models.BooleanField(default=False, editable=False)
    hidden = models.BooleanField(default=False, editable=False)
    target_quality = models.PositiveSmallIntegerField(null=True, choices=QUALITY_CHOICES, editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)

    objects = MovieQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["-popularity", "id"], name="movie_by_popularity"),
            models.Index(fields=["title", "id"], name="movie_by_title"),
            models.Index(fields=["-release_date", "id"], name="movie_by_release"),
            models.Index(fields=["-switched_at", "id"], name="movie_by_switch"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title

    @property
    def year(self) -> int | None:
        return self.release_date.year if self.release_date else None


class StreamVersion(GuardedModel):
    """One rendition of a movie at one provider: what it claims, what it measured, how it has been."""

    class State(models.TextChoices):
        UNVERIFIED = "unverified"
        HEALTHY = "healthy"
        SUSPECT = "suspect"
        BROKEN = "broken"

    SWITCHING_OWNS = frozenset(
        {
            "retired_at",
            "replaced_by",
            "suppressed_at",
            "suppressed_until",
            "suppressed_why",
            "canary_failures",
            "on_trial",
            "switch_seq",
        }
    )

    id = models.UUIDField(primary_key=True, db_column="_id", editable=False)
    movie = models.ForeignKey(Movie, models.PROTECT, related_name="versions")
    provider = models.ForeignKey("providers.Provider", models.PROTECT, related_name="+")
    ref = models.CharField(max_length=300, blank=True)
    url = models.TextField()
    delivery = models.CharField(max_length=12, choices=[(d.value, d.name.title()) for d in Delivery])
    edition = models.CharField(max_length=100, blank=True)
    languages = models.JSONField(default=list, blank=True)
    subtitles = models.JSONField(default=list, blank=True)
    url_expires_at = models.DateTimeField(null=True, blank=True)

    licence = models.CharField(max_length=500, blank=True)
    licence_url = models.CharField(max_length=500, blank=True)
    attribution = models.CharField(max_length=500, blank=True)
    territories = models.JSONField(default=list, blank=True)
    rights_from = models.DateTimeField(null=True, blank=True)
    rights_until = models.DateTimeField(null=True, blank=True)

    claim = models.CharField(max_length=200, blank=True, help_text="The provider's own words on quality.")
    claimed_quality = models.PositiveSmallIntegerField(null=True, choices=QUALITY_CHOICES)
    verified_quality = models.PositiveSmallIntegerField(null=True, choices=QUALITY_CHOICES)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    bitrate_bps = models.PositiveBigIntegerField(default=0)
    codecs = models.CharField(max_length=120, blank=True)
    duration_s = models.FloatField(default=0.0)

    state = models.CharField(max_length=12, choices=State, default=State.UNVERIFIED)
    strikes = models.PositiveSmallIntegerField(default=0)
    last_outcome = models.CharField(max_length=20, blank=True)
    evidence = models.CharField(max_length=500, blank=True)
    latency_ms = models.PositiveIntegerField(default=0)
    probed_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True, db_index=True)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    missing_since = models.DateTimeField(
        null=True,
        help_text="When its provider's complete answers began to leave it out.",
    )
    expired_at = models.DateTimeField(null=True)

    retired_at = models.DateTimeField(null=True)
    replaced_by = models.UUIDField(null=True)
    suppressed_at = models.DateTimeField(null=True)
    suppressed_until = models.DateTimeField(null=True, help_text="Empty while suppressed: for ever.")
    suppressed_why = models.CharField(max_length=300, blank=True)
    canary_failures = models.PositiveSmallIntegerField(default=0)
    on_trial = models.BooleanField(default=False, help_text="Switched to, and not probed since.")
    switch_seq = models.PositiveIntegerField(default=0)

    objects = StreamVersionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["suppressed_until"], name="version_by_suppression_end"),
            models.Index(fields=["rights_until"], name="version_by_rights_end"),
            models.Index(fields=["rights_from"], name="version_by_rights_start"),
            models.Index(fields=["provider", "retired_at", "switch_seq"], name="version_taken_of_provider"),
            models.Index(fields=["-last_seen", "id"], name="version_by_last_seen"),
            models.Index(fields=["missing_since"], name="version_by_absence"),
            models.Index(fields=["expired_at"], name="version_by_mark"),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.quality_label} {self.delivery}"

    @staticmethod
    def key_for(movie_id: int, provider: str, ref: str, canonical_url: str) -> uuid.UUID:
        """The key of a rendition: its provider's own id of it, else its canonical URL, hashed (UUID 5)."""
        name = json.dumps([movie_id, provider, ref or canonical_url], separators=(",", ":"))
        return uuid.uuid5(uuid.NAMESPACE_URL, name)

    @property
    def quality(self) -> Quality | None:
        """What it counts as: measured wherever it can be measured, but a CAM claim stays CAM."""
        return effective_quality(
            claimed=_quality(self.claimed_quality),
            verified=_quality(self.verified_quality),
            measurable=self.measurable,
        )

    @property
    def quality_label(self) -> str:
        return self.quality.label if self.quality is not None else "unknown"

    @property
    def measurable(self) -> bool:
        """Whether a probe can see its picture; an embed's it cannot."""
        return self.delivery != Delivery.EMBED.value


class StreamSwitch(models.Model):
    """One turn of a movie: what changed, why, and all that finishing it takes. Never changed or deleted."""

    class Reason(models.TextChoices):
        FIRST = "first"
        UPGRADE = "upgrade"
        FAILOVER = "failover"
        ROLLBACK = "rollback"
        MANUAL = "manual"
        WITHDRAWN = "withdrawn"
        REVISED = "revised"

    id = models.CharField(primary_key=True, max_length=24, db_column="_id")
    movie = models.ForeignKey(Movie, models.PROTECT, related_name="switches")
    seq = models.PositiveIntegerField()
    reason = models.CharField(max_length=12, choices=Reason)
    from_version = models.UUIDField(null=True)
    to_version = models.UUIDField(null=True)
    from_quality = models.PositiveSmallIntegerField(null=True, choices=QUALITY_CHOICES)
    to_quality = models.PositiveSmallIntegerField(null=True, choices=QUALITY_CHOICES)
    at = models.DateTimeField()
    actor_id = models.CharField(max_length=40, blank=True)
    actor_name = models.CharField(max_length=150)
    comment = models.CharField(max_length=500, blank=True)
    undoes = models.PositiveIntegerField(null=True, help_text="The turn that a rollback undid.")
    decision = models.JSONField(default=dict)
    effects = models.JSONField(default=dict)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    same_edition = models.BooleanField(default=True)
    from_valid_until = models.DateTimeField(null=True)
    attempt = models.UUIDField()

    objects = StreamSwitchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "stream switches"
        indexes = [
            models.Index(fields=["movie", "-seq"], name="switch_by_movie"),
            models.Index(fields=["-at", "-id"], name="switch_by_time"),
            models.Index(fields=["reason", "-at", "-id"], name="switch_by_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.reason}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert the row. One that is there already is an IntegrityError."""
        super().save(*args, **{**kwargs, "force_insert": True})

    @staticmethod
    def key_for(movie_id: int, seq: int) -> str:
        return f"{movie_id}:{seq}"

    @property
    def moves_pointer(self) -> bool:
        return self.from_version != self.to_version


def _quality(value: int | None) -> Quality | None:
    return None if value is None else Quality(value)
