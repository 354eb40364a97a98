"""The settings in force, applied to the whole catalogue: streams that may now play are switched to, movies
that now fall short of their target are searched for again.

What plays and is well stays, whatever the settings say now, unless somebody has them enforced. A run that
dies is begun anew: what it had done is as it should be, and takes no time.
"""

from __future__ import annotations

from typing import Any

from core import conf
from ingestion import checking, refresh
from ingestion.models import IngestLog
from ingestion.reports import Report
from streaming import rehearsal
from streaming.models import Movie


def apply(report: Report) -> dict[str, Any]:
    """Take what the settings now allow; nothing that plays is left but for something better."""
    return _settle_all(report, enforce=False)


def enforce(report: Report) -> dict[str, Any]:
    """Leave what the settings now forbid as well, for the best that they allow, or for nothing."""
    return _settle_all(report, enforce=True)


def _settle_all(report: Report, *, enforce: bool) -> dict[str, Any]:
    at, total = report.now(), Movie.objects.present().count()
    came = {"checked": 0, "switches": 0, "searches": 0}
    for batch in rehearsal.standings(conf.current(), at=at):
        came["searches"] += refresh.resume([seen.movie.pk for seen in batch], at=at)
        for seen in batch:
            came["checked"] += 1
            if rehearsal.would_switch(seen, enforce=enforce):
                came["switches"] += _settle(report, seen.movie, enforce=enforce)
                report.progress(came["checked"], max(came["checked"], total))
        report.progress(came["checked"], max(came["checked"], total))
    said = f"{came['checked']} movies looked at, {came['switches']} switched, {came['searches']} due again."
    report.log(IngestLog.Status.OK, said)
    return came


def _settle(report: Report, movie: Movie, *, enforce: bool) -> int:
    """How many switches that made. A movie that fails stops no other."""
    by = f", as {report.run.requested_by} asked" if report.run.requested_by else ""
    comment = f"The settings in force were enforced{by}." if enforce else ""
    switches = 0
    with report.contained(f"The decision on {movie}", movie_id=movie.pk):
        switches += checking.settle(report, movie.pk, enforce=enforce, comment=comment) is not None
    return switches
