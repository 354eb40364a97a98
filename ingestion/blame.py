"""Correlated failures: where too many of a provider's streams fail in one run, it is to blame, and not they.

A CDN that answers 404 for everything looks like a thousand dead films. While a provider is blamed, nothing
that its streams do counts against them (`checking.as_it_counts`). Nothing is decided here but who is blamed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.db.models import QuerySet

from core import conf
from ingestion.checking import Probed
from ingestion.models import IngestLog
from ingestion.runs import Report
from providers import health
from providers.models import Provider
from providers.types import UNPROVEN, ProbeOutcome
from streaming import verification
from streaming.models import StreamVersion

PROBES_TO_BLAME = 10
State = StreamVersion.State

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Sample:
    """What one run's probes say of one provider."""

    provider: Provider
    outcomes: Counter[ProbeOutcome] = field(default_factory=Counter)

    @property
    def probes(self) -> int:
        return self.outcomes.total()

    @property
    def failed(self) -> int:
        return self.probes - self.outcomes[ProbeOutcome.OK]

    def is_ill(self, share: float) -> bool:
        """Whether more than `share` failed."""
        return self.failed > share * self.probes

    def blames(self, share: float) -> bool:
        """Whether it takes more than streams to explain this."""
        return self.probes >= PROBES_TO_BLAME and self.is_ill(share)

    def __str__(self) -> str:
        failures = [f"{n} {what}" for what, n in self.outcomes.most_common() if what is not ProbeOutcome.OK]
        of = f"{self.failed} of {self.probes}"
        return f"{of} streams that were well failed in one run ({', '.join(failures)})"


def samples(probed: Iterable[Probed]) -> dict[str, Sample]:
    """By provider, the probes that say something of it.

    Those are of streams that were well until then. A tick looks at suspects first, and these fail again
    because they are dead: ten of them are no outage.
    """
    found: dict[str, Sample] = {}
    for version, result in ((p.version, p.result) for p in probed):
        if version.state == State.HEALTHY and result.outcome not in UNPROVEN:
            sample = found.setdefault(version.provider_id, Sample(version.provider))
            sample.outcomes[result.outcome] += 1
    return found


def judge(report: Report, probed: Iterable[Probed]) -> None:
    """Blame the providers too many of whose streams failed in this run; those that are well, no longer."""
    share = conf.current().provider_blame_share
    for sample in samples(probed).values():
        blamed = health.is_blamed(sample.provider.pk)
        if sample.blames(share):
            _blame(report, sample, anew=not blamed)
        elif blamed and not sample.is_ill(share):
            _lift(report, sample)


def witnesses(probed: Sequence[Probed]) -> list[StreamVersion]:
    """Healthy streams to be asked as well, where a run has seen too few to judge, and it matters.

    It does where most of those that were due fail, or they would be given up one by one, run by run; and
    where the provider is blamed: a single stream that plays acquits nobody.
    """
    share, chosen = conf.current().provider_blame_share, list[StreamVersion]()
    for sample in samples(probed).values():
        missing = PROBES_TO_BLAME - sample.probes
        if missing > 0 and (sample.is_ill(share) or health.is_blamed(sample.provider.pk)):
            chosen += _others(sample.provider, probed, missing)
    return chosen


def believe(provider: Provider, *, at: datetime) -> int:
    """An operator's word that a blamed provider's streams are gone indeed: it is blamed no longer, and what
    was held against it is each stream's first strike; how many there are.

    Suspects are no sample, so their second strikes blame nobody again.
    """
    struck = verification.strike_held(provider.pk, at=at)
    health.note(provider, lambda row: health.NOT_BLAMED)
    return struck


def _others(provider: Provider, probed: Iterable[Probed], count: int) -> QuerySet[StreamVersion]:
    """Those that would be probed next anyway."""
    healthy = StreamVersion.objects.filter(
        provider=provider, state=State.HEALTHY, next_check_at__isnull=False
    )
    others = healthy.exclude(pk__in=[p.version.pk for p in probed if p.version.provider_id == provider.pk])
    return others.order_by("next_check_at", "pk").prefetch_related("provider")[:count]


def _blame(report: Report, sample: Sample, *, anew: bool) -> None:
    health.note(sample.provider, partial(health.after_blame, why=str(sample), at=report.now()))
    if anew:
        said = f"{sample.provider.label} is blamed: {sample}. None of them is struck or left for it."
        report.log(IngestLog.Status.ERROR, said, metadata=_about(sample))
        logger.error("%s", said)


def _lift(report: Report, sample: Sample) -> None:
    health.note(sample.provider, lambda row: health.NOT_BLAMED)
    playing = sample.probes - sample.failed
    said = f"{sample.provider.label} is blamed no longer: {playing} of {sample.probes} streams play."
    report.log(IngestLog.Status.OK, said, metadata=_about(sample))


def _about(sample: Sample) -> dict[str, object]:
    return {
        "provider": sample.provider.slug,
        "probes": sample.probes,
        "failed": sample.failed,
        "outcomes": dict(sample.outcomes),
    }
