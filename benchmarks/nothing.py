"""Work that does nothing but say when it began: as a bare Celery task, and as a job of Marquee's.

A worker of `benchmarks.queue_latency` has it by JOB_MODULES. LATENCY_SOCKET names who listens.
"""

from __future__ import annotations

import os
import socket
import time
from typing import Any

from celery import shared_task

from benchmarks.queue_latency import BARE, JOB
from ingestion.registry import job
from ingestion.reports import Report


def _began() -> None:
    now = time.monotonic_ns()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.sendto(str(now).encode(), os.environ["LATENCY_SOCKET"])


@shared_task(name=BARE)
def bare() -> None:
    _began()


@job(JOB, "Says when it began, and does nothing.", takes_movie=True)
def nothing(report: Report) -> dict[str, Any]:
    _began()
    return {}
