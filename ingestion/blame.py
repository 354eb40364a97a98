"""Correlated failures: where too many of a provider's streams fail in one run, it is to blame, and not they.

A CDN that answers 404 for everything looks like a thousand dead films. While a provider is blamed, nothing
that its streams do counts against them (`checking.as_it_counts`). Nothing is decided here but who is blamed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from core import conf
from ingestion.checking import Probed
from ingestion.models import IngestLog
from ingestion.runs import Report
from providers import health
from providers.models import Provider
from providers.types import UNPROVEN, ProbeOutcome
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


def with_witnesses(versions: Sequence[StreamVersion]) -> list[StreamVersion]:
    """`versions`, and for each blamed provider among theirs as many healthy streams as a judgement takes.

    Its failing streams alone would condemn it for ever, and a single one that plays would acquit it.
    """
    chosen = {version.pk: version for version in versions}
    healthy = Counter(v.provider_id for v in versions if v.state == State.HEALTHY)
    blamed = Provider.objects.filter(pk__in={v.provider_id for v in versions}, blamed_at__isnull=False)
    for provider in blamed:
        others = StreamVersion.objects.filter(
            provider=provider, state=State.HEALTHY, next_check_at__isnull=False
        )
        soonest = others.exclude(pk__in=chosen).order_by("next_check_at").prefetch_related("provider")
        missing = max(PROBES_TO_BLAME - healthy[provider.pk], 0)
        chosen |= {version.pk: version for version in soonest[:missing]}
    return list(chosen.values())


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
