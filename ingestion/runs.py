"""Runs: the only writer of a run's status.

A run is a row before its work begins, and closed after it whatever happens. No job's work is done here, and
nothing here waits for one: Celery carries a run's id and no more.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.utils import timezone

from core import audit, correlation
from core.audit import Action
from core.outages import OUTAGES
from core.refusals import Refusal
from ingestion import ending, lost, slots
from ingestion.attempts import End, attempt, failed_by
from ingestion.ending import key_of
from ingestion.lost import find_lost
from ingestion.models import IngestRun
from ingestion.reports import Report, Stopped, Work, log
from ingestion.slots import Clock

__all__ = ["Report", "Stopped", "Work", "ask", "cancel", "execute", "find_lost", "log", "queue"]

Status = IngestRun.Status


class UnknownRun(Refusal):
    """There is no such run."""


def queue(
    job: str,
    *,
    at: datetime,
    trigger: str,
    movie_id: int | None = None,
    requested_by: str = "",
    again: bool = True,
    publish: bool = True,
    run_id: uuid.UUID | None = None,
) -> tuple[IngestRun, bool]:
    """Record a run and hand it to the workers: (run, True), or (the run that is active already, False).

    Asking while one *runs* has it followed by one more, unless `again` is off. One that is queued becomes
    theirs who ask by name first, and does not wait for the pause before a retry; a schedule cuts a long pause
    short. With `publish` off the caller executes the run itself. With the broker away the run stays queued,
    and the next tick publishes it.

    A `run_id` that follows from what asks makes it ask once: later it finds (the run of then, False). Of two
    that ask at the same moment one gets IntegrityError.
    """
    if run_id is not None and (recorded := IngestRun.objects.filter(pk=run_id).first()):
        return recorded, False
    run = IngestRun(job=job, movie_id=movie_id, trigger=trigger, requested_by=requested_by)
    run.pk = run_id or run.pk
    run.correlation_id = correlation.current() or correlation.new()
    run.queued_at = at.replace(microsecond=at.microsecond // 1000 * 1000)  # MongoDB would keep no more
    while (active := lost.active(key_of(run), at)) or not _claim(run):
        if active and (not again or _joins(active, requested_by) or slots.ask_again(key_of(run), active.pk)):
            if requested_by or trigger == "schedule":
                _sooner(active, at, by_hand=bool(requested_by))
            return active, False
    if publish:
        ending.publish(run, at=at)
    return run, True


def ask(
    job: str, *, by: str, at: datetime, trigger: str, movie_id: int | None = None
) -> tuple[IngestRun, bool]:
    """Queue a run on somebody's word, which is audited; else as `queue`."""
    one = movie_id is not None
    action, key = (Action.MOVIE_RECHECK, movie_id) if one else (Action.JOB_START, job)
    with audit.act(action, key) as deed:
        run, created = queue(job, movie_id=movie_id, at=at, trigger=trigger, requested_by=by)
        deed.changed(after={"job": job, "run": run.pk, "joins_one_that_waits": not created})
    return run, created


def execute(run_id: uuid.UUID, work: Work, *, clock: Clock = timezone.now) -> IngestRun | None:
    """Do the work of a queued run, here and now. None when it is not queued: then somebody else has it.

    A database that goes away meanwhile is waited for: how the work ended is on record before this returns.
    Raises one of `core.outages` if it is away before the work has begun; then the run is as queued as it was.
    """
    run = _start(run_id, at=clock())
    if run is None:
        return None
    held = slots.kept(key_of(run), run.pk, clock, deadline=ending.deadline_of(run))
    with correlation.under(run.correlation_id or str(run.pk)), held as lease:
        report = Report(run, clock, lease)
        try:
            end = attempt(work, report)
        except BaseException as interrupt:
            _interrupted(run, interrupt, at=clock())
            raise
        _conclude(report, end)
        lease.written(run.refresh_from_db)
    return run


def cancel(run_id: uuid.UUID, *, by: str, at: datetime) -> IngestRun:
    """Cancel a run that is queued or running; a running one stops at its next step. Raises UnknownRun.

    A run that is over already is returned as it is.
    """
    with audit.act(Action.RUN_CANCEL, run_id) as deed:
        run = IngestRun.objects.filter(pk=run_id).first()
        if run is None:
            raise UnknownRun(f"There is no run {run_id}.")
        before, deed.name = run.status, str(run)
        _cancel(run, by=by, at=at)
        deed.changed({"status": before}, {"status": run.status})
    return run


