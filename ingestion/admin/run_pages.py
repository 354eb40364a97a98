"""One run in the admin: what it does, what came of it, and what an operator can do about it.

The pages are our own views; every deed is a verb of `ingestion.runs`.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from core.admin import RoleAdmin
from core.roles import Role
from core.routes import LARGEST_ID
from ingestion import ending, progress, runs
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.registry import JOBS
from streaming.models import Movie

LINES_SHOWN, RELATED_SHOWN = 100, 20
RUN_TONES = {"succeeded": "good", "failed": "bad", "lost": "bad", "cancelled": "warn"}
OPEN = (IngestRun.Status.QUEUED, IngestRun.Status.RUNNING)
SHOWN_FIRST = {Job.ENFORCE}
"""What takes streams down is started where its effect is shown first: on the page of a setting."""


class StartForm(forms.Form):
    """Which job to start, and for which movie if it takes one."""

    required_css_class = "required"
    job = forms.ChoiceField(widget=forms.RadioSelect)
    movie = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_ID,
        label="Movie (TMDB id)",
        help_text="For jobs that can do one movie alone. Empty: all that are due.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        here = [spec for spec in JOBS.values() if spec.name not in SHOWN_FIRST]
        self.fields["job"].choices = [(spec.name, f"{spec.name}: {spec.about}") for spec in here]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        job, movie = data.get("job"), data.get("movie")
        if job and movie and not JOBS[job].takes_movie:
            self.add_error("movie", f"{job} takes no movie: leave this empty.")
        elif movie and not Movie.objects.present().filter(pk=movie).exists():
            self.add_error("movie", f"There is no movie {movie}.")
        return data


class RunPages(RoleAdmin):
    """Viewers read; operators cancel, start, and have a run done again."""

    changed_by = Role.OPERATOR

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("start/", view(self.start_view), name="run_start"),
            path("<uuid:run_id>/cancel/", view(self.cancel_view), name="run_cancel"),
            path("<uuid:run_id>/again/", view(require_POST(self.again_view)), name="run_again"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one run. Not Django's own: nobody edits a run."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = page_of(self._run(unquote(object_id)), timezone.now())
        return self._page(request, "page", context | {"may_act": self.has_change_permission(request)})

    def cancel_view(self, request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
        """Ask, then cancel."""
        run = self._run_to_act_on(request, run_id)
        if run.status not in OPEN:
            messages.warning(request, f"{run} was over already.")
            return redirect(url_of(run))
        if request.method != "POST":
            return self._page(request, "cancel", {"title": f"Cancel {run}", "run": run, "back": url_of(run)})
        cancelled = runs.cancel(run_id, by=request.user.get_username(), at=timezone.now())
        if cancelled.status == IngestRun.Status.CANCELLED:
            self.log_change(request, cancelled, "Cancelled.")
            messages.success(request, f"{run} is cancelled.")
        else:
            messages.warning(request, f"{run} was over already.")
        return redirect(url_of(run))

    def again_view(self, request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
        """Have the same job done once more, for the same movie."""
        run = self._run_to_act_on(request, run_id)
        if run.job not in JOBS:
            raise Http404(f"There is no job {run.job!r} any more.")
        if run.job in SHOWN_FIRST:
            messages.warning(request, f"{run.job} is started on a setting's page, which shows what it does.")
            return redirect(url_of(run))
        return self._queue(request, run.job, run.movie_id)

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """Ask which job, then start it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        given = request.POST if request.method == "POST" else None
        form = StartForm(given, initial={"job": request.GET.get("job")})
        if form.is_valid():
            return self._queue(request, form.cleaned_data["job"], form.cleaned_data["movie"])
        return self._page(request, "start", {"title": "Start a job", "form": form})

    def _queue(self, request: HttpRequest, job: str, movie_id: int | None) -> HttpResponse:
        who, at = request.user.get_username(), timezone.now()
        run, created = runs.ask(job, movie_id=movie_id, trigger="admin", by=who, at=at)
        if created:
            self.log_addition(request, run, "Started.")
            messages.success(request, f"{run} is queued.")
        elif run.status == IngestRun.Status.RUNNING:
            messages.info(request, f"{run} runs at this moment, and will be done once more after that.")
        else:
            messages.info(request, f"{run} is queued already.")
        return redirect(url_of(run))

    def _run(self, key: str | uuid.UUID) -> IngestRun:
        try:
            return IngestRun.objects.get(pk=uuid.UUID(str(key)))
        except (ValueError, IngestRun.DoesNotExist):
            raise Http404(f"There is no run {str(key)[:60]!r}.") from None

    def _run_to_act_on(self, request: HttpRequest, run_id: uuid.UUID) -> IngestRun:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return self._run(run_id)

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return render(request, f"admin/ingestion/ingestrun/{template}.html", context)


def url_of(run: IngestRun) -> str:
    return reverse("admin:ingestion_ingestrun_change", args=[quote(str(run.pk))])


def page_of(run: IngestRun, at: datetime) -> dict[str, Any]:
    """Everything that the page of a run shows. It only reads."""
    lines = list(IngestLog.objects.filter(run_id=run.pk).order_by("-id")[: LINES_SHOWN + 1])
    related = IngestRun.objects.filter(correlation_id=run.correlation_id or None).exclude(pk=run.pk)
    took = (run.finished_at or at) - run.started_at if run.started_at else None
    return {
        "title": str(run),
        "run": run,
        "spec": JOBS.get(run.job),
        "tone": RUN_TONES.get(run.status, ""),
        "open": run.status in OPEN,
        "repeatable": run.job in JOBS and run.job not in SHOWN_FIRST,
        "progress": progress.of(run, at),
        "took": span(took),
        "left": span(progress.of(run, at).left),
        "deadline": ending.deadline_of(run) if run.status == IngestRun.Status.RUNNING else None,
        "summary": [(key, _shown(value)) for key, value in run.summary.items()],
        "lines": lines[:LINES_SHOWN][::-1],
        "more_lines": len(lines) > LINES_SHOWN,
        "related": list(related.defer("traceback").order_by("-id")[:RELATED_SHOWN]),
    }


def span(duration: timedelta | None) -> str:
    """A duration in one or two units; "" for none."""
    if duration is None:
        return ""
    seconds = duration / timedelta(seconds=1)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
