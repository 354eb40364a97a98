"""Runs of jobs and what they logged, as lists (`run_pages` has the page of each)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from core.admin import RoleAdmin
from ingestion import progress
from ingestion.admin.run_pages import RUN_TONES, RunPages, span
from ingestion.models import IngestLog, IngestRun
from ingestion.registry import JOBS
from streaming.admin import cells

LOG_TONES = {
    "ADDED": "good",
    "UPGRADED": "good",
    "SWITCHED": "good",
    "WARNING": "warn",
    "FAILED": "bad",
    "ERROR": "bad",
}


class ByJob(admin.SimpleListFilter):
    """The jobs that there are, without asking long tables which they name."""

    title = "job"
    parameter_name = "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in JOBS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.value()
        return queryset.filter(job=name) if name else queryset


@admin.register(IngestRun)
class IngestRunAdmin(RunPages):
    title = "Runs"
    list_display = (
        "when",
        "name",
        "film",
        "condition",
        "progress",
        "took",
        "trigger",
        "requested_by",
        "outcome",
    )
    list_filter = (ByJob, "status")
    linked = ("correlation_id",)
    search_fields = ("error", "requested_by", "correlation_id__exact", "trigger__exact")
    search_help_text = "Error, who asked, a trigger, or a correlation id"
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("traceback")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(
            request, {"may_act": self.has_change_permission(request), **(extra_context or {})}
        )

    @admin.display(description="job", ordering="job")
    def name(self, run: IngestRun) -> str:
        return run.job

    @admin.display(description="queued", ordering="queued_at")
    def when(self, run: IngestRun) -> str:
        return cells.since(run.queued_at)

    @admin.display(description="film")
    def film(self, run: IngestRun) -> str:
        return cells.movie_link(run.movie_id)

    @admin.display(description="status", ordering="status")
    def condition(self, run: IngestRun) -> str:
        return cells.tag(run.status, RUN_TONES.get(run.status, ""))

    @admin.display(description="progress")
    def progress(self, run: IngestRun) -> str:
        if not run.progress_total:
            return cells.EMPTY
        left = span(progress.of(run, timezone.now()).left)
        return f"{run.progress_done} of {run.progress_total}{f', {left} left' if left else ''}"

    @admin.display(description="took")
    def took(self, run: IngestRun) -> str:
        if run.started_at is None or run.finished_at is None:
            return cells.EMPTY
        return span(run.finished_at - run.started_at)

    @admin.display(description="outcome")
    def outcome(self, run: IngestRun) -> str:
        text = run.error[:120] or _summed_up(run.summary)
        url = reverse("admin:ingestion_ingestlog_changelist")
        return format_html('{} <a href="{}?run_id={}">log</a>', text, url, run.pk)


@admin.register(IngestLog)
class IngestLogAdmin(RoleAdmin):
    title = "Logs"
    list_display = ("when", "name", "film", "level", "message", "duration", "run")
    list_filter = ("status", ByJob, "at")
    linked = ("run_id", "movie_id")
    search_fields = ("message", "error")
    ordering = ("-id",)
    list_per_page = 100

    @admin.display(description="job", ordering="job")
    def name(self, log: IngestLog) -> str:
        return log.job

    @admin.display(description="when", ordering="at")
    def when(self, log: IngestLog) -> str:
        return cells.since(log.at)

    @admin.display(description="film")
    def film(self, log: IngestLog) -> str:
        return cells.movie_link(log.movie_id)

    @admin.display(description="status", ordering="status")
    def level(self, log: IngestLog) -> str:
        return cells.tag(log.status, LOG_TONES.get(log.status, ""))

    @admin.display(description="took")
    def duration(self, log: IngestLog) -> str:
        return cells.EMPTY if log.duration_ms is None else f"{log.duration_ms} ms"

    @admin.display(description="run")
    def run(self, log: IngestLog) -> str:
        if log.run_id is None:
            return cells.EMPTY
        url = reverse("admin:ingestion_ingestrun_change", args=[quote(str(log.run_id))])
        return format_html('<a href="{}">run</a>', url)


def _summed_up(summary: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {value}" for key, value in list(summary.items())[:4] if value not in (None, "", {}, [])
    )
