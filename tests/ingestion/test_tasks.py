"""What becomes of a message that cannot be worked on now. On real workers: `test_worker`, tests/faults."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import Reject
from django.db import OperationalError

from config.celery import app
from ingestion import jobs, slots, tasks
from ingestion.registry import JOBS


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, with a database that refuses at once whatever it is asked."""

    def refuse(*args: Any, **options: Any) -> None:
        raise OperationalError("attempt to write a readonly database")

    pauses: list[float] = []
    monkeypatch.setattr(tasks, "time", SimpleNamespace(sleep=pauses.append))
    monkeypatch.setattr(jobs, "execute", refuse)
    return pauses


def test_a_message_goes_back_to_the_broker_but_not_at_once(pauses: list[float]) -> None:
    """It would come back at once, a thousand times a second."""
    with pytest.raises(Reject) as rejected:
        tasks.do(str(uuid.uuid4()))
    assert rejected.value.requeue
    assert pauses == [slots.TRY_AGAIN_S]


@pytest.mark.parametrize("job", JOBS)
def test_a_message_is_kept_until_its_work_is_done(job: str) -> None:
    """Or one that finds the database away, or a worker that dies with it in hand, would be gone."""
    task = app.tasks[job]
    assert task.acks_late
    assert task.reject_on_worker_lost
