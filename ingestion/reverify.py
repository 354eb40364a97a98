"""Streams that are due for another probe: probe, strike, and let the policy decide on their movies.

An outage of a provider strikes none of its streams (`streaming.verification`), and what looks like the end of
most of them is an outage too (`blame`). Which are probed first is for `risk` to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import chain, islice
from typing import Any
from uuid import UUID

from ingestion import blame, checking
from ingestion.checking import Probed
from ingestion.models import IngestLog
from ingestion.risk import JUST_SWITCHED, RELIABLE, Risk, Why, share
from ingestion.runs import Report
from providers.models import Provider
from providers.types import STRIKES
from streaming import watched
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.querysets import StreamVersionQuerySet
from streaming.verification import AFTER_OUTAGE

AT_ONCE = 24
PER_RUN = 1000
WATCHED = 1000
"""So many movies that are watched are asked about, of each sweep."""
State = StreamVersion.State


def reverify(report: Report) -> dict[str, Any]:
    """Probe what is due, what is most at risk first. What does not fit is left to ticks and the next run."""
    at = report.now()
    chosen = due(at, limit=PER_RUN)
    switches = check_all(report, list(chosen))
    waiting = StreamVersion.objects.due(at).count() if len(chosen) == PER_RUN else 0
    said = f"{len(chosen)} streams checked, {switches} switches."
    why = Counter(why for risk in chosen.values() for why in risk.why)
    report.log(IngestLog.Status.OK, said, metadata={str(each): why[each] for each in Why})
    if waiting:
        behind = f"{waiting} more streams are due: more fall due than are probed."
        report.log(IngestLog.Status.WARNING, behind)
    return {"checked": len(chosen), "switches": switches, "waiting": waiting}


def due(at: datetime, *, limit: int) -> dict[StreamVersion, Risk]:
    """Up to `limit` streams that are due, what is most at risk first.

    However many are at risk, a third of the room is for the longest overdue, so that none waits for ever.
    """
    found, seen = StreamVersion.objects.due(at), watched.now(limit=WATCHED)
    overdue = of_present(found[:limit])
    risky = _ranked(of_present(_at_risk(found, seen, at, limit)), seen, at)
    return _ranked(share(list(risky), overdue, limit), seen, at)


def _at_risk(
    found: StreamVersionQuerySet, seen: Iterable[int], at: datetime, limit: int
) -> list[StreamVersion]:
    """Those of `found` that `risk` may have reason for; of each kind, the longest overdue."""
    unreliable = [p.pk for p in Provider.objects.filter(enabled=True) if p.reliability < RELIABLE]
    kinds = (
        found.filter(pk__in=_playing(seen) | _just_taken(at, limit)),
        found.filter(on_trial=True),
        found.filter(state=State.SUSPECT),
        found.taken().filter(provider__in=unreliable),
    )
    return list(dict.fromkeys(chain.from_iterable(kind[:limit] for kind in kinds)))


def _playing(movie_ids: Iterable[int]) -> set[UUID]:
    movies = Movie.objects.filter(pk__in=movie_ids, active_stream__isnull=False)
    return set(movies.values_list("active_stream", flat=True))


def _just_taken(at: datetime, limit: int) -> set[UUID]:
    rows = StreamSwitch.objects.filter(at__gt=at - JUST_SWITCHED, to_version__isnull=False)
    taken = rows.order_by("-at", "-id").values_list("to_version", flat=True)[:limit]
    return {key for key in taken if key is not None}


def _ranked(
    versions: Iterable[StreamVersion], seen: Iterable[int], at: datetime
) -> dict[StreamVersion, Risk]:
    """Each with its risk, the greatest first."""
    found, seen = list(versions), set(seen)
    facts = Movie.objects.only("active_stream", "switched_at", "popularity")
    movies = facts.in_bulk({version.movie_id for version in found})
    risks = {v: _risk_of(v, movies[v.movie_id], watched=v.movie_id in seen, at=at) for v in found}
    return dict(sorted(risks.items(), key=lambda each: each[1].rank))


def _risk_of(version: StreamVersion, movie: Movie, *, watched: bool, at: datetime) -> Risk:
    return Risk(
        key=version.pk,
        active=movie.active_stream_id == version.pk,
        watched=watched,
        doubted=version.on_trial or version.state == State.SUSPECT,
        switched=movie.switched_at is not None and movie.switched_at > at - JUST_SWITCHED,
        reliability=version.provider.reliability,
        popularity=movie.popularity,
        due_at=version.next_check_at or at,
    )


def of_present(versions: Iterable[StreamVersion]) -> list[StreamVersion]:
    """Those whose movies were not removed: whose rights ended is asked for nothing any more.

    The others' checks are put aside until an editor restores the movie, which makes them due; if that happens
    meanwhile, they are no longer what was read here, and stay due.
    """
    found = list(versions)
    movies = Movie.objects.filter(pk__in={v.movie_id for v in found}, removed_at__isnull=False)
    removed = set(movies.values_list("pk", flat=True))
    for version in found:
        if version.movie_id in removed:
            as_read = StreamVersion.objects.filter(pk=version.pk, next_check_at=version.next_check_at)
            as_read.update(next_check_at=None)
    return [version for version in found if version.movie_id not in removed]


def check_all(report: Report, versions: Sequence[StreamVersion]) -> int:
    """Probe `versions` and settle their movies; how many switches that made.

    What speaks against a stream is written last. Only then does the run know whether it speaks against the
    provider instead.
    """
    probed, switches = list[Probed](), 0
    for batch in chain(_batches(versions), _witnesses(probed)):
        results = checking.probe_all(report, batch)
        probed += results
        _hold(report, (p.version for p in results if p.result.outcome in STRIKES))
        switches += _conclude(report, (p for p in results if p.result.outcome not in STRIKES))
        report.progress(len(probed), max(len(probed), len(versions)))
    blame.judge(report, probed)
    return switches + _conclude(report, (p for p in probed if p.result.outcome in STRIKES))


def _witnesses(probed: Sequence[Probed]) -> Iterator[list[StreamVersion]]:
    """Begun once all that was due is in `probed`."""
    if others := of_present(blame.witnesses(probed)):
        yield others


def _hold(report: Report, versions: Iterable[StreamVersion]) -> None:
    """Put off the checks of streams that this run has yet to judge: no tick is to take them for a sample of
    its own, and if the run dies they are due again soon. A second strike stays due when it is."""
    for version in versions:
        as_read = StreamVersion.objects.filter(pk=version.pk, next_check_at=version.next_check_at)
        as_read.exclude(state=State.SUSPECT).update(next_check_at=report.now() + AFTER_OUTAGE)


def _conclude(report: Report, probed: Iterable[Probed]) -> int:
    """Write what probes found, and settle the movies concerned; how many switches that made."""
    movies: dict[int, None] = {}
    for version, each in ((each.version, each) for each in probed):
        movies[version.movie_id] = None
        otherwise = partial(_put_off, report, version)
        with report.contained(f"The check of {version}", movie_id=version.movie_id, otherwise=otherwise):
            checking.check(report, each)
    return settle_each(report, movies)


def _put_off(report: Report, version: StreamVersion) -> None:
    """Or it would be the longest overdue at every sweep."""
    as_read = StreamVersion.objects.filter(pk=version.pk, next_check_at=version.next_check_at)
    as_read.update(next_check_at=report.now() + AFTER_OUTAGE)


def settle_each(report: Report, movie_ids: Iterable[int]) -> int:
    """Let the policy decide on each movie; how many switches that made. One that fails stops no other."""
    switches = 0
    for movie_id in movie_ids:
        with report.contained(f"The decision on movie {movie_id}", movie_id=movie_id):
            switches += checking.settle(report, movie_id) is not None
    return switches


def _batches(versions: Sequence[StreamVersion]) -> Iterator[list[StreamVersion]]:
    rest = iter(versions)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
