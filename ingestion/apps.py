from datetime import datetime
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.utils import timezone

from core.signals import setting_changed


class IngestionConfig(AppConfig):
    name = "ingestion"

    def ready(self) -> None:
        from core.api import health
        from ingestion import jobs, registry  # noqa: F401 - to import them is to declare ours

        registry.load(settings.JOB_MODULES)
        health.warn_of("schedule", _schedule_in_words)
        setting_changed.connect(_reschedule, dispatch_uid="ingestion.reschedule")
        setting_changed.connect(_apply, dispatch_uid="ingestion.apply")


def _schedule_in_words() -> str:
    from ingestion import timetable

    return timetable.in_words(timezone.now())


def _reschedule(*, name: str, **signal: Any) -> None:
    """A cron setting that changes moves its job at once: beat looks at its rows every few seconds."""
    from ingestion import schedule

    schedule.follow(name)


def _apply(*, name: str, by: str, at: datetime, **signal: Any) -> None:
    """A setting of the policy that changes is applied to the whole catalogue, by a run."""
    from ingestion import runs
    from ingestion.models import Job
    from streaming import rehearsal

    if name in rehearsal.SETTINGS:
        runs.queue(Job.APPLY, at=at, trigger="setting", requested_by=by)
