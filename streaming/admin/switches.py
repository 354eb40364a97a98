"""The switch log over all movies, newest first. To read: rows are never changed and never deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin import RoleAdmin
from streaming.admin import cells, words
from streaming.models import StreamSwitch

TONES = {"upgrade": "good", "failover": "warn", "rollback": "warn", "withdrawn": "bad"}


@admin.register(StreamSwitch)
class StreamSwitchAdmin(RoleAdmin):
    title = "Switches"
    list_display = ("turn", "film", "what", "was", "became", "actor_name", "comment", "when")
    list_filter = ("reason", "at")
    search_fields = ("comment", "actor_name")
    ordering = ("-at", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("decision", "effects").prefetch_related("movie")

    @admin.display(description="turn")
    def turn(self, row: StreamSwitch) -> str:
        return row.pk

    @admin.display(description="film")
    def film(self, row: StreamSwitch) -> str:
        return cells.movie_link(row.movie_id, str(row.movie))

    @admin.display(description="what", ordering="reason")
    def what(self, row: StreamSwitch) -> str:
        return cells.tag(words.SWITCHES[StreamSwitch.Reason(row.reason)], TONES.get(row.reason, ""))

    @admin.display(description="from")
    def was(self, row: StreamSwitch) -> str:
        return cells.quality(row.from_quality)

    @admin.display(description="to")
    def became(self, row: StreamSwitch) -> str:
        return cells.quality(row.to_quality)

    @admin.display(description="when", ordering="at")
    def when(self, row: StreamSwitch) -> str:
        return cells.since(row.at)
