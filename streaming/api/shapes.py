"""The shapes of answers about movies and their streams. Declarations alone."""

from __future__ import annotations

from rest_framework import serializers

from core.api.contract import Shape
from core.api.shapes import A_MOMENT, Word
from providers.types import Delivery, ProbeOutcome
from streaming import events
from streaming.models import StreamSwitch, StreamVersion
from streaming.policy_types import Action, Reason
from streaming.quality import Quality

QUALITIES = [quality.label for quality in Quality]
VERSION = "5d4f2a0e-7f0c-5c1b-9f3e-2b7d8a6c4e10"
OTHER_VERSION = "0b9e6f1c-2a55-5d0e-8a0c-6f6d2c1b7a34"


class Movie(Shape):
    """A movie: as the public may know it, and what staff know besides."""

    id = serializers.IntegerField(help_text="Its TMDB id.")
    imdb_id = serializers.CharField()
    title = serializers.CharField()
    original_title = serializers.CharField()
    original_language = serializers.CharField(help_text="BCP 47.")
    year = serializers.IntegerField(allow_null=True)
    release_date = serializers.DateField(allow_null=True)
    runtime_min = serializers.IntegerField(allow_null=True)
    genres = serializers.ListField(child=serializers.CharField())
    tagline = serializers.CharField()
    overview = serializers.CharField()
    poster = serializers.CharField(help_text="A URL, or empty.")
    backdrop = serializers.CharField(help_text="A URL, or empty.")
    popularity = serializers.FloatField()
    vote_average = serializers.FloatField()
    vote_count = serializers.IntegerField()
    quality = Word(QUALITIES, allow_null=True, help_text="Of the stream that is active.")
    seq = serializers.IntegerField(help_text="How many switches the movie has had.")
    switched_at = serializers.DateTimeField(allow_null=True)

    target_quality = Word(
        QUALITIES,
        required=False,
        allow_null=True,
        help_text="In place of TARGET_QUALITY. From here on: for staff alone.",
    )
    pinned = serializers.BooleanField(required=False, help_text="Upgrades leave it alone.")
    hidden = serializers.BooleanField(required=False)
    locked_fields = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="What discovery must not overwrite."
    )
    removed_at = serializers.DateTimeField(required=False, allow_null=True, help_text="Withdrawn then.")
    discovered_at = serializers.DateTimeField(required=False)
    metadata_at = serializers.DateTimeField(required=False, allow_null=True, help_text="TMDB was read then.")
    tmdb_gone_at = serializers.DateTimeField(required=False, allow_null=True)
    matched_at = serializers.DateTimeField(required=False, allow_null=True)
    refresh_at = serializers.DateTimeField(required=False, allow_null=True)
    next_check_at = serializers.DateTimeField(required=False, allow_null=True)
    fruitless_searches = serializers.IntegerField(required=False)

    example = {
        "id": 45745,
        "imdb_id": "tt1727587",
        "title": "Sintel",
        "original_title": "Sintel",
        "original_language": "en",
        "year": 2010,
        "release_date": "2010-09-27",
        "runtime_min": 15,
        "genres": ["Animation", "Fantasy"],
        "tagline": "",
        "overview": "A girl looks for her dragon.",
        "poster": "https://image.tmdb.org/t/p/w500/sintel.jpg",
        "backdrop": "",
        "popularity": 12.5,
        "vote_average": 7.4,
        "vote_count": 610,
        "quality": "1080p",
        "seq": 2,
        "switched_at": A_MOMENT,
    }


