"""What has to hold at any moment of a simulated day: architecture, sections 2 to 5 and 7, over all rows.

Each check yields what it found wrong. Nothing is written, and nothing here trusts the code that it judges:
the log is replayed, keys are computed anew, probes were noted beside the rows.
"""

from __future__ import annotations

import json
import traceback
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from core import conf
from core.options import Options
from ingestion.models import IngestLog, IngestRun, Job, Slot
from providers.types import STRIKES, ProbeOutcome
from streaming import policy
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.policy import Action, Decision
from streaming.standing import Standing, candidate
from streaming.turns import _python
from tests.simulation.journal import Journal, Probe
from tests.streaming.invariants import assert_consistent

TOLERANCE = timedelta(minutes=10)
"""How long a tick's work may take: one that is killed costs two minutes, and each does a bounded part."""
TRIAL = timedelta(minutes=60)
MOVES_AN_HOUR = 8
"""A stream that breaks is tried again after 15 minutes at the earliest: four times there and back."""
LEAVE = {"broken", "rights_lapsed", "rights_not_begun", "provider_disabled", "suppressed"}
OUTAGES = {ProbeOutcome.THROTTLED, ProbeOutcome.PROVIDER_DOWN, ProbeOutcome.INCONCLUSIVE}
AGAINST = STRIKES | {ProbeOutcome.PROVIDER_DOWN}
POLICY = {"first", "upgrade", "failover", "withdraw"}
OPEN = {IngestRun.Status.QUEUED, IngestRun.Status.RUNNING}

