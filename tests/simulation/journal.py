"""What Marquee was seen to do during a day, noted beside its own rows: probes, refusals, operators' acts.

The invariants are judged by it, so that no row vouches for itself.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from unittest.mock import patch

from providers.types import ProbeOutcome, ProbeResult
from streaming import verification
from streaming.models import StreamVersion

Standing = tuple[str, int]


def _lists() -> dict[uuid.UUID, list[Probe]]:
    return defaultdict(list)


@dataclass
class Probe:
    """One result that was recorded: the version's state and strikes before it, and after it unless the
    process was killed in between."""

    at: datetime
    outcome: ProbeOutcome
    before: Standing
    after: Standing | None = None


@dataclass
class Journal:
    """Everything noted so far. `rules_changed` are moments at which settings or providers changed."""

    probes: dict[uuid.UUID, list[Probe]] = field(default_factory=_lists)
    counts: Counter[str] = field(default_factory=Counter)
    rules_changed: list[datetime] = field(default_factory=list)
    disabled: dict[str, datetime] = field(default_factory=dict)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Note every probe's result that is recorded within the block."""
        record = verification.record

        def noted(version_id: uuid.UUID, result: ProbeResult, *, at: datetime, **more: Any) -> Any:
            probe = Probe(at, result.outcome, _standing(version_id))
            self.probes[version_id].append(probe)
            verdict = record(version_id, result, at=at, **more)
            probe.after = verdict.version.state, verdict.version.strikes
            return verdict

        with patch.object(verification, "record", noted):
            yield


def _standing(version_id: uuid.UUID) -> Standing:
    found: Standing = StreamVersion.objects.values_list("state", "strikes").get(pk=version_id)
    return found
