"""A movie's versions as the API shows them: a part for anyone, all of it for staff."""

from __future__ import annotations

from typing import Any

from streaming.models import Movie, StreamSwitch, StreamVersion

STAFF_FIELDS = (
    "url",
    "claim",
    "evidence",
    "strikes",
    "last_outcome",
    "probed_at",
    "next_check_at",
    "first_seen",
    "last_seen",
    "expired_at",
    "retired_at",
    "replaced_by",
    "suppressed_at",
    "suppressed_until",
    "suppressed_why",
    "on_trial",
    "switch_seq",
)


def versions_of(movie: Movie, *, staff: bool) -> list[dict[str, Any]]:
    """Every version, the one known longest first."""
    verdicts = _verdicts(movie)
    versions = StreamVersion.objects.of(movie.pk).prefetch_related("provider").order_by("first_seen", "id")
    return [_version(v, movie, verdicts.get(str(v.pk), {}), staff=staff) for v in versions]


def _verdicts(movie: Movie) -> dict[str, dict[str, Any]]:
    """What the newest decision said of each version."""
    decided = StreamSwitch.objects.of(movie.pk).exclude(decision={}).first()
    return {v["version"]: v for v in decided.decision.get("verdicts", [])} if decided else {}


def _version(version: StreamVersion, movie: Movie, verdict: dict[str, Any], *, staff: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": str(version.pk),
        "provider": version.provider_id,
        "active": movie.active_stream_id == version.pk,
        "state": version.state,
        "delivery": version.delivery,
        "quality": version.quality_label,
        "claimed_quality": version.get_claimed_quality_display(),
        "verified_quality": version.get_verified_quality_display(),
        "width": version.width,
        "height": version.height,
        "edition": version.edition,
        "languages": version.languages,
        "score": version.provider.reliability,
        "eligible": verdict.get("eligible"),
        "reasons": verdict.get("reasons", []),
    }
    return {**shown, **_staff_fields(version)} if staff else shown


def _staff_fields(version: StreamVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in STAFF_FIELDS}
