"""The codes of the policy and of the log in an editor's words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streaming.models import StreamSwitch, StreamVersion
from streaming.policy_types import IN_FAVOUR, Reason

REASONS: Mapping[Reason, str] = {
    Reason.BROKEN: "it is broken",
    Reason.SUSPECT: "its last probe failed",
    Reason.UNVERIFIED: "it has not been measured yet",
    Reason.SUPPRESSED: "an editor or a failed check keeps it out",
    Reason.QUALITY_UNKNOWN: "its quality is unknown",
    Reason.BELOW_MINIMUM: "it is below MIN_QUALITY_TO_PUBLISH",
    Reason.BELOW_TARGET: "it is below the target, and lower is not allowed",
    Reason.RIGHTS_LAPSED: "its licence has ended",
    Reason.RIGHTS_NOT_BEGUN: "its licence has not begun",
    Reason.TERRITORY_EXCLUDED: "its licence excludes our territory",
    Reason.PROVIDER_DISABLED: "its provider is switched off",
    Reason.PROVIDER_DOWN: "its provider was down at the last probe",
    Reason.URL_EXPIRES: "its address expires within a day",
    Reason.EXPIRED: "its provider no longer lists it",
    Reason.NOT_BETTER: "it is not better than the current one",
    Reason.CLAIM_NOT_TRUSTED: "its quality is only a claim",
    Reason.UNPROVEN: "its last probe could not tell whether it plays",
    Reason.TARGET_REACHED: "the current one has reached the target",
    Reason.PINNED: "the current one is pinned",
    Reason.OUTRANKED: "another one ranks higher",
    Reason.CURRENT: "active",
    Reason.VERIFIED: "measured",
    Reason.AT_TARGET: "at the target",
    Reason.BETTER: "better than the one that was active",
    Reason.CHOSEN: "chosen",
}
_BY_CODE = {reason.value: reason for reason in Reason}

SWITCHES: Mapping[StreamSwitch.Reason, str] = {
    StreamSwitch.Reason.FIRST: "First stream",
    StreamSwitch.Reason.UPGRADE: "Upgraded",
    StreamSwitch.Reason.FAILOVER: "Failed over",
    StreamSwitch.Reason.ROLLBACK: "Rolled back",
    StreamSwitch.Reason.MANUAL: "Chosen by an editor",
    StreamSwitch.Reason.WITHDRAWN: "Withdrawn",
    StreamSwitch.Reason.REVISED: "Revised",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A verdict of a stored decision: the version (None once it is pruned), and what was said of it."""

    key: str
    version: StreamVersion | None
    eligible: bool
    quality: str
    chosen: bool
    good: list[str]
    bad: list[str]


def lines(decision: Mapping[str, Any], versions: Mapping[str, StreamVersion]) -> list[Line]:
    """A decision (`Decision.as_json()`, or {} for an editor's own word), best candidate first."""
    return [_line(verdict, versions, decision.get("chosen")) for verdict in decision.get("verdicts", [])]


def _line(verdict: Mapping[str, Any], versions: Mapping[str, StreamVersion], chosen: str | None) -> Line:
    known = [_BY_CODE[code] for code in verdict["reasons"] if code in _BY_CODE]
    return Line(
        key=verdict["version"],
        version=versions.get(verdict["version"]),
        eligible=verdict["eligible"],
        quality=verdict["quality"] or "unknown",
        chosen=verdict["version"] == chosen,
        good=[REASONS[reason] for reason in known if reason in IN_FAVOUR],
        bad=[REASONS[reason] for reason in known if reason not in IN_FAVOUR],
    )