class Version(Shape):
    """A version of a movie: what it claims, what it measured, and why it may be chosen or not."""

    id = serializers.UUIDField()
    provider = serializers.CharField()
    active = serializers.BooleanField()
    state = Word(StreamVersion.State)
    delivery = Word(Delivery)
    quality = Word([*QUALITIES, "unknown"], help_text="What it counts as.")
    claimed_quality = Word(QUALITIES, allow_null=True)
    verified_quality = Word(QUALITIES, allow_null=True)
    width = serializers.IntegerField(help_text="In pixels; 0: not measured.")
    height = serializers.IntegerField(help_text="In pixels; 0: not measured.")
    edition = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField(), help_text="BCP 47.")
    score = serializers.FloatField(help_text="Its provider's reliability, from 0 to 1.")
    eligible = serializers.BooleanField()
    reasons_ = serializers.ListField(child=Word(Reason))

    url = serializers.CharField(required=False, help_text="From here on: for staff alone.")
    claim = serializers.CharField(required=False, help_text="The provider's own words on quality.")
    evidence = serializers.CharField(required=False)
    strikes = serializers.IntegerField(required=False)
    last_outcome = Word([*ProbeOutcome, ""], required=False)
    probed_at = serializers.DateTimeField(required=False, allow_null=True)
    next_check_at = serializers.DateTimeField(required=False, allow_null=True)
    first_seen = serializers.DateTimeField(required=False)
    last_seen = serializers.DateTimeField(required=False)
    expired_at = serializers.DateTimeField(required=False, allow_null=True)
    retired_at = serializers.DateTimeField(required=False, allow_null=True)
    replaced_by = serializers.UUIDField(required=False, allow_null=True)
    suppressed_at = serializers.DateTimeField(required=False, allow_null=True)
    suppressed_until = serializers.DateTimeField(required=False, allow_null=True)
    suppressed_why = serializers.CharField(required=False)
    on_trial = serializers.BooleanField(required=False)
    switch_seq = serializers.IntegerField(required=False)

    example = {
        "id": OTHER_VERSION,
        "provider": "library",
        "active": False,
        "state": "healthy",
        "delivery": "progressive",
        "quality": "720p",
        "claimed_quality": "720p",
        "verified_quality": "720p",
        "width": 1280,
        "height": 720,
        "edition": "",
        "languages": ["en"],
        "score": 1.0,
        "eligible": True,
        "reasons": ["verified", "not_better"],
    }


class MovieDetail(Movie):
    """A movie; with `include=versions` also what `stream-versions` says to the public."""

    versions = Version(many=True, required=False)

    example = Movie.example


class MoviePage(Shape):
    next = serializers.CharField(
        allow_null=True, help_text="The address of the next page: follow it as it is."
    )
    results = Movie(many=True)

    example = {"next": None, "results": [Movie.example]}


class Rights(Shape):
    """What the licence of a stream allows. No territories: everywhere."""

    licence = serializers.CharField()
    licence_url = serializers.CharField()
    attribution = serializers.CharField(help_text="Show it.")
    territories = serializers.ListField(child=serializers.CharField(), help_text="ISO 3166-1 alpha-2.")
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)


class Embed(Shape):
    """What the iframe of an embed must carry."""

    sandbox = serializers.CharField()
    referrerpolicy = serializers.CharField()
    allow = serializers.CharField()

    example = events.EMBED_ATTRIBUTES


class Stream(Shape):
    """A stream that the public may play."""

    version = serializers.UUIDField()
    url = serializers.CharField()
    delivery = Word(Delivery)
    quality = Word([*QUALITIES, "unknown"])
    verified = serializers.BooleanField(help_text="Whether the quality was measured, else it is claimed.")
    width = serializers.IntegerField(help_text="In pixels; 0: not measured.")
    height = serializers.IntegerField(help_text="In pixels; 0: not measured.")
    codecs = serializers.CharField(help_text="RFC 6381, as far as known.")
    edition = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField(), help_text="BCP 47.")
    subtitles = serializers.ListField(child=serializers.CharField(), help_text="BCP 47.")
    rights = Rights()
    embed = Embed(allow_null=True, help_text="For an embed, else null.")

    example = {
        "version": VERSION,
        "url": "https://films.example/45745/high.mp4",
        "delivery": "progressive",
        "quality": "1080p",
        "verified": True,
        "width": 1920,
        "height": 804,
        "codecs": "avc1.640028,mp4a.40.2",
        "edition": "",
        "languages": ["en"],
        "subtitles": [],
        "rights": {
            "licence": "CC BY 3.0",
            "licence_url": "https://creativecommons.org/licenses/by/3.0/",
            "attribution": "Blender Foundation",
            "territories": [],
            "valid_from": None,
            "valid_until": None,
        },
        "embed": None,
    }


