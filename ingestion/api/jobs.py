"""Jobs over HTTP: what runs, what ran, what it said; and starting one."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import audit, paging
from core.api.contract import Tag, many, operation
from core.paging import HOW_MANY, LINK, Paged
from core.permissions import IsOperator, IsViewer, OperatorWrites
from core.problems import Problem
from core.routes import LARGEST_ID
from core.serializers import Choice, Nothing, Strict
from ingestion import progress, runs, schedule, status
from ingestion.api import shapes
from ingestion.models import IngestLog, IngestRun
from ingestion.registry import JOBS
from streaming.models import Movie

NEWEST = ("-id",)


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


class JobName(serializers.CharField):
    """A job that there is."""

    def to_internal_value(self, data: Any) -> str:
        name: str = super().to_internal_value(data)
        if name not in JOBS:
            raise serializers.ValidationError(_no_job(name))
        return name


class _Newest(Paged):
    job = JobName(required=False, help_text="Of this job.")
    movie = serializers.IntegerField(
        source="movie_id", required=False, min_value=1, max_value=LARGEST_ID, help_text="Of this movie."
    )
    limit = serializers.IntegerField(default=50, min_value=1, max_value=500, help_text=HOW_MANY)


class RunFilter(_Newest):
    example = {"job": "content.match", "status": "running", "limit": 20}

    status = Choice(choices=IngestRun.Status.choices, required=False, help_text="How far they are.")
    correlation_id = serializers.CharField(
        required=False, max_length=64, help_text="Set off by the request, or the run, with this id."
    )


class LogFilter(_Newest):
    example = {"status": "UPGRADED", "since": "2026-11-22T00:00:00Z", "text": "1080p", "limit": 20}

    status = Choice(choices=IngestLog.Status.choices, required=False, help_text="What they tell of.")
    run = serializers.UUIDField(source="run_id", required=False, help_text="Of this run.")
    since = serializers.DateTimeField(source="at__gte", required=False, help_text="Not older.")
    until = serializers.DateTimeField(source="at__lte", required=False, help_text="Not newer.")
    text = serializers.CharField(
        source="message__contains", required=False, max_length=100, help_text="What their message holds."
    )


class OneMovie(Strict):
    example = {"movie": 45745}

    movie = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


UNKNOWN_JOB = Problem(404, "There is no job 'content.mach'. There are: …", reason="unknown_job")
UNKNOWN_MOVIE = Problem(404, "There is no movie 550.", reason="not_found")
UNKNOWN_RUN = Problem(404, "There is no run 019a9d7e-7c1a-7cc0-8e3a-0d7f3f6f9b11.", reason="not_found")


class Status(APIView):
    permission_classes = [IsViewer]

    @operation("getStatus", Tag.JOBS, shapes.Status)
    def get(self, request: Request) -> Response:
        """What every job is doing.

        And whether there is anybody to do it: workers, scheduler, broker; how each provider stands; what is
        overdue. What ended is counted over 24 hours.
        """
        return Response(status.snapshot(timezone.now()))


class RunJob(APIView):
    permission_classes = [IsOperator]

    @operation(
        "startJob", Tag.JOBS, shapes.RunAsked, status=202, body=OneMovie, refuses=[UNKNOWN_JOB, UNKNOWN_MOVIE]
    )
    def post(self, request: Request, job: str) -> Response:
        """Start a job now.

        Answers with its run. With `again` true it is the run that was active already; if that had begun, one
        more follows it. Only `content.match` takes a movie; without one it is of all that are due.
        """
        if job not in JOBS:
            raise Problem(404, _no_job(job), reason="unknown_job")
        movie_id = _movie(job, request.data)
        who = request.user.get_username()
        run, created = runs.ask(job, movie_id=movie_id, trigger="api", by=who, at=timezone.now())
        return Response(run_body(run) | {"again": not created}, status=202)


class Runs(APIView):
    permission_classes = [IsViewer]

    @operation("listRuns", Tag.JOBS, many(shapes.Run), query=RunFilter, headers=LINK)
    def get(self, request: Request) -> Response:
        """Runs, the newest first.

        Of all jobs, or as filtered; how far each is, and how fast. `Link` leads to older ones.
        """
        place, filters = RunFilter.read_apart(request.query_params)
        page = paging.read(request, IngestRun.objects.filter(**filters), NEWEST, **place)
        return page.response([run_body(run) for run in page.rows])


class Run(APIView):
    permission_classes = [OperatorWrites]

    @operation("getRun", Tag.JOBS, shapes.Run, refuses=[UNKNOWN_RUN])
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """One run.

        How far it is, or how it ended.
        """
        run = IngestRun.objects.filter(pk=run_id).first()
        if run is None:
            raise Problem(404, f"There is no run {run_id}.", reason="not_found")
        return Response(run_body(run))

    @operation("cancelRun", Tag.JOBS, shapes.Run, refuses=[UNKNOWN_RUN])
    def delete(self, request: Request, run_id: uuid.UUID) -> Response:
        """Cancel a run.

        One that waits never begins; one that works stops at its next step. One that is over stays as it is.
        """
        try:
            run = runs.cancel(run_id, by=request.user.get_username(), at=timezone.now())
        except runs.UnknownRun as error:
            raise Problem(404, str(error), reason="not_found") from None
        return Response(run_body(run))


class Logs(APIView):
    permission_classes = [IsViewer]

    @operation("listLogs", Tag.JOBS, many(shapes.LogLine), query=LogFilter, headers=LINK)
    def get(self, request: Request) -> Response:
        """Log lines, the newest first.

        What runs said of themselves: of all jobs, or as filtered. `Link` leads to older ones.
        """
        place, filters = LogFilter.read_apart(request.query_params)
        page = paging.read(request, IngestLog.objects.filter(**filters), NEWEST, **place)
        return page.response([log_body(line) for line in page.rows])


class Initialize(APIView):
    permission_classes = [IsOperator]

    @operation("initializeSchedule", Tag.JOBS, shapes.Schedule, body=Nothing)
    def post(self, request: Request) -> Response:
        """Write the schedule from the settings.

        Twice is the same as once. What an operator disabled stays disabled.
        """
        Nothing.read(request.data)
        with audit.act(audit.Action.SCHEDULE_INITIALIZE) as deed:
            scheduled = schedule.initialize()
            deed.changed(after={"scheduled": scheduled})
        return Response({"scheduled": scheduled})


def _no_job(name: str) -> str:
    return f"There is no job {name[:40]!r}. There are: {', '.join(JOBS)}."


def _movie(job: str, given: Any) -> int | None:
    """The movie that a job is asked for, if it takes one and is not asked for all."""
    takes = OneMovie if JOBS[job].takes_movie else Nothing
    movie_id: int | None = takes.read(given).get("movie")
    if movie_id is not None and not Movie.objects.present().filter(pk=movie_id).exists():
        raise Problem(404, f"There is no movie {movie_id}.", reason="not_found")
    return movie_id
