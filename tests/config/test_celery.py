"""A worker's connections: kept or given back between two tasks as they are between two requests."""

from __future__ import annotations

import pytest
from celery.fixups.django import DjangoWorkerFixup
from celery.signals import task_postrun, task_prerun
from django.db import connection

from config.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_connection_is_kept_from_task_to_task_or_given_back_to_its_pool() -> None:
    fixup = DjangoWorkerFixup(app)
    task = type("Task", (), {"request": type("Request", (), {"is_eager": False})})
    connection.close()  # one that earlier tests left may be old enough to be given up
    connection.ensure_connection()
    max_age = connection.settings_dict["CONN_MAX_AGE"]
    if max_age and connection.close_at is not None:
        connection.close_at += 3600  # however slow the machine is, it is not too old yet
    for signal, celery in ((task_postrun, fixup.on_task_postrun), (task_prerun, fixup.on_task_prerun)):
        celery(sender=task)
        signal.send(sender=task)
    # Whether it is held at all: a pool may well give the same one again.
    kept = connection.connection is not None
    assert kept == (max_age != 0)
    assert kept == (connection.vendor == "sqlite")
