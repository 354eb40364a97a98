"""Rows that go by themselves some time after a moment of theirs. Which rows, and when, their models say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connections, models, router


class Expiry(models.Index):
    """An index on one moment. Rows go `after` it: on MongoDB this is a TTL index, elsewhere what prune reads.

    Where the moment is null the row stays.
    """

    def __init__(self, *, after: timedelta, **options: Any) -> None:
        self.after = after
        super().__init__(**options)

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        path, expressions, options = super().deconstruct()
        return path, expressions, options | {"after": self.after}

    def get_pymongo_index_model(self, *args: Any, **kwargs: Any) -> Any:
        """What `django_mongodb_backend` makes of any index, and how long the server keeps its documents."""
        index = super().get_pymongo_index_model(*args, **kwargs)  # type: ignore[misc]
        index.document["expireAfterSeconds"] = int(self.after.total_seconds())
        return index


def expires_by_itself(model: type[models.Model]) -> bool:
    """Whether the model's database deletes rows that are past their time."""
    return connections[router.db_for_write(model)].vendor == "mongodb"
