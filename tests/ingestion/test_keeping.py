"""What pruning must never delete, looked for at the moments at which it might slip through."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet

from ingestion.models import Job
from streaming import switching
from streaming.models import StreamVersion
from tests.ingestion.conftest import AT
from tests.ingestion.world import succeeded
from tests.streaming import factory
from tests.streaming.factory import EDITOR

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


def marked(**facts: Any) -> uuid.UUID:
    """A version that nobody needs, marked a day ago."""
    missing = {"missing_since": AT - 3 * DAY, "expired_at": AT - DAY}
    return factory.version(factory.movie(1), "old", **{**missing, **facts})


def deleted(at: Any = AT) -> int:
    return int(succeeded(Job.PRUNE, at=at)["deleted"])


def test_what_was_marked_this_moment_is_not_deleted() -> None:
    key = marked()
    StreamVersion.objects.filter(pk=key).update(expired_at=AT)
    assert deleted(AT) == 0
    assert deleted(AT + HOUR) == 1


def test_a_version_that_is_suppressed_at_the_last_moment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """An editor's word on it has to outlive it, or the next search would bring it back."""
    key = marked()
    delete: Callable[[Any, str], int] = QuerySet._raw_delete

    def suppressed_first(versions: Any, using: str) -> int:
        if versions.model is StreamVersion:
            switching.suppress(key, actor=EDITOR, comment="wrong film", at=AT)
        return delete(versions, using)

    monkeypatch.setattr(QuerySet, "_raw_delete", suppressed_first)
    assert deleted() == 0
    assert StreamVersion.objects.get().suppressed_why == "wrong film"


def test_a_marked_version_of_a_movie_that_was_pinned_since_is_kept() -> None:
    marked()
    switching.edit(1, pinned=True, actor=EDITOR, comment="", at=AT)
    assert deleted() == 0


def test_a_mark_is_set_once() -> None:
    marked()
    switching.edit(1, pinned=True, actor=EDITOR, comment="", at=AT)
    succeeded(Job.PRUNE, at=AT)
    switching.edit(1, pinned=False, actor=EDITOR, comment="", at=AT)
    StreamVersion.objects.update(expired_at=AT + HOUR)  # too young to be deleted by the next run
    summary = succeeded(Job.PRUNE, at=AT + HOUR)
    assert (summary["deleted"], summary["expired"]) == (0, 0)
    assert StreamVersion.objects.get().expired_at == AT + HOUR