def _cancel(run: IngestRun, *, by: str, at: datetime) -> None:
    error = f"Cancelled by {by}."
    if ending.close([Status.QUEUED], run, Status.CANCELLED, at=at, error=error):
        ending.pass_on(run, at=at)
    else:  # its worker passes the slot on
        ending.close([Status.RUNNING], run, Status.CANCELLED, at=at, error=error)
    run.refresh_from_db()


def _joins(run: IngestRun, name: str) -> bool:
    """Whether the run is still to begin, and so does for whoever asks now. It becomes theirs if it was
    nobody's: a person's does more than a sweep's."""
    if run.status != Status.QUEUED or not name:
        return run.status == Status.QUEUED
    queued = IngestRun.objects.filter(pk=run.pk, status=Status.QUEUED)
    return queued.filter(requested_by="").update(requested_by=name) == 1 or queued.exists()


def _sooner(run: IngestRun, at: datetime, *, by_hand: bool) -> None:
    """Publish a retry now, should it be waiting; for a schedule only if it would wait for long: once is
    enough, and nobody may be there to do it."""
    waits = run.status == Status.QUEUED and run.trigger == "retry"
    move = slots.extend if by_hand else slots.hasten
    if waits and move(key_of(run), run.pk, until=at + slots.QUEUED_LEASE):
        ending.publish(run, at=at)


def _claim(run: IngestRun) -> bool:
    """Write the row and take the slot for it. The row goes first: a slot never points at nothing."""
    run.save(force_insert=True)
    if slots.claim(key_of(run), run.pk, until=run.queued_at + slots.QUEUED_LEASE):
        return True
    IngestRun.objects.filter(pk=run.pk).delete()
    return False


def _start(run_id: uuid.UUID, *, at: datetime) -> IngestRun | None:
    """Turn a queued run into a running one. None when it is not queued, so each is worked on once."""
    queued = IngestRun.objects.filter(pk=run_id, status=Status.QUEUED)
    run = next(iter(queued), None)
    if run is None:
        return None
    run.status, run.started_at, run.attempts = Status.RUNNING, at, run.attempts + 1
    begun = queued.update(status=run.status, started_at=run.started_at, attempts=run.attempts)
    return run if begun else None


def _interrupted(run: IngestRun, interrupt: BaseException, *, at: datetime) -> None:
    """Somebody at a terminal has had enough; or a process is told to end, and another one takes over."""
    if isinstance(interrupt, KeyboardInterrupt):
        ending.close([Status.RUNNING], run, Status.CANCELLED, at=at, error="Interrupted.")
        ending.pass_on(run, at=at)
    else:
        error = f"Its process was told to end ({type(interrupt).__name__})."
        owed = lost.end(run, Status.LOST, error, at)
        ending.pass_on(run, at=at, retry_in=timedelta(0) if owed else None)


def _conclude(report: Report, end: End | None) -> None:
    """Close the run, say why, and pass its slot on, each of them for certain. No retry of a run that was
    cancelled, or taken for lost, before it failed.

    What follows it is queued at the moment of its row: one that looked old would be a stray to `find_lost`.
    """
    run, written = report.run, report.lease.written
    if end is None or not (end := _closed(report, end)):
        written(lambda: ending.pass_on(run, at=report.now()))
        return
    retry_in, counts = end.retry_in, end.counts
    if said := end.said:
        written(lambda: report.log(**said))
    written(lambda: ending.pass_on(run, at=report.now(), retry_in=retry_in, counts=counts))


def _closed(report: Report, end: End) -> End | None:
    """Close the run: how it ended. None if somebody else had closed it. A summary that this database cannot
    hold (a NUL, 65 bits) is a bug of the work's."""
    at = report.now()
    try:
        closed = report.lease.written(lambda: _close(report.run, end, at))
    except OUTAGES:
        raise
    except Exception as bug:
        end = failed_by(bug, report)
        closed = report.lease.written(lambda: _close(report.run, end, at))
    return end if closed else None


def _close(run: IngestRun, end: End, at: datetime) -> bool:
    """True also if it was closed so by an UPDATE whose answer did not arrive."""
    if ending.close([Status.RUNNING], run, end.status, at=at, **end.columns):
        return True
    return IngestRun.objects.filter(pk=run.pk, status=end.status).exists()
