from typing import Any

from django.apps import AppConfig

from core.signals import setting_changed


class IngestionConfig(AppConfig):
    name = "ingestion"

    def ready(self) -> None:
        setting_changed.connect(_reschedule, dispatch_uid="ingestion.reschedule")


def _reschedule(*, name: str, **signal: Any) -> None:
    """A cron setting that changes moves its job at once: beat looks at its rows every few seconds."""
    from ingestion import schedule

    if name.endswith("_CRON"):
        schedule.initialize()
