"""What the policy works on and what it says, as frozen values. Pure, like the policy itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from streaming.quality import Quality, effective_quality


class Action(StrEnum):
    """What to do with the pointer."""

    KEEP = "keep"
    FIRST = "first"
    UPGRADE = "upgrade"
    FAILOVER = "failover"
    WITHDRAW = "withdraw"


class Health(StrEnum):
    """What probes have made of a stream so far."""

    UNVERIFIED = "unverified"
    HEALTHY = "healthy"
    SUSPECT = "suspect"
    BROKEN = "broken"


class Reason(StrEnum):
    """One thing that speaks for or against a candidate."""

    # It is not eligible at all.
    BROKEN = "broken"
    SUSPECT = "suspect"
    UNVERIFIED = "unverified"
    SUPPRESSED = "suppressed"
    QUALITY_UNKNOWN = "quality_unknown"
    BELOW_MINIMUM = "below_minimum"
    BELOW_TARGET = "below_target"
    RIGHTS_LAPSED = "rights_lapsed"
    RIGHTS_NOT_BEGUN = "rights_not_begun"
    TERRITORY_EXCLUDED = "territory_excluded"
    PROVIDER_DISABLED = "provider_disabled"
    PROVIDER_DOWN = "provider_down"
    URL_EXPIRES = "url_expires"
    EXPIRED = "expired"
    # It is eligible, and still not taken.
    NOT_BETTER = "not_better"
    CLAIM_NOT_TRUSTED = "claim_not_trusted"
    UNPROVEN = "unproven"
    TARGET_REACHED = "target_reached"
    PINNED = "pinned"
    OUTRANKED = "outranked"
    # It speaks for it.
    CURRENT = "current"
    VERIFIED = "verified"
    AT_TARGET = "at_target"
    BETTER = "better"
    CHOSEN = "chosen"


IN_FAVOUR = frozenset({Reason.CURRENT, Reason.VERIFIED, Reason.AT_TARGET, Reason.BETTER, Reason.CHOSEN})
"""All other reasons speak against a candidate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One stream version as the policy sees it.

    `measurable` is whether a probe can see its picture (an embed's it cannot). `suppressed_until` counts
    only while `suppressed`; None then means for ever. `provider_down` is what its last probe met with.
    `reliability` is the provider's, from 0 to 1.
    """

    key: str
    claimed: Quality | None = None
    verified: Quality | None = None
    measurable: bool = True
    health: Health = Health.HEALTHY
    suppressed: bool = False
    suppressed_until: datetime | None = None
    rights_from: datetime | None = None
    rights_until: datetime | None = None
    territories: tuple[str, ...] = ()
    url_expires_at: datetime | None = None
    expired: bool = False
    provider_enabled: bool = True
    provider_down: bool = False
    unproven: bool = False
    trust_claims: bool = False
    reliability: float = 1.0
    priority: int = 100
    first_seen: datetime

    @property
    def quality(self) -> Quality | None:
        return effective_quality(claimed=self.claimed, verified=self.verified, measurable=self.measurable)

    @property
    def is_verified(self) -> bool:
        return self.measurable and self.verified is not None

    @property
    def is_assured(self) -> bool:
        """Its quality was measured, or is claimed by a provider whose word we take."""
        return self.is_verified or self.trust_claims


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The settings in force for one movie. `enforce` lets them remove a current stream (after a dry run)."""

    target: Quality = Quality.P2160
    minimum: Quality = Quality.P720
    allow_lower: bool = True
    territory: str = ""
    pinned: bool = False
    enforce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that was said of one candidate."""

    key: str
    eligible: bool
    quality: Quality | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, to which version, and every verdict, best candidate first."""

    action: Action
    chosen: str | None
    verdicts: tuple[Verdict, ...]
    clears_pin: bool = False

    def as_json(self) -> dict[str, Any]:
        """The form in which it is stored with the switch."""
        return {
            "action": self.action.value,
            "chosen": self.chosen,
            "verdicts": [
                {
                    "version": v.key,
                    "eligible": v.eligible,
                    "quality": v.quality.label if v.quality is not None else None,
                    "reasons": [reason.value for reason in v.reasons],
                }
                for v in self.verdicts
            ],
        }
