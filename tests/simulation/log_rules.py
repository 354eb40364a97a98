"""What has to hold of the switch log: architecture, sections 2 to 4. Each check yields what it found wrong.

Nothing here trusts the code that it judges: keys are computed and the log is replayed anew.
"""

from __future__ import annotations

import json
import traceback
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from streaming.models import StreamSwitch, StreamVersion
from streaming.turns import _python
from tests.simulation.seen import TOLERANCE, Seen
from tests.streaming.invariants import assert_consistent

MOVES_AN_HOUR = 8
"""A stream that breaks is tried again after 15 minutes at the earliest: four times there and back."""
LEAVE = {"broken", "rights_lapsed", "rights_not_begun", "provider_disabled", "suppressed"}
PASSED_OVER = {"claim_not_trusted", "unproven"}
"""Better than what plays, and yet no upgrade: nobody has seen it play lately, or at all."""
POLICY = {"first", "upgrade", "failover", "withdraw"}

Reason = StreamSwitch.Reason


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
    sure = [v["version"] for v in verdicts if PASSED_OVER.isdisjoint(v["reasons"])]
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
    if row.reason in (Reason.FAILOVER, Reason.WITHDRAWN) and not LEAVE & said_of_left(row):
        yield "left a stream without a cause"


def said_of_left(row: StreamSwitch) -> set[str]:
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
