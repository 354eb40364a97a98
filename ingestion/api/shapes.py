"""The shapes of answers about jobs, and about what editors and operators set off. Declarations alone."""

from __future__ import annotations

from rest_framework import serializers

from core.api.contract import Shape
from core.api.shapes import A_MOMENT, Value, Word
from ingestion.models import IngestLog, IngestRun
from providers import health
from streaming.api.shapes import OTHER_VERSION, QUALITIES, VERSION, Switch
from streaming.rehearsal import Effect

RUN = "019a9d7e-7c1a-7cc0-8e3a-0d7f3f6f9b11"


class Progress(Shape):
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    per_minute = serializers.FloatField(allow_null=True)
    left_s = serializers.IntegerField(allow_null=True, help_text="Null: over, or nobody knows yet.")

    example = {"done": 20, "total": 40, "per_minute": 60.0, "left_s": 20}


class Run(Shape):
    """A run of a job."""

    id = serializers.UUIDField()
    job = serializers.CharField()
    movie = serializers.IntegerField(allow_null=True, help_text="A TMDB id, for a job of one movie.")
    status = Word(IngestRun.Status)
    trigger = serializers.CharField(help_text="What asked for it: `schedule`, `discovery`, `api`, `admin` …")
    requested_by = serializers.CharField()
    correlation_id = serializers.CharField(help_text="The `X-Request-ID` of what asked for it.")
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    attempts = serializers.IntegerField()
    progress = Progress()
    summary = serializers.DictField(help_text="What came of it, in numbers; it differs from job to job.")
    error = serializers.CharField()
    traceback = serializers.CharField(help_text="Of a bug; a failure that was to be expected has none.")

    example = {
        "id": RUN,
        "job": "content.match",
        "movie": 45745,
        "status": "queued",
        "trigger": "api",
        "requested_by": "grace",
        "correlation_id": "019a9d7e-7c1a-7b00-9f11-3c2f5f0b7d20",
        "queued_at": A_MOMENT,
        "started_at": None,
        "finished_at": None,
        "attempts": 0,
        "progress": {"done": 0, "total": 0, "per_minute": None, "left_s": None},
        "summary": {},
        "error": "",
        "traceback": "",
    }


class RunAsked(Run):
    """The run that was asked for."""

    again = serializers.BooleanField(help_text="It was active already; if it had begun, one more follows it.")

    example = {**Run.example, "again": False}


class Recheck(Shape):
    """The run that was asked for; who else asked, and what went wrong, is for staff."""

    id = serializers.UUIDField()
    job = serializers.CharField()
    movie = serializers.IntegerField(allow_null=True)
    status = Word(IngestRun.Status)
    queued_at = serializers.DateTimeField()
    again = serializers.BooleanField(help_text="It was active already; if it had begun, one more follows it.")
    trigger = serializers.CharField(required=False, help_text="From here on: for staff alone.")
    requested_by = serializers.CharField(required=False)
    correlation_id = serializers.CharField(required=False)
    started_at = serializers.DateTimeField(required=False, allow_null=True)
    finished_at = serializers.DateTimeField(required=False, allow_null=True)
    attempts = serializers.IntegerField(required=False)
    progress = Progress(required=False)
    summary = serializers.DictField(required=False)
    error = serializers.CharField(required=False)
    traceback = serializers.CharField(required=False)

    example = {
        "id": RUN,
        "job": "content.match",
        "movie": 45745,
        "status": "queued",
        "queued_at": A_MOMENT,
        "again": False,
    }


