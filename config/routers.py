"""Which tables live where: ours in MongoDB if there is one, Django's own never."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from config.databases import DOCUMENTS

OURS = frozenset({"core", "streaming", "ingestion", "providers"})


class Documents:
    """Sends our four apps to `documents` and keeps everything else out of it.

    In use only with a MONGODB_URI. No row of ours refers to one of Django's, so nothing crosses.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return DOCUMENTS if model._meta.app_label in OURS else None

    db_for_write = db_for_read

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return (one._meta.app_label in OURS) == (other._meta.app_label in OURS)

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (app_label in OURS) == (db == DOCUMENTS)
