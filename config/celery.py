"""The Celery application: `celery -A config worker`, `celery -A config beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, task_postrun, task_prerun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("marquee")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def _refuse_to_start(**signal: Any) -> None:
    """Before a worker takes a job, or beat fires one."""
    from config.safety import refuse_to_start  # the apps are not ready when the application is made

    refuse_to_start()


@task_prerun.connect
@task_postrun.connect
def _close_old_connections(**signal: Any) -> None:
    """As Django does around each request. Celery by itself (CELERY_DB_REUSE_MAX) would close all of them."""
    close_old_connections()