class LogLine(Shape):
    """One line of what a run did."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    run = serializers.UUIDField(allow_null=True)
    job = serializers.CharField()
    movie = serializers.IntegerField(allow_null=True)
    status = Word(IngestLog.Status)
    message = serializers.CharField()
    duration_ms = serializers.IntegerField(allow_null=True)
    error = serializers.CharField()
    metadata = serializers.DictField()

    example = {
        "id": "019a9d7e-7c1a-7d31-b0c2-6f1e2d3c4b5a",
        "at": A_MOMENT,
        "run": RUN,
        "job": "content.match",
        "movie": 45745,
        "status": "UPGRADED",
        "message": "720p to 1080p",
        "duration_ms": 840,
        "error": "",
        "metadata": {"seq": 2},
    }


class RunningNow(Shape):
    id = serializers.UUIDField()
    movie = serializers.IntegerField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    progress = Progress()


class LastRun(Shape):
    id = serializers.UUIDField()
    movie = serializers.IntegerField(allow_null=True)
    status = Word(IngestRun.Status)
    finished_at = serializers.DateTimeField()
    summary = serializers.DictField()
    error = serializers.CharField()


class JobStatus(Shape):
    """What a job is doing. What ended is counted over 24 hours."""

    about = serializers.CharField()
    queued = serializers.IntegerField()
    running = RunningNow(many=True, help_text="The newest hundred.")
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    lost = serializers.IntegerField()
    last = LastRun(allow_null=True)
    next_at = serializers.DateTimeField(allow_null=True)
    overdue = serializers.BooleanField(help_text="It should have been started, and was not.")
    overdue_since = serializers.DateTimeField(allow_null=True)

    example = {
        "about": "TMDB's lists become movies.",
        "queued": 0,
        "running": [],
        "succeeded": 48,
        "failed": 0,
        "cancelled": 0,
        "lost": 0,
        "last": None,
        "next_at": A_MOMENT,
        "overdue": False,
        "overdue_since": None,
    }


class ProviderStanding(Shape):
    label_ = serializers.CharField()
    state = Word(health.State)
    reliability = serializers.FloatField()
    backoff_until = serializers.DateTimeField(allow_null=True)
    blamed_at = serializers.DateTimeField(allow_null=True)
    blame = serializers.CharField()


class Queue(Shape):
    """Runs that wait for a worker."""

    runs = serializers.IntegerField()
    oldest_s = serializers.IntegerField()
    too_long = serializers.BooleanField()


class Status(Shape):
    """What every job is doing, and whether there is anybody to do it."""

    at = serializers.DateTimeField()
    jobs = serializers.DictField(child=JobStatus(), help_text="By name.")
    providers = serializers.DictField(child=ProviderStanding(), help_text="By slug.")
    workers = serializers.IntegerField(allow_null=True, help_text="Null: the broker does not answer.")
    beat_alive = serializers.BooleanField()
    queue = Queue()
    queue_depth = serializers.IntegerField(
        allow_null=True, help_text="Messages. Null: the broker does not answer."
    )

    example = {
        "at": A_MOMENT,
        "jobs": {"tmdb.discover": JobStatus.example},
        "providers": {
            "library": {
                "label": "Library",
                "state": "on",
                "reliability": 1.0,
                "backoff_until": None,
                "blamed_at": None,
                "blame": "",
            }
        },
        "workers": 1,
        "beat_alive": True,
        "queue": {"runs": 0, "oldest_s": 0, "too_long": False},
        "queue_depth": 0,
    }


class Schedule(Shape):
    scheduled = serializers.DictField(
        child=serializers.CharField(), help_text="By job, the five cron columns at which it runs (UTC)."
    )

    example = {"scheduled": {"tmdb.discover": "*/30 * * * *"}}


class Moved(Shape):
    """What came of an editor's word. `changed` is false when it was so already."""

    changed = serializers.BooleanField()
    switch = Switch(allow_null=True)

    example = {"changed": True, "switch": Switch.example}


class Accepted(Shape):
    accepted = serializers.BooleanField()

    example = {"accepted": True}


class Effects(Shape):
    """How many movies would come out how."""

    published = serializers.IntegerField()
    upgraded = serializers.IntegerField()
    replaced = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    kept = serializers.IntegerField()

    example = {"published": 0, "upgraded": 1, "replaced": 0, "withdrawn": 0, "kept": 0}


class StreamBrief(Shape):
    version = serializers.UUIDField()
    provider = serializers.CharField()
    quality = Word([*QUALITIES, "unknown"])


class Difference(Shape):
    """A movie that would come out differently."""

    movie = serializers.IntegerField()
    title = serializers.CharField()
    effect = Word(Effect)
    enforced = serializers.BooleanField(help_text="Only if the settings are enforced on what plays already.")
    from_ = StreamBrief(allow_null=True)
    to = StreamBrief(allow_null=True)
    why = serializers.CharField()


class Rehearsal(Shape):
    """What a change of a setting would do to the catalogue."""

    key = serializers.CharField()
    value = Value()
    checked = serializers.IntegerField(help_text="Movies, of `total`.")
    total = serializers.IntegerField()
    partial_ = serializers.BooleanField(help_text="Time ran out before all were checked.")
    by_itself = Effects()
    enforced = Effects()
    reasons_ = serializers.DictField(child=serializers.IntegerField(), help_text="How often each decided.")
    movies = Difference(many=True, help_text="The first 200.")

    example = {
        "key": "TARGET_QUALITY",
        "value": "1080p",
        "checked": 1200,
        "total": 1200,
        "partial": False,
        "by_itself": Effects.example,
        "enforced": {**Effects.example, "upgraded": 0},
        "reasons": {"no_longer_target_reached": 1},
        "movies": [
            {
                "movie": 45745,
                "title": "Sintel",
                "effect": "upgraded",
                "enforced": False,
                "from": {"version": OTHER_VERSION, "provider": "library", "quality": "720p"},
                "to": {"version": VERSION, "provider": "library", "quality": "1080p"},
                "why": "what plays is below the target now",
            }
        ],
    }
