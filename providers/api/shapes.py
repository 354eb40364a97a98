"""The shapes of answers about providers. Declarations alone."""

from __future__ import annotations

from rest_framework import serializers

from core.api.contract import Shape
from core.api.shapes import A_MOMENT, Value, Word
from providers.testing import State, StepName
from providers.types import Delivery, ProbeOutcome


class Secret(Shape):
    """Whether there is one, and since when; never what it is."""

    set = serializers.BooleanField()
    set_at = serializers.DateTimeField(allow_null=True)


class Pace(Shape):
    """How often it is asked."""

    rate_limit_rps = serializers.FloatField(allow_null=True, help_text="Its own; null: the setting's.")
    share = serializers.FloatField(help_text="Of that, after a 429 less than 1.")
    paused_s = serializers.FloatField(help_text="For so long not at all.")


class Health(Shape):
    """How it has been doing."""

    reliability = serializers.FloatField(help_text="From 0 to 1: all in one.")
    success_rate = serializers.FloatField(help_text="Of its answers, the recent ones above all.")
    honesty = serializers.FloatField(help_text="How often its claims proved true.")
    latency_ms = serializers.IntegerField()
    backs_off_until = serializers.DateTimeField(allow_null=True)
    backoff_rung = serializers.IntegerField(help_text="On the ladder of pauses; 0: none.")
    blamed_at = serializers.DateTimeField(allow_null=True, help_text="Since when it is taken for down.")
    blame = serializers.CharField()
    last_ok_at = serializers.DateTimeField(allow_null=True)
    last_error_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField()


class Provider(Shape):
    """A configured provider. No secret is in it."""

    slug = serializers.CharField()
    label_ = serializers.CharField()
    adapter = serializers.CharField()
    enabled = serializers.BooleanField()
    priority = serializers.IntegerField(help_text="Lower comes first.")
    trust_claims = serializers.BooleanField(
        help_text="Whether its word counts where nothing can be measured."
    )
    allowed_hosts = serializers.ListField(child=serializers.CharField())
    licence_note = serializers.CharField()
    owed = serializers.ListField(
        child=serializers.CharField(), help_text="What it lacks before it can be asked."
    )
    settings = serializers.DictField(child=Value(allow_null=True))
    secrets = serializers.DictField(child=Secret())
    pace = Pace()
    health = Health()

    example = {
        "slug": "library",
        "label": "Library",
        "adapter": "library",
        "enabled": True,
        "priority": 100,
        "trust_claims": False,
        "allowed_hosts": ["films.example"],
        "licence_note": "",
        "owed": [],
        "settings": {"base_url": "https://films.example"},
        "secrets": {},
        "pace": {"rate_limit_rps": None, "share": 1.0, "paused_s": 0.0},
        "health": {
            "reliability": 1.0,
            "success_rate": 1.0,
            "honesty": 1.0,
            "latency_ms": 84,
            "backs_off_until": None,
            "backoff_rung": 0,
            "blamed_at": None,
            "blame": "",
            "last_ok_at": A_MOMENT,
            "last_error_at": None,
            "last_error": "",
        },
    }


class LastDay(Shape):
    """What was counted in the last 24 hours."""

    answered = serializers.IntegerField()
    failed = serializers.IntegerField()
    probes = serializers.IntegerField()
    probes_failed = serializers.IntegerField()
    claims = serializers.IntegerField(help_text="That could be checked.")
    claims_kept = serializers.IntegerField()

    example = {
        "answered": 96,
        "failed": 1,
        "probes": 210,
        "probes_failed": 3,
        "claims": 40,
        "claims_kept": 40,
    }


class ProviderDetail(Provider):
    """A configured provider, with what came of its last day."""

    last_day = LastDay()

    example = {**Provider.example, "last_day": LastDay.example}


class FilmAsked(Shape):
    title = serializers.CharField()
    tmdb_id = serializers.IntegerField()
    imdb_id = serializers.CharField(allow_null=True)
    year = serializers.IntegerField(allow_null=True)


class Step(Shape):
    """One step of a test: what was asked, what came, and what that means."""

    name = Word(StepName)
    state = Word(State)
    asked = serializers.CharField()
    came = serializers.CharField()
    means = serializers.CharField(help_text="What to do, if anything.")
    took_ms = serializers.IntegerField()


class Candidate(Shape):
    """A stream that was offered."""

    ref = serializers.CharField()
    url = serializers.CharField(help_text="Secrets masked.")
    delivery = Word(Delivery)
    claimed = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    licence = serializers.CharField()


class Probe(Shape):
    """What the first stream really served. Zero: not measured."""

    outcome = Word(ProbeOutcome)
    evidence = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    bitrate_bps = serializers.IntegerField()
    codecs = serializers.CharField()
    duration_s = serializers.FloatField()
    latency_ms = serializers.IntegerField()
    bytes_read = serializers.IntegerField()
    live = serializers.BooleanField()


class TestReport(Shape):
    """How far a test came."""

    provider = serializers.CharField()
    works = serializers.BooleanField()
    movie = FilmAsked()
    took_ms = serializers.IntegerField()
    steps = Step(many=True)
    found = serializers.IntegerField(help_text="Streams; the first twenty are `candidates`.")
    candidates = Candidate(many=True)
    probe = Probe(allow_null=True)

    example = {
        "provider": "library",
        "works": False,
        "movie": {"title": "Nosferatu", "tmdb_id": 653, "imdb_id": None, "year": None},
        "took_ms": 12,
        "steps": [
            {
                "name": "settings",
                "state": "failed",
                "asked": "",
                "came": "base_url is required",
                "means": "Complete the settings.",
                "took_ms": 0,
            },
            *(
                {"name": name, "state": "not_reached", "asked": "", "came": "", "means": "", "took_ms": 0}
                for name in ("connection", "answer", "streams", "playable")
            ),
        ],
        "found": 0,
        "candidates": [],
        "probe": None,
    }
