"""What has to hold of streams, runs and what was pruned: architecture, sections 4, 5 and 7.

Each check yields what it found wrong. Probes are judged by the journal, which noted them beside the rows.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from ingestion.models import IngestLog, IngestRun, Job, Slot
from providers.types import STRIKES, ProbeOutcome
from streaming import policy
from streaming.models import StreamSwitch
from streaming.policy_types import Action, Decision, Health
from streaming.standing import candidate
from tests.simulation.journal import Probe
from tests.simulation.log_rules import said_of_left
from tests.simulation.seen import TOLERANCE, Seen

TRIAL = timedelta(minutes=60)
OUTAGES = {ProbeOutcome.THROTTLED, ProbeOutcome.PROVIDER_DOWN, ProbeOutcome.INCONCLUSIVE}
AGAINST = STRIKES | {ProbeOutcome.PROVIDER_DOWN}
OPEN = {IngestRun.Status.QUEUED, IngestRun.Status.RUNNING}

Reason = StreamSwitch.Reason


def active_may_be_shown(seen: Seen) -> Iterator[str]:
    """Section 4: what has to be left is left within minutes."""
    for movie in seen.movies.values():
        version = seen.versions.get(movie.active_stream_id) if movie.active_stream_id else None
        if version is None:
            continue
        then, c = seen.at - TOLERANCE, candidate(version)
        off_since = seen.journal.disabled.get(version.provider_id, seen.at)
        fresh = version.probed_at is not None and version.probed_at > then
        c = replace(c, provider_enabled=c.provider_enabled or off_since > then)
        c = replace(c, health=Health.HEALTHY if fresh else c.health)
        rules = seen.standing(movie).rules()
        if all(policy.must_leave(c, rules, moment) for moment in (then, seen.at)):
            why = ", ".join(policy.unplayable(c, then)) or "suppressed"
            yield f"movie {movie.pk}: still shows {version} ({why}; probed {version.probed_at:%H:%M})"


def no_decision_is_overdue(seen: Seen) -> Iterator[str]:
    """Section 4: never none where one is eligible, nor for long less than the best.

    A change of rules alone decides nothing (it gates new choices): a version counts if it was probed since.
    """
    rules_changed = max(seen.journal.rules_changed, default=seen.at - timedelta(days=2))
    for movie in seen.movies.values():
        log = seen.logs.get(movie.pk, [])
        if movie.removed_at is not None or movie.switch_seq != len(log):
            continue
        decision = seen.standing(movie).decide()
        if decision.action in (Action.FIRST, Action.UPGRADE):
            chosen = seen.versions[uuid.UUID(decision.chosen or "")]
            changes = [
                rules_changed,
                chosen.rights_from,
                chosen.suppressed_until,
                *(row.at for row in log[-1:]),
            ]
            since = max(moment for moment in changes if moment is not None)
            probed = chosen.probed_at or chosen.first_seen
            if since < probed < seen.at - TOLERANCE:
                yield f"movie {movie.pk}: {_word(decision)} of {chosen}, probed at {probed:%H:%M}, is overdue"


def _word(decision: Decision) -> str:
    return f"the {decision.action}"


def outages_change_nothing(seen: Seen) -> Iterator[str]:
    """Section 5: an outage strikes nothing; two strikes, minutes apart, break a stream."""
    for key, probes in seen.journal.probes.items():
        struck: list[datetime] = []
        for probe in probes:
            if probe.outcome in OUTAGES and probe.after not in (None, probe.before):
                yield f"version {key}: {probe.outcome} made {probe.after} of {probe.before}"
            if probe.outcome is ProbeOutcome.OK and probe.after is not None:
                struck.clear()
            if probe.outcome in STRIKES:
                struck.append(probe.at)
            if probe.after and probe.after[0] == "broken" != probe.before[0] and not _apart(struck):
                at = ", ".join(f"{moment:%H:%M}" for moment in struck)
                yield f"version {key}: broken at {probe.at:%H:%M} after strikes at {at}"


def _apart(struck: list[datetime]) -> bool:
    return len(struck) > 1 and struck[-1] - struck[0] >= timedelta(minutes=2)


def switches_follow_probes(seen: Seen) -> Iterator[str]:
    """Section 5: probed before it is switched to, and soon after.

    A stream that fails on trial, or that an editor suppresses, is left at once for the next one, unprobed.
    """
    for movie_id, log in seen.logs.items():
        for row, then in zip(log, [*log[1:], None], strict=True):
            if row.to_version is None or not row.moves_pointer:
                continue
            at_once = row.reason == Reason.FAILOVER and "suppressed" in said_of_left(row)
            probes = seen.journal.probes.get(row.to_version, [])
            earlier = [p for p in probes if row.at - timedelta(minutes=11) <= p.at <= row.at]
            name = f"movie {movie_id}: turn {row.seq} ({row.reason})"
            if not earlier and not at_once:
                yield f"{name} leads to what was not probed"
            if row.reason == Reason.UPGRADE and earlier and earlier[-1].outcome in AGAINST:
                yield f"{name} leads to what was last found {earlier[-1].outcome}"
            until = min(seen.at, then.at if then else seen.at)
            if until > row.at + TRIAL and not _on_trial(probes, row):
                yield f"{name} was not followed by a probe"


def _on_trial(probes: Iterable[Probe], row: StreamSwitch) -> bool:
    return any(row.at + timedelta(minutes=1) <= p.at <= row.at + TRIAL for p in probes)


def runs_are_closed(seen: Seen) -> Iterator[str]:
    """Section 7: one open run at most for each slot, which it holds by a lease; what is closed left a log."""
    slots, open_runs = {slot.key: slot for slot in Slot.objects.all()}, Counter[str]()
    silent = {Job.TICK, Job.PRUNE}
    told = set(IngestLog.objects.values_list("run_id", flat=True))
    for run in IngestRun.objects.all():
        key = f"{run.job}:{'' if run.movie_id is None else run.movie_id}"
        if run.status in OPEN:
            open_runs[key] += 1
            holds = key in slots and slots[key].run_id == run.pk
            if not holds or (slots[key].lease_until or seen.at) < seen.at - TOLERANCE:
                yield f"run {run} ({run.status}) has no slot that lives"
        elif run.finished_at is None:
            yield f"run {run} ({run.status}) was never closed"
        elif run.pk not in told and run.job not in silent:
            yield f"run {run} ({run.status}) left no log"
    yield from (f"{count} open runs of {key}" for key, count in open_runs.items() if count > 1)


def pruned_was_not_needed(seen: Seen) -> Iterator[str]:
    """Section 7: nothing active, suppressed or of a pinned movie has gone."""
    if seen.before is None:
        return
    for key in seen.before.versions.keys() - seen.versions.keys():
        version = seen.before.versions[key]
        movie = seen.movies[version.movie_id]
        quiet = seen.before.movies[movie.pk].switch_seq == movie.switch_seq
        if quiet and (movie.pinned or version.suppressed_at is not None or movie.active_stream_id == key):
            yield f"movie {movie.pk}: version {version} was pruned"
