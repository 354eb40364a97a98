"""One movie as it stood when it was read: its versions, what was announced, the settings in force.

Everything that plans or shows something works on this value. Nothing is read or written here.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from core.options import Options
from providers.types import UNPROVEN, ProbeOutcome
from streaming import events, policy
from streaming.errors import UnknownVersion
from streaming.models import Movie, StreamVersion
from streaming.policy_types import Candidate, Decision, Health, Reason, Rules
from streaming.quality import Quality


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One movie as it stood when it was read, with no turn half done."""

    movie: Movie
    versions: dict[uuid.UUID, StreamVersion]
    announced: dict[str, Any] | None
    options: Options
    at: datetime

    @property
    def active(self) -> StreamVersion | None:
        key = self.movie.active_stream_id
        return self.versions[key] if key is not None else None

    def version(self, key: uuid.UUID) -> StreamVersion:
        """Raises UnknownVersion."""
        try:
            return self.versions[key]
        except KeyError:
            raise UnknownVersion(f"Movie {self.movie.pk} has no stream version {key}.") from None

    @cached_property
    def candidates(self) -> dict[uuid.UUID, Candidate]:
        """The versions as the policy sees them."""
        return {key: candidate(version) for key, version in self.versions.items()}

    def rules(self, *, enforce: bool = False, under: Options | None = None) -> Rules:
        """The settings in force for this movie (or others, `under` which it is looked at), its own target
        first."""
        return _rules(under or self.options, self.movie.target_quality, self.movie.pinned, enforce)

    def excludes(self, version: StreamVersion) -> bool:
        """Whether a version is licensed for other territories than ours."""
        return Reason.TERRITORY_EXCLUDED in policy.blockers(candidate(version), self.rules(), self.at)

    def decide(
        self,
        *,
        instead: Iterable[StreamVersion] = (),
        enforce: bool = False,
        under: Options | None = None,
    ) -> Decision:
        """The policy's word on the movie, with some of its versions as they would be; nothing is planned."""
        candidates = self.candidates | {version.pk: candidate(version) for version in instead}
        current = self.movie.active_stream_id
        rules = self.rules(enforce=enforce, under=under)
        return policy.decide(str(current) if current else None, candidates.values(), rules, self.at)


def candidate(version: StreamVersion) -> Candidate:
    """A row as the policy sees it."""
    provider = version.provider
    return Candidate(
        key=str(version.pk),
        claimed=_quality(version.claimed_quality),
        verified=_quality(version.verified_quality),
        measurable=version.measurable,
        health=Health(version.state),
        suppressed=version.suppressed_at is not None,
        suppressed_until=version.suppressed_until,
        rights_from=version.rights_from,
        rights_until=version.rights_until,
        territories=tuple(version.territories),
        url_expires_at=version.url_expires_at,
        expired=version.expired_at is not None,
        provider_enabled=provider.enabled,
        provider_down=version.last_outcome == ProbeOutcome.PROVIDER_DOWN,
        unproven=version.last_outcome in UNPROVEN,
        trust_claims=provider.trust_claims,
        reliability=provider.reliability,
        priority=provider.priority,
        first_seen=version.first_seen,
    )


@lru_cache(maxsize=64)
def _rules(options: Options, target: int | None, pinned: bool, enforce: bool) -> Rules:
    """`target` is the movie's own, if it has one. A whole catalogue has few of these."""
    return Rules(
        target=_quality(target) or Quality.from_label(options.target_quality),
        minimum=Quality.from_label(options.min_quality_to_publish),
        allow_lower=options.allow_lower_quality_until_upgrade,
        territory=options.territory,
        pinned=pinned,
        enforce=enforce,
    )


def body_of(version: StreamVersion) -> dict[str, Any]:
    """The public body as it will read once it has been stored as JSON."""
    body: dict[str, Any] = json.loads(json.dumps(events.public_body(version), cls=DjangoJSONEncoder))
    return body


def with_columns(version: StreamVersion, columns: Mapping[str, Any]) -> StreamVersion:
    """A copy of `version` with `columns` changed."""
    changed = copy.copy(version)
    for name, value in columns.items():
        setattr(changed, name, value)
    return changed


def _quality(value: int | None) -> Quality | None:
    return None if value is None else Quality(value)
