"""When each job runs, and whether it does. The rows are beat's; an operator switches them on and off here."""

from __future__ import annotations

from django.contrib import admin
from django.utils import timezone
from django.utils.safestring import SafeString
from django_celery_beat import models as beat

from core.admin import RoleAdmin
from core.roles import Role
from core.templatetags.ago import ago
from ingestion import timetable, windows
from streaming.admin import cells

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
    audited = "schedule"
    list_display = ("name", "description", "enabled", "standing", "crontab", "fired", "total_run_count")
    list_select_related = ("crontab",)
    fields = ("name", "description", "enabled", "standing", "crontab", "last_run_at", "total_run_count")
    readonly_fields = ("name", "description", "standing", "crontab", "last_run_at", "total_run_count")
    ordering = ("name",)

    @admin.display(description="standing")
    def standing(self, row: beat.PeriodicTask) -> SafeString:
        if not row.enabled or row.crontab is None:
            return cells.tag("off")
        window = windows.overdue(timetable.timed(row), timezone.now())
        return cells.tag(f"overdue, was due {ago(window)}", "bad") if window else cells.tag("on time", "good")

    @admin.display(description="last fired", ordering="last_run_at")
    def fired(self, row: beat.PeriodicTask) -> str:
        return cells.since(row.last_run_at)
