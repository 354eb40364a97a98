"""Old logs and runs go: by `maintenance.prune` from SQL, by the server itself from MongoDB. The same ones.

MongoDB goes by its own clock, so these rows are as old as they say, by the real one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connections, router
from django.utils import timezone

from config.databases import DOCUMENTS
from core.expiry import Expiry, expires_by_itself
from core.models import TokenFamily
from ingestion import prune
from ingestion.models import DailyStats, IngestLog, IngestRun, Job
from providers.models import ProviderHour
from tests import expiry
from tests.ingestion.world import succeeded
from tests.servers import eventually

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
Status = IngestRun.Status
KEPT = (IngestLog, IngestRun, DailyStats, ProviderHour, TokenFamily)


@pytest.fixture
def expiring() -> Iterator[None]:
    """On MongoDB, the indexes as the migrations make them: elsewhere in the tests they delete nothing."""
    alias = router.db_for_write(IngestLog)
    if not expires_by_itself(IngestLog):
        yield
        return
    with connections[alias].schema_editor() as editor:
        for model in KEPT:
            for index in model._meta.indexes:
                if isinstance(index, Expiry):
                    editor.remove_index(model, index)
                    editor.add_index(model, index)
    yield
    expiry.stay(alias)


def log(age: timedelta) -> Any:
    return IngestLog.objects.create(
        at=timezone.now() - age, job=Job.MATCH, status=IngestLog.Status.OK, message=str(age)
    ).pk


def run(job: Job, status: Status, age: timedelta | None) -> Any:
    now = timezone.now()
    finished = None if age is None else now - age
    return IngestRun.objects.create(
        job=job, status=status, trigger="test", queued_at=now - 60 * DAY, finished_at=finished
    ).pk


def hour(age: timedelta) -> Any:
    at = timezone.now() - age
    return ProviderHour.objects.create(key=ProviderHour.key_for("films", at), hour=at).pk


def day(age: timedelta) -> Any:
    start = timezone.now() - age
    return DailyStats.objects.create(day=f"{start:%Y-%m-%d}", start=start, at=start, counted={}).pk


def session(left: timedelta) -> Any:
    return TokenFamily.objects.create(pk=uuid4(), seq=1, expires_at=timezone.now() + left).pk


def keys() -> set[Any]:
    return {key for model in KEPT for key in model.objects.values_list("pk", flat=True)}


def test_the_same_rows_go_wherever_they_are(expiring: None) -> None:
    kept = {
        log(30 * DAY - HOUR),
        log(timedelta()),
        run(Job.MATCH, Status.SUCCEEDED, 30 * DAY - HOUR),
        run(Job.MATCH, Status.QUEUED, None),
        run(Job.TICK, Status.SUCCEEDED, DAY - HOUR),
        run(Job.TICK, Status.FAILED, 30 * DAY - HOUR),
        run(Job.PRUNE, Status.SUCCEEDED, 2 * DAY),
        day(30 * DAY - HOUR),
        hour(30 * DAY - HOUR),
        session(HOUR),
    }
    gone = {
        log(30 * DAY + HOUR),
        log(400 * DAY),
        run(Job.MATCH, Status.LOST, 30 * DAY + HOUR),
        run(Job.TICK, Status.SUCCEEDED, DAY + HOUR),
        run(Job.TICK, Status.FAILED, 30 * DAY + HOUR),
        day(31 * DAY + HOUR),
        hour(30 * DAY + HOUR),
        session(-HOUR),
    }
    old = prune._old(timezone.now())
    dropped = [(what, prune._drop(what, rows)[what]) for what, rows in old]
    if expires_by_itself(IngestLog):
        eventually(lambda: not keys() & gone, within_s=90)
        assert dropped == [("logs", 0), ("runs", 0), ("runs", 0), ("days", 0), ("hours", 0), ("sessions", 0)]
    else:
        assert dropped == [("logs", 2), ("runs", 2), ("runs", 1), ("days", 1), ("hours", 1), ("sessions", 1)]
    assert keys() == kept


@pytest.mark.skipif(DOCUMENTS in settings.DATABASES, reason="MongoDB leaves nothing to prune")
def test_pruning_says_how_many_went() -> None:
    log(31 * DAY)
    run(Job.TICK, Status.SUCCEEDED, 2 * DAY)
    summary = succeeded(Job.PRUNE, at=timezone.now())
    assert (summary["logs"], summary["runs"]) == (1, 1)
    assert IngestLog.objects.get().message == "Pruned: 1 logs, 1 runs."
