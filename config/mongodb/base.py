"""The backend as Django loads it (`ENGINE = "config.mongodb"`)."""

from __future__ import annotations

from django_mongodb_backend.base import DatabaseWrapper as Upstream


class DatabaseWrapper(Upstream):  # type: ignore[misc]
    """Upstream's, as it is."""