Reason = StreamSwitch.Reason
Log = list[StreamSwitch]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All rows at one moment, and those of the last look that tell what has gone since."""

    at: datetime
    options: Options
    movies: dict[int, Movie]
    versions: dict[uuid.UUID, StreamVersion]
    logs: Mapping[int, Log]
    journal: Journal
    before: Seen | None = None
    of: Mapping[int, dict[uuid.UUID, StreamVersion]] = field(default_factory=dict)

    def shrunk(self) -> Seen:
        """Without its log and its past."""
        return replace(self, logs={}, before=None)

    def standing(self, movie: Movie) -> Standing:
        return Standing(
            movie=movie, versions=self.of.get(movie.pk, {}), announced=None, options=self.options, at=self.at
        )


def look(at: datetime, journal: Journal, *, before: Seen | None = None) -> Seen:
    """Read everything."""
    versions = {v.pk: v for v in StreamVersion.objects.prefetch_related("provider")}
    logs: dict[int, Log] = defaultdict(list)
    for row in StreamSwitch.objects.order_by("movie_id", "seq"):
        logs[row.movie_id].append(row)
    of: dict[int, dict[uuid.UUID, StreamVersion]] = defaultdict(dict)
    for key, version in versions.items():
        of[version.movie_id][key] = version
    return Seen(
        at=at,
        options=conf.current(),
        movies=Movie.objects.in_bulk(),
        versions=versions,
        logs=dict(logs),
        journal=journal,
        before=before,
        of=dict(of),
    )


def keys_are_computable(seen: Seen) -> Iterator[str]:
    """Section 2."""
    for version in seen.versions.values():
        name = json.dumps([version.movie_id, version.provider_id, version.ref], separators=(",", ":"))
        if version.ref and version.pk != uuid.uuid5(uuid.NAMESPACE_URL, name):
            yield f"movie {version.movie_id}: version {version.pk} is not the hash of its parts"
        if not version.ref and version.pk != version.key_for(
            version.movie_id, version.provider_id, "", version.url
        ):
            yield f"movie {version.movie_id}: version {version.pk} is not the hash of its URL"
    for movie_id, log in seen.logs.items():
        yield from (f"movie {movie_id}: turn {row.pk}" for row in log if row.pk != f"{movie_id}:{row.seq}")


def rows_are_the_replay_of_the_log(seen: Seen) -> Iterator[str]:
    """Section 3, of every movie that a turn was taken of since the last look (without one: of all)."""
    for movie_id, log in seen.logs.items():
        done, known = seen.movies[movie_id].switch_seq, seen.before.movies if seen.before else {}
        being_finished = done == len(log) - 1 and log[-1].at > seen.at - TOLERANCE
        if being_finished or (movie_id in known and known[movie_id].switch_seq == len(log)):
            continue
        try:
            assert_consistent(movie_id)
        except AssertionError as error:
            yield f"movie {movie_id}: {error or traceback.extract_tb(error.__traceback__)[-1].line}"


def turns_obey_the_policy(seen: Seen) -> Iterator[str]:
    """Section 4: each stored decision leads where it says, for a reason that it names."""
    for movie_id, log in seen.logs.items():
        pinned = False
        for row in log:
            name = f"movie {movie_id}: turn {row.seq} ({row.reason})"
            if row.decision.get("action") in POLICY:
                yield from (f"{name} {what}" for what in _unlawful(row))
                yield from (f"{name} {what}" for what in _against_pin(row, pinned=pinned))
            pinned = row.effects["movie"]["pinned"]


def _unlawful(row: StreamSwitch) -> Iterator[str]:
    verdicts = row.decision["verdicts"]
    eligible = [v["version"] for v in verdicts if v["eligible"]]
    better = [v["version"] for v in verdicts if v["eligible"] and "better" in v["reasons"]]
    sure = [v["version"] for v in verdicts if "claim_not_trusted" not in v["reasons"]]
    to = str(row.to_version) if row.to_version else None
    match row.reason:
        case Reason.UPGRADE:
            if to != next((key for key in better if key in sure), None):
                yield "leads elsewhere than to the best of the better"
            if row.from_quality is not None and (row.to_quality or 0) <= row.from_quality:
                yield f"replaced {row.from_quality} by {row.to_quality}"
        case Reason.FIRST | Reason.FAILOVER if to != next(iter(eligible), None):
            yield "does not lead to the first that is eligible"
        case Reason.WITHDRAWN if eligible:
            yield "left none, and one was eligible"
    if row.reason in (Reason.FAILOVER, Reason.WITHDRAWN) and not LEAVE & _said_of_left(row):
        yield "left a stream without a cause"


def _said_of_left(row: StreamSwitch) -> set[str]:
    """What the decision said of the stream that was left."""
    said = (v["reasons"] for v in row.decision["verdicts"] if v["version"] == str(row.from_version))
    return set(next(said, ()))


def _against_pin(row: StreamSwitch, *, pinned: bool) -> Iterator[str]:
    if pinned and row.reason == Reason.UPGRADE:
        yield "upgraded a pinned movie"
    if pinned and row.reason in (Reason.FAILOVER, Reason.WITHDRAWN) and row.effects["movie"]["pinned"]:
        yield "left a pinned stream and kept the pin"


def suppressed_stays_out(seen: Seen) -> Iterator[str]:
    """Section 4: what was suppressed is not chosen by the policy before it is released, or its time is up."""
    for movie_id, log in seen.logs.items():
        until: dict[str, datetime | None] = {}
        for row in log:
            to = str(row.to_version)
            lasts = to in until and ((end := until[to]) is None or end > row.at)
            if row.decision.get("action") in POLICY and lasts:
                yield f"movie {movie_id}: turn {row.seq} brought back what was suppressed"
            if row.reason == Reason.ROLLBACK and not row.comment:
                yield f"movie {movie_id}: turn {row.seq} rolled back without a word"
            for key, columns in row.effects["versions"].items():
                if "suppressed_at" in columns:
                    until.pop(key, None)
                    if columns["suppressed_at"]:
                        until[key] = _python(StreamVersion, columns)["suppressed_until"]


def nothing_flaps(seen: Seen) -> Iterator[str]:
    """Section 4: the policy does not move a movie to and fro."""
    for movie_id, log in seen.logs.items():
        moves = [row.at for row in log if row.decision.get("action") in POLICY and row.moves_pointer]
        for first, last in zip(moves, moves[MOVES_AN_HOUR:], strict=False):
            if last - first < timedelta(hours=1):
                yield f"movie {movie_id}: moved {MOVES_AN_HOUR + 1} times in the hour from {first:%H:%M}"


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
        c = replace(c, health=policy.Health.HEALTHY if fresh else c.health)
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
            at_once = row.reason == Reason.FAILOVER and "suppressed" in _said_of_left(row)
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


ALL: Mapping[str, Callable[[Seen], Iterator[str]]] = {
    check.__name__.replace("_", " "): check
    for check in (
        keys_are_computable,
        rows_are_the_replay_of_the_log,
        turns_obey_the_policy,
        suppressed_stays_out,
        nothing_flaps,
        active_may_be_shown,
        no_decision_is_overdue,
        outages_change_nothing,
        switches_follow_probes,
        runs_are_closed,
        pruned_was_not_needed,
    )
}
