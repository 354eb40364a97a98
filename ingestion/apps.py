from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save


class IngestionConfig(AppConfig):
    name = "ingestion"

    def ready(self) -> None:
        for signal in (post_save, post_delete):
            signal.connect(_reschedule, sender="core.Setting", dispatch_uid="ingestion.reschedule")


def _reschedule(*, instance: Any, **signal: Any) -> None:
    """A cron setting that changes moves its job at once: beat looks at its rows every few seconds."""
    from ingestion import schedule

    if instance.name.endswith("_CRON"):
        schedule.initialize()
