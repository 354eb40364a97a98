from __future__ import annotations

from typing import Any

from django.apps import AppConfig

from core import options, signals


class IngestionConfig(AppConfig):
    name = "ingestion"

    def ready(self) -> None:
        signals.setting_changed.connect(_reschedule, dispatch_uid="ingestion.reschedule")


def _reschedule(*, name: str, **_: Any) -> None:
    """A changed cron reaches beat's rows at once; beat itself looks at them every few seconds."""
    from ingestion import schedule  # needs the models of other apps, which are not ready before this one

    if options.kind_of(name) is options.CRON:
        schedule.initialize()
