"""The shape of `/api/stats`. Declarations alone."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.api.contract import Shape
from core.api.shapes import A_MOMENT


def _counts(words: str, **facts: Any) -> serializers.DictField:
    return serializers.DictField(child=serializers.IntegerField(), help_text=words, **facts)


class MovieCounts(Shape):
    published = serializers.IntegerField(help_text="Movies that the public sees.")
    without_stream = serializers.IntegerField()
    by_quality = _counts("The published ones by the quality of their stream.")

    example = {"published": 12, "without_stream": 1, "by_quality": {"SD": 2, "720p": 4, "1080p": 6}}


class Scores(Shape):
    """How a provider has been doing."""

    reliability = serializers.FloatField(help_text="All in one, 0 to 1.")
    success_rate = serializers.FloatField(help_text="How often it answers.")
    honesty = serializers.FloatField(help_text="How often its claims proved true.")
    latency_ms = serializers.IntegerField()

    example = {"reliability": 0.9, "success_rate": 0.981, "honesty": 0.964, "latency_ms": 412}


class Database(Shape):
    kind = serializers.CharField()
    latency_ms = serializers.FloatField(help_text="How long a look-up by key takes.")
    bytes = serializers.IntegerField(help_text="What it takes of the disk, with its indexes.")

    example = {"kind": "PostgreSQL", "latency_ms": 0.412, "bytes": 73400320}


class Durations(Shape):
    """In seconds, of runs that came to an end. Null where there are none."""

    mean = serializers.FloatField(allow_null=True)
    p95 = serializers.FloatField(allow_null=True, help_text="Of one day: percentiles do not add up.")
    max = serializers.FloatField(allow_null=True)

    example = {"mean": 4.125, "p95": 9.5, "max": 12.25}


class JobCounts(Shape):
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    lost = serializers.IntegerField()
    success_rate = serializers.FloatField(allow_null=True, help_text="Of those that nobody cancelled.")
    duration_s = Durations()

    example = {
        **{"succeeded": 47, "failed": 1, "cancelled": 0, "lost": 0},
        **{"success_rate": 0.979, "duration_s": Durations.example},
    }


class Calls(Shape):
    """Searches and probes of a provider."""

    answered = serializers.IntegerField(help_text="Searches that it answered.")
    failed = serializers.IntegerField(help_text="Searches that it did not.")
    success_rate = serializers.FloatField(allow_null=True)
    latency_ms = serializers.FloatField(allow_null=True, help_text="Mean over what it answered.")
    probes = serializers.IntegerField()
    probes_failed = serializers.IntegerField()
    claims = serializers.IntegerField(help_text="Claims that could be checked.")
    claims_kept = serializers.IntegerField()

    example = {
        **{"answered": 180, "failed": 4, "success_rate": 0.978, "latency_ms": 412.5},
        **{"probes": 96, "probes_failed": 3, "claims": 90, "claims_kept": 87},
    }


class _Counted(Shape):
    jobs = serializers.DictField(child=JobCounts(), allow_null=True, help_text="By job.")
    switches = _counts("By reason.", allow_null=True)
    calls = serializers.DictField(child=Calls(), allow_null=True, help_text="By provider.")

    example = {
        "jobs": {"content.match": JobCounts.example},
        "switches": {"first": 3, "upgrade": 5, "failover": 1},
        "calls": {"library": Calls.example},
    }


class Total(_Counted):
    """What happened in the days that were asked for."""


class Standing(Shape):
    """How things stand now."""

    as_of = serializers.DateTimeField(allow_null=True, help_text="When it was counted.")
    movies = MovieCounts(allow_null=True)
    versions = _counts("All versions, by what their probes say.", allow_null=True)
    providers = serializers.DictField(child=Scores(), allow_null=True, help_text="By slug.")
    databases = serializers.DictField(
        child=Database(allow_null=True), allow_null=True, help_text="`default`, and `documents` if apart."
    )

    example = {
        "as_of": A_MOMENT,
        "movies": MovieCounts.example,
        "versions": {"unverified": 0, "healthy": 31, "suspect": 1, "broken": 2},
        "providers": {"library": Scores.example},
        "databases": {"default": Database.example},
    }


class Day(Standing, _Counted):
    """One day in UTC: what happened in it, and how things stood in its last hour. Null: nobody looked."""

    day = serializers.DateField()

    example = {"day": "2026-11-22", **Standing.example, **_Counted.example}


class Stats(Shape):
    at = serializers.DateTimeField()
    now = Standing()
    total = Total()
    days = serializers.ListField(child=Day(), help_text="The oldest first, today last.")
    missing = serializers.ListField(
        child=serializers.CharField(),
        help_text="What did not answer in time: `today`, `history`, or a database.",
    )

    example = {
        **{"at": A_MOMENT, "now": Standing.example, "total": _Counted.example},
        **{"days": [Day.example], "missing": []},
    }
