"""Two queues: what the schedule asks for does not wait behind thousands of movies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import redis
from celery import current_app
from django.conf import settings

from ingestion import runs, status
from ingestion.models import Job

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEYS = [f"marquee:{name}" for name in (settings.CELERY_TASK_DEFAULT_QUEUE, settings.MOVIES_QUEUE)]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


def test_a_tick_is_not_queued_behind_the_movies(valkey: redis.Redis) -> None:
    for movie_id in range(1, 6):
        runs.queue(Job.MATCH, at=AT, trigger="test", movie_id=movie_id)
    runs.queue(Job.TICK, at=AT, trigger="test")
    runs.queue(Job.MATCH, at=AT, trigger="test")  # of all that are due
    assert [valkey.llen(key) for key in KEYS] == [2, 5]


def test_a_worker_takes_from_both_queues_and_the_status_counts_both(valkey: redis.Redis) -> None:
    assert {f"marquee:{name}" for name in current_app.amqp.queues.consume_from} == set(KEYS)
    runs.queue(Job.MATCH, at=AT, trigger="test", movie_id=1)
    runs.queue(Job.TICK, at=AT, trigger="test")
    assert status.queue_depth() == 2


def test_a_broker_that_has_no_room_loses_no_run_and_fails_nobody_who_asks(valkey: redis.Redis) -> None:
    valkey.config_set("maxmemory", 1)
    try:
        run, created = runs.queue(Job.TICK, at=AT, trigger="test")
        assert (created, run.status) == (True, "queued")
    finally:
        valkey.config_set("maxmemory", 0)
    assert runs.find_lost(at=AT).published == 1
    assert status.queue_depth() == 1
