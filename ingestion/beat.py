"""Beat: fires each job when its schedule says. Celery's own loop calls `tick`; the rest of its scheduler is
not used.

Nothing is remembered between two looks. A window fires by recording its run under a key that follows from job
and window, so any number of beats may run: whoever comes first has fired it, and one that is killed half way
leaves it either on record or owed. See docs/adr/0017.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from celery.beat import Scheduler
from django.db import IntegrityError, close_old_connections
from django.db.models import F
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from core.ids import uuid7_of
from core.outages import OUTAGES
from ingestion import runs, timetable, windows

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
MINUTE_S = 60.0
"""Cron columns name no shorter time, so it is at a full minute that somebody is due."""


class Beat(Scheduler):
    """The scheduler of `celery -A config beat` (CELERY_BEAT_SCHEDULER)."""

    _away = False

    def setup_schedule(self) -> None:
        """Nothing: the rows are read at every look, so a database that is away at the start is no matter."""

    def tick(self, *_: Any, **__: Any) -> float:
        """Fire what is due, and return for how many seconds nothing will be. No failure of it ends beat."""
        try:
            close_old_connections()
            fire_due(timezone.now())
            self._note(away=False)
        except OUTAGES as error:
            self._note(away=True, error=error)
        except Exception:
            logger.exception("The schedule could not be looked at; the next look is in a moment.")
        return min(self.max_interval or LOOK_EVERY_S, _until_next_minute(timezone.now()))

    def _note(self, *, away: bool, error: BaseException | None = None) -> None:
        """Say once that the database is away, and once that it is back."""
        if away and not self._away:
            logger.warning("Schedules wait: the database does not answer: %s", error)
        elif self._away and not away:
            logger.warning("The database answers again; what was missed fires once.")
        self._away = away


def fire_due(at: datetime) -> list[str]:
    """Fire every window that has come, and return the jobs. Raises one of `core.outages`; what had not fired
    by then is owed as before. A row that makes no sense holds up no other."""
    fired = []
    for row in timetable.rows():
        try:
            window = windows.owed(timetable.timed(row), at)
            if window and fire(row, window, at):
                fired.append(row.name)
        except OUTAGES:
            raise
        except Exception:
            logger.exception("The schedule of %s did not fire.", row.name)
    return fired


def fire(row: PeriodicTask, window: datetime, at: datetime) -> bool:
    """Record the run of this window, then that it fired. False if somebody else did so before.

    The run is what counts: killed between the two, beat finds the run on record and notes it a second time.
    A job that is at work already is not asked again: it is doing what the window is for.
    """
    try:
        key = uuid7_of(window, f"window of {row.name}")
        _, fired = runs.queue(row.name, at=at, trigger="schedule", again=False, run_id=key)
    except IntegrityError:
        fired = False  # by another beat, since we looked
    as_read = PeriodicTask.objects.filter(pk=row.pk, last_run_at=row.last_run_at)
    as_read.update(last_run_at=at, total_run_count=F("total_run_count") + 1)
    return fired


def _until_next_minute(at: datetime) -> float:
    return MINUTE_S - at.second - at.microsecond / 1e6