class ActiveStream(Stream):
    """The stream that is active now."""

    movie = serializers.IntegerField()
    seq = serializers.IntegerField(help_text="The switch that made it so.")
    switched_at = serializers.DateTimeField(allow_null=True)

    example = {"movie": 45745, "seq": 2, "switched_at": A_MOMENT, **Stream.example}


class Verdict(Shape):
    """All that the policy says of one version."""

    version = serializers.UUIDField()
    eligible = serializers.BooleanField()
    quality = Word(QUALITIES, allow_null=True)
    reasons_ = serializers.ListField(child=Word(Reason))


VERDICT = {"version": VERSION, "eligible": True, "quality": "1080p", "reasons": ["verified", "current"]}
OTHER_VERDICT = {"version": OTHER_VERSION, "eligible": True, "quality": "720p", "reasons": ["not_better"]}


class Decision(Shape):
    """What the policy decides for a movie, and why: every version, the best first."""

    movie = serializers.IntegerField()
    seq = serializers.IntegerField()
    action = Word(Action)
    chosen = serializers.UUIDField(allow_null=True)
    verdicts = Verdict(many=True)

    example = {
        "movie": 45745,
        "seq": 2,
        "action": "keep",
        "chosen": VERSION,
        "verdicts": [VERDICT, OTHER_VERDICT],
    }


class Decided(Shape):
    """What was decided at a switch; an editor's word on the movie alone decides nothing."""

    action = serializers.CharField(required=False)
    chosen = serializers.UUIDField(required=False, allow_null=True)
    verdicts = Verdict(many=True, required=False)


class StreamEvent(Shape):
    """A switch, as those who watch are told of it."""

    movie = serializers.IntegerField()
    seq = serializers.IntegerField()
    reason = Word(StreamSwitch.Reason)
    at = serializers.DateTimeField()
    apply = Word(["now", "next_play"], help_text="Whether a player should change over at once.")
    from_ = Stream(allow_null=True)
    to = Stream(allow_null=True)
    from_valid_until = serializers.DateTimeField(
        allow_null=True, help_text="When the old stream may disappear; null: it cannot be played any more."
    )
    same_edition = serializers.BooleanField()

    example = {
        "movie": 45745,
        "seq": 2,
        "reason": "upgrade",
        "at": A_MOMENT,
        "apply": "now",
        "from": {**Stream.example, "version": OTHER_VERSION, "quality": "720p", "width": 1280, "height": 536},
        "to": Stream.example,
        "from_valid_until": "2026-11-23T16:40:02Z",
        "same_edition": True,
    }


class NoStream(Shape):
    """There is nothing to play."""

    movie = serializers.IntegerField()
    seq = serializers.IntegerField()
    switched_at = serializers.DateTimeField(allow_null=True)
    stream = serializers.JSONField(help_text="Always null.")


class Gone(Shape):
    """The movie was hidden or removed."""

    movie = serializers.IntegerField()


class Switch(StreamEvent):
    """One entry of the switch log: who moved the movie, why, and all that was decided."""

    id = serializers.CharField(help_text="`<movie>:<seq>`")
    actor = serializers.CharField()
    comment = serializers.CharField()
    undoes = serializers.IntegerField(allow_null=True, help_text="The switch that a rollback undid.")
    decision = Decided()

    example = {
        "id": "45745:2",
        **StreamEvent.example,
        "actor": "system",
        "comment": "",
        "undoes": None,
        "decision": {
            "action": "upgrade",
            "chosen": VERSION,
            "verdicts": [
                {**VERDICT, "reasons": ["verified", "better", "chosen"]},
                {**OTHER_VERDICT, "reasons": ["verified", "current"]},
            ],
        },
    }
