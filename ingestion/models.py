"""Runs of jobs, what they logged, and the slots that keep one run per job and movie active.

A run's status is written by `ingestion.runs` alone.
"""

from __future__ import annotations

from enum import StrEnum

from django.db import models

from core.expiry import Expiry
from core.ids import uuid7
from ingestion.retention import DAYS_KEPT, LOGS_KEPT, RUNS_KEPT, TICKS_KEPT

JOB_NAME_CHARS = 24


class Job(StrEnum):
    """Our own jobs by name. An operator may add others (`ingestion.registry`), so columns hold any name."""

    DISCOVER = "tmdb.discover"
    MATCH = "content.match"
    REFRESH = "content.refresh"
    REVERIFY = "content.reverify"
    APPLY = "policy.apply"
    ENFORCE = "policy.enforce"
    TICK = "maintenance.tick"
    PRUNE = "maintenance.prune"


class RunStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"


class IngestRun(models.Model):
    """One run of a job, recorded before the work begins and closed after it, whatever happens."""

    Status = RunStatus

    id = models.UUIDField(primary_key=True, default=uuid7, db_column="_id", editable=False)
    job = models.CharField(max_length=JOB_NAME_CHARS)
    movie_id = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=12, choices=RunStatus, default=RunStatus.QUEUED)
    trigger = models.CharField(max_length=20, help_text="schedule, discovery, refresh, api, admin, command …")
    requested_by = models.CharField(max_length=150, blank=True)
    correlation_id = models.CharField(
        max_length=64,
        blank=True,
        db_index=True,
        help_text="what the request, or the run, that asked for this one was called; log lines carry it",
    )
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    summary = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True, help_text="of a bug; a failure that was to be expected has none")

    class Meta:
        indexes = [
            models.Index(fields=["job", "status", "-id"], name="run_by_job_status"),
            models.Index(fields=["status", "-id"], name="run_by_status"),
            models.Index(fields=["job", "finished_at"], name="run_by_job_end"),
            models.Index(fields=["job", "-id"], name="run_by_job"),
            models.Index(fields=["movie_id", "-id"], name="run_by_movie"),
            Expiry(fields=["finished_at"], name="run_by_end", after=RUNS_KEPT),
            Expiry(
                fields=["finished_at"],
                condition=models.Q(job=Job.TICK, status=RunStatus.SUCCEEDED),
                name="routine_tick_by_end",
                after=TICKS_KEPT,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.movie_id}" if self.movie_id else self.job


class IngestLog(models.Model):
    """One line of what a run did."""

    class Status(models.TextChoices):
        OK = "OK"
        SKIP = "SKIP"
        ADDED = "ADDED"
        UPGRADED = "UPGRADED"
        SWITCHED = "SWITCHED"
        WARNING = "WARNING"
        FAILED = "FAILED"
        ERROR = "ERROR"

    id = models.UUIDField(primary_key=True, default=uuid7, db_column="_id", editable=False)
    at = models.DateTimeField()
    run_id = models.UUIDField(null=True)
    job = models.CharField(max_length=JOB_NAME_CHARS)
    movie_id = models.PositiveIntegerField(null=True)
    status = models.CharField(max_length=10, choices=Status)
    message = models.TextField()
    duration_ms = models.PositiveIntegerField(null=True)
    error = models.TextField(blank=True)
    metadata = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["run_id", "-id"], name="log_by_run"),
            models.Index(fields=["movie_id", "-id"], name="log_by_movie"),
            models.Index(fields=["job", "-id"], name="log_by_job"),
            models.Index(fields=["status", "-id"], name="log_by_status"),
            Expiry(fields=["at"], name="log_by_time", after=LOGS_KEPT),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.status}: {self.message}"


class Slot(models.Model):
    """The right to run one job (for one movie): claimed by compare-and-swap, held by a lease."""

    key = models.CharField(primary_key=True, max_length=48, db_column="_id")
    run_id = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True, db_index=True)
    again = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.key


class DailyStats(models.Model):
    """One day (UTC) in figures, as of its end; of today, as of `at`. See `ingestion.figures`.

    `counted` is what logs tell, so it may be counted again. `standing` is how things stood: null where nobody
    looked in time, since that cannot be made up for.
    """

    day = models.CharField(primary_key=True, max_length=10, db_column="_id", help_text="2026-11-30")
    start = models.DateTimeField()
    at = models.DateTimeField()
    counted = models.JSONField()
    standing = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "daily stats"
        indexes = [Expiry(fields=["start"], name="daily_stats_by_day", after=DAYS_KEPT)]

    def __str__(self) -> str:
        return self.day
