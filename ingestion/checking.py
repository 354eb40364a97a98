"""Probing versions and acting on what was found.

`settle` follows no measurement that has grown old. Only a stream that fails on trial is left without asking
the next one first: viewers look at a black picture, and the next one is on trial in its turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ingestion.models import IngestLog
from ingestion.runs import Report
from providers import health, noting, services
from providers.services import Target
from providers.types import STRIKES, ProbeOutcome, ProbeResult
from streaming import switching, turns, verification
from streaming.models import StreamSwitch, StreamVersion
from streaming.policy_types import Action
from streaming.quality import Quality
from streaming.verification import Verdict

FRESH = timedelta(minutes=10)
MAX_CHOICES = 5

Reason = StreamSwitch.Reason
Log = IngestLog.Status
STORY = {
    Reason.FIRST: "first stream",
    Reason.UPGRADE: "upgraded",
    Reason.FAILOVER: "failed over",
    Reason.ROLLBACK: "rolled back",
    Reason.MANUAL: "activated by an editor",
    Reason.WITHDRAWN: "nothing left to play",
    Reason.REVISED: "revised",
}


@dataclass(frozen=True, slots=True)
class Probed:
    """A version as it was when it was probed, and what came of it."""

    version: StreamVersion
    result: ProbeResult


def probe_all(report: Report, versions: Iterable[StreamVersion]) -> list[Probed]:
    """Probe versions, several at once, each at its provider's pace."""
    wanted = list(versions)
    targets = [Target(version.provider, version.url, version.delivery) for version in wanted]
    results = services.probe_many(targets, at=report.now())
    return [Probed(version, result) for version, result in zip(wanted, results, strict=True)]


def check(report: Report, probed: Probed) -> Verdict:
    """Write one probe's result, and log what it changed. A stream that failed on trial is left at once."""
    probed = Probed(probed.version, as_it_counts(probed.version, probed.result))
    verdict = verification.record(probed.version.pk, probed.result, at=report.now())
    if verdict.struck and verdict.version.on_trial:
        _log_switch(report, switching.fail_canary(probed.version.pk, at=report.now()))
    _log_check(report, probed, verdict)
    if probed.result.outcome is ProbeOutcome.OK:
        version = verdict.version
        noting.measured(
            version.provider,
            claimed=version.claimed_quality,
            measured=version.verified_quality,
            at=report.now(),
        )
    return verdict


def as_it_counts(version: StreamVersion, result: ProbeResult) -> ProbeResult:
    """A probe's result; while the provider is blamed, what speaks against a stream is an outage of theirs."""
    if result.outcome not in STRIKES or not health.is_blamed(version.provider_id):
        return result
    evidence = f"{verification.HELD} ({result.outcome}): {result.evidence}"
    return replace(result, outcome=ProbeOutcome.PROVIDER_DOWN, evidence=evidence)


def settle(report: Report, movie_id: int, *, enforce: bool = False, comment: str = "") -> StreamSwitch | None:
    """Let the policy decide on a movie, and switch; what it wants to switch to is probed first if need be.

    `enforce` lets the settings in force remove a healthy stream.
    """
    for _ in range(MAX_CHOICES):
        stale = _chosen_unprobed(movie_id, report.now(), enforce=enforce)
        if stale is None:
            break
        for probed in probe_all(report, [stale]):
            check(report, probed)
    switch = switching.reconsider(movie_id, at=report.now(), comment=comment, enforce=enforce)
    _log_switch(report, switch)
    return switch


def _chosen_unprobed(movie_id: int, at: datetime, *, enforce: bool) -> StreamVersion | None:
    """The version that the policy would switch to now, if its last probe is too old to follow."""
    seen = turns.read(movie_id, at=at)
    if seen.movie.removed_at is not None:
        return None
    decision = seen.decide(enforce=enforce)
    if decision.chosen is None or decision.action is Action.KEEP:
        return None
    version = next(v for v in seen.versions.values() if str(v.pk) == decision.chosen)
    fresh = version.probed_at is not None and version.probed_at > at - FRESH
    return None if fresh else version


def _log_check(report: Report, probed: Probed, verdict: Verdict) -> None:
    before, version, result = probed.version, verdict.version, probed.result
    details = {"movie_id": version.movie_id, "duration_ms": result.latency_ms, "error": ""}
    metadata = {"version": str(version.pk), "outcome": result.outcome, "evidence": result.evidence}
    if result.outcome is not ProbeOutcome.OK:
        status = Log.FAILED if verdict.broke else Log.WARNING
        message = f"{version}: {result.outcome}, {version.state}. {result.evidence}"
        report.log(status, message, metadata=metadata, **details)
    elif (before.verified_quality, before.state) != (version.verified_quality, version.state):
        report.log(_honesty(version), _measured(version), metadata=metadata, **details)


def _honesty(version: StreamVersion) -> IngestLog.Status:
    return Log.WARNING if _boasts(version) else Log.OK


def _boasts(version: StreamVersion) -> bool:
    claimed, verified = version.claimed_quality, version.verified_quality
    return claimed is not None and verified is not None and claimed > verified


def _measured(version: StreamVersion) -> str:
    if not version.measurable:
        return f"{version} can be played; its quality cannot be measured."
    claim = f", though {version.claim} is claimed" if _boasts(version) else ""
    return f"{version} measures {version.width}x{version.height}{claim}."


def _log_switch(report: Report, switch: StreamSwitch | None) -> None:
    if switch is None:
        return
    status = Log.UPGRADED if switch.reason == Reason.UPGRADE else Log.SWITCHED
    report.log(
        status,
        f"{switch.movie}: {STORY[Reason(switch.reason)]} ({_steps(switch)}).",
        movie_id=switch.movie_id,
        metadata={"switch": switch.pk, "to": str(switch.to_version or "")},
    )


def _steps(switch: StreamSwitch) -> str:
    steps = [_label(q) for q in (switch.from_quality, switch.to_quality) if q is not None]
    return " to ".join(steps)


def _label(quality: int) -> str:
    return Quality(quality).label
