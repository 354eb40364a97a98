"""A movie's versions as the API shows them: a part for anyone, all of it for staff."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from streaming import turns
from streaming.models import StreamVersion
from streaming.policy_types import Verdict

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


def versions_of(movie_id: int, *, staff: bool, at: datetime) -> list[dict[str, Any]]:
    """Every version, the one known longest first, with what the policy says of it at `at`."""
    seen = turns.read(movie_id, at=at)
    verdicts = {verdict.key: verdict for verdict in seen.decide().verdicts}
    versions = sorted(seen.versions.values(), key=lambda version: (version.first_seen, version.pk))
    return [_version(v, v is seen.active, verdicts[str(v.pk)], staff=staff) for v in versions]


def _version(version: StreamVersion, active: bool, verdict: Verdict, *, staff: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": str(version.pk),
        "provider": version.provider_id,
        "active": active,
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
        "eligible": verdict.eligible,
        "reasons": [reason.value for reason in verdict.reasons],
    }
    return {**shown, **_staff_fields(version)} if staff else shown


def _staff_fields(version: StreamVersion) -> dict[str, Any]:
    return {name: getattr(version, name) for name in STAFF_FIELDS}
