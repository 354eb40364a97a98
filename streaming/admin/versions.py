"""Stream versions: what each claims, what it measured, how it has been. To read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin import RoleAdmin
from streaming.admin import cells
from streaming.models import StreamVersion

TONES = {"healthy": "good", "suspect": "warn", "broken": "bad"}


@admin.register(StreamVersion)
class StreamVersionAdmin(RoleAdmin):
    title = "Streams"
    list_display = ("stream", "film", "claimed", "measured", "condition", "provider_id", "probed", "proof")
    list_filter = ("state", "provider", "delivery", "verified_quality")
    search_fields = ("ref", "url", "evidence")
    ordering = ("-last_seen", "id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("movie", "provider")

    @admin.display(description="stream")
    def stream(self, version: StreamVersion) -> str:
        return f"{version.quality_label} {version.delivery}"

    @admin.display(description="film")
    def film(self, version: StreamVersion) -> str:
        return cells.movie_link(version.movie_id, str(version.movie))

    @admin.display(description="claimed", ordering="claimed_quality")
    def claimed(self, version: StreamVersion) -> str:
        return version.claim or cells.EMPTY

    @admin.display(description="measured", ordering="verified_quality")
    def measured(self, version: StreamVersion) -> str:
        return cells.quality(version.verified_quality)

    @admin.display(description="state", ordering="state")
    def condition(self, version: StreamVersion) -> str:
        return cells.tag(version.state, TONES.get(version.state, ""))

    @admin.display(description="probed", ordering="probed_at")
    def probed(self, version: StreamVersion) -> str:
        return cells.since(version.probed_at)

    @admin.display(description="evidence")
    def proof(self, version: StreamVersion) -> str:
        return version.evidence or cells.EMPTY
