"""Jobs over HTTP: what runs, what ran, what it said; and starting one."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.permissions import IsOperator, IsViewer, OperatorWrites
from core.problems import Problem
from core.routes import LARGEST_ID
from core.serializers import Strict
from ingestion import progress, runs, schedule, status
from ingestion.models import IngestLog, IngestRun
from ingestion.registry import JOBS
from streaming.models import Movie


def run_body(run: IngestRun) -> dict[str, Any]:
    """One run, as the API shows it to staff."""
    return {
        "id": str(run.pk),
        "job": run.job,
        "movie": run.movie_id,
        "status": run.status,
        "trigger": run.trigger,
        "requested_by": run.requested_by,
        "correlation_id": run.correlation_id,
        "queued_at": run.queued_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "attempts": run.attempts,
        "progress": progress.of(run, timezone.now()).as_json(),
        "summary": run.summary,
        "error": run.error,
        "traceback": run.traceback,
    }


def log_body(line: IngestLog) -> dict[str, Any]:
    """One line of the log, as the API shows it."""
    return {
        "id": str(line.pk),
        "at": line.at,
        "run": str(line.run_id) if line.run_id else None,
        "job": line.job,
        "movie": line.movie_id,
        "status": line.status,
        "message": line.message,
        "duration_ms": line.duration_ms,
        "error": line.error,
        "metadata": line.metadata,
    }


class Status(APIView):
    """GET what every job is doing, and whether there is anybody to do it."""

    permission_classes = [IsViewer]

    def get(self, request: Request) -> Response:
        return Response(status.snapshot(timezone.now()))


class RunJob(APIView):
    """POST: start a job now; 202 with its run.

    With `again` true it is the run that was active already; if that had begun, one more follows it.
    """

    permission_classes = [IsOperator]

    def post(self, request: Request, job: str) -> Response:
        if job not in JOBS:
            raise Problem(404, _no_job(job))
        movie_id = _movie(job, request.data)
        run, created = runs.queue(
            job,
            movie_id=movie_id,
            trigger="api",
            requested_by=request.user.get_username(),
            at=timezone.now(),
        )
        return Response(run_body(run) | {"again": not created}, status=202)


class Runs(APIView):
    """GET the newest runs; filters: job, status, movie, correlation_id, limit."""

    permission_classes = [IsViewer]

    def get(self, request: Request) -> Response:
        filters = RunFilter.read(request.query_params)
        limit = filters.pop("limit")
        rows = IngestRun.objects.filter(**filters).order_by("-id")[:limit]
        return Response([run_body(run) for run in rows])


class Run(APIView):
    """GET one run; DELETE cancels it."""

    permission_classes = [OperatorWrites]

    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        run = IngestRun.objects.filter(pk=run_id).first()
        if run is None:
            raise Problem(404, f"There is no run {run_id}.")
        return Response(run_body(run))

    def delete(self, request: Request, run_id: uuid.UUID) -> Response:
        try:
            run = runs.cancel(run_id, by=request.user.get_username(), at=timezone.now())
        except runs.UnknownRun as error:
            raise Problem(404, str(error)) from None
        return Response(run_body(run))


class Logs(APIView):
    """GET the newest log lines; filters: job, status, movie, run, since, until, text, limit."""

    permission_classes = [IsViewer]

    def get(self, request: Request) -> Response:
        filters = LogFilter.read(request.query_params)
        limit = filters.pop("limit")
        lines = IngestLog.objects.filter(**filters).order_by("-id")[:limit]
        return Response([log_body(line) for line in lines])


class Initialize(APIView):
    """POST: write the schedule from the settings again. What an operator disabled stays disabled."""

    permission_classes = [IsOperator]

    def post(self, request: Request) -> Response:
        return Response({"scheduled": schedule.initialize()})


class JobName(serializers.CharField):
    """A job that there is."""

    def to_internal_value(self, data: Any) -> str:
        name: str = super().to_internal_value(data)
        if name not in JOBS:
            raise serializers.ValidationError(_no_job(name))
        return name


class _Newest(Strict):
    job = JobName(required=False)
    movie = serializers.IntegerField(source="movie_id", required=False, min_value=1, max_value=LARGEST_ID)
    limit = serializers.IntegerField(default=50, min_value=1, max_value=500)


class RunFilter(_Newest):
    status = serializers.ChoiceField(choices=IngestRun.Status.choices, required=False)
    correlation_id = serializers.CharField(required=False, max_length=64)


class LogFilter(_Newest):
    status = serializers.ChoiceField(choices=IngestLog.Status.choices, required=False)
    run = serializers.UUIDField(source="run_id", required=False)
    since = serializers.DateTimeField(source="at__gte", required=False)
    until = serializers.DateTimeField(source="at__lte", required=False)
    text = serializers.CharField(source="message__contains", required=False, max_length=100)


class OneMovie(Strict):
    movie = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


class NoParameters(Strict):
    """Most jobs do all there is to do."""


def _no_job(name: str) -> str:
    return f"There is no job {name[:40]!r}. There are: {', '.join(JOBS)}."


def _movie(job: str, given: Any) -> int | None:
    """The movie that a job is asked for, if it takes one and is not asked for all."""
    takes = OneMovie if JOBS[job].takes_movie else NoParameters
    movie_id: int | None = takes.read(given).get("movie")
    if movie_id is not None and not Movie.objects.present().filter(pk=movie_id).exists():
        raise Problem(404, f"There is no movie {movie_id}.", reason="not_found")
    return movie_id
