"""Streams that are due for another probe: probe, strike, and let the policy decide on their movies.

An outage of a provider strikes none of its streams (`streaming.verification`), and what looks like the end of
most of them is an outage too (`blame`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice
from typing import Any

from ingestion import blame, checking
from ingestion.checking import Probed
from ingestion.models import IngestLog
from ingestion.runs import Report
from providers.types import STRIKES
from streaming.errors import SwitchError
from streaming.models import Movie, StreamVersion
from streaming.verification import AFTER_OUTAGE

AT_ONCE = 24
PER_RUN = 1000
State = StreamVersion.State


def reverify(report: Report) -> dict[str, Any]:
    """Probe what is due: active streams first, of popular movies first."""
    due = by_importance(of_present(StreamVersion.objects.due(report.now())[:PER_RUN]))
    switches = check_all(report, due)
    report.log(IngestLog.Status.OK, f"{len(due)} streams checked, {switches} switches.")
    return {"checked": len(due), "switches": switches}


def urgent(at: datetime, *, limit: int) -> list[StreamVersion]:
    """What is due, with trials and second strikes before routine."""
    due = StreamVersion.objects.due(at)
    hot = [*due.filter(on_trial=True)[:limit], *due.filter(state=State.SUSPECT)[:limit]]
    chosen = {version.pk: version for version in [*hot, *due[:limit]]}
    return of_present(list(chosen.values())[:limit])


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


def by_importance(due: Iterable[StreamVersion]) -> list[StreamVersion]:
    """Active streams before others, popular movies before others, then the longest overdue."""
    versions = list(due)
    active = Movie.objects.filter(active_stream__in=[v.pk for v in versions])
    popularity = dict(active.values_list("active_stream", "popularity"))
    versions.sort(key=lambda v: (v.pk not in popularity, -popularity.get(v.pk, 0.0)))
    return versions


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
    for each in probed:
        movies[each.version.movie_id] = None
        try:
            checking.check(report, each)
        except SwitchError as error:
            report.log(IngestLog.Status.FAILED, str(error), movie_id=each.version.movie_id)
    return settle_each(report, movies)


def settle_each(report: Report, movie_ids: Iterable[int]) -> int:
    """Let the policy decide on each movie; how many switches that made. One that fails stops no other."""
    switches = 0
    for movie_id in movie_ids:
        try:
            switches += checking.settle(report, movie_id) is not None
        except SwitchError as error:
            report.log(IngestLog.Status.FAILED, str(error), movie_id=movie_id)
    return switches


def _batches(versions: Sequence[StreamVersion]) -> Iterator[list[StreamVersion]]:
    rest = iter(versions)
    while batch := list(islice(rest, AT_ONCE)):
        yield batch
