"""Runs of jobs and what they logged. To read; the schedule's rows can be switched on and off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django_celery_beat import models as beat

from core.admin import RoleAdmin
from core.roles import Role
from ingestion.models import IngestLog, IngestRun
from ingestion.registry import JOBS
from streaming.admin import cells

RUN_TONES = {"succeeded": "good", "failed": "bad", "lost": "bad", "cancelled": "warn"}
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
class IngestRunAdmin(RoleAdmin):
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
    list_filter = (ByJob, "status", "trigger")
    search_fields = ("error", "requested_by")
    ordering = ("-id",)

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
        return f"{run.progress_done} of {run.progress_total}" if run.progress_total else cells.EMPTY

    @admin.display(description="took")
    def took(self, run: IngestRun) -> str:
        if run.started_at is None or run.finished_at is None:
            return cells.EMPTY
        return f"{(run.finished_at - run.started_at) / timedelta(seconds=1):.1f} s"

    @admin.display(description="outcome")
    def outcome(self, run: IngestRun) -> str:
        text = run.error.splitlines()[-1][:120] if run.error else _summed_up(run.summary)
        url = reverse("admin:ingestion_ingestlog_changelist")
        return format_html('{} <a href="{}?run_id={}">log</a>', text, url, run.pk)


@admin.register(IngestLog)
class IngestLogAdmin(RoleAdmin):
    title = "Logs"
    list_display = ("when", "name", "film", "level", "message", "duration", "run")
    list_filter = ("status", ByJob, "at")
    search_fields = ("message", "error")
    ordering = ("-id",)
    list_per_page = 100

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup in {"run_id", "movie_id"} or super().lookup_allowed(lookup, value, request)

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


# The library's own pages let anyone rewrite the schedule, which belongs to the settings, with inline script.
for _model in (
    beat.ClockedSchedule,
    beat.CrontabSchedule,
    beat.IntervalSchedule,
    beat.PeriodicTask,
    beat.SolarSchedule,
):
    admin.site.unregister(_model)


@admin.register(beat.PeriodicTask)
class ScheduleAdmin(RoleAdmin):
    """When each job runs. The time is a setting's (INGEST_*_CRON) or the job's; on and off are here."""

    title = "Schedule"
    changed_by = Role.OPERATOR
    list_display = ("name", "description", "enabled", "crontab", "last_run_at", "total_run_count")
    fields = ("name", "description", "enabled", "crontab", "last_run_at", "total_run_count")
    readonly_fields = ("name", "description", "crontab", "last_run_at", "total_run_count")
    ordering = ("name",)


def _summed_up(summary: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {value}" for key, value in list(summary.items())[:4] if value not in (None, "", {}, [])
    )
