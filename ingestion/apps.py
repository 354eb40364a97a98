from typing import Any

from django.apps import AppConfig
from django.conf import settings

from core.signals import setting_changed


class IngestionConfig(AppConfig):
    name = "ingestion"

    def ready(self) -> None:
        from ingestion import jobs, registry  # noqa: F401 - to import them is to declare ours

        registry.load(settings.JOB_MODULES)
        setting_changed.connect(_reschedule, dispatch_uid="ingestion.reschedule")


def _reschedule(*, name: str, **signal: Any) -> None:
    """A cron setting that changes moves its job at once: beat looks at its rows every few seconds."""
    from ingestion import schedule

    schedule.follow(name)
