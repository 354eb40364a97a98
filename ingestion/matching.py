"""One movie -> candidates -> measured versions -> decision -> switch: the whole story on one screen.

It writes no status and no pointer itself: versions change through `verification.record`, the active stream
through the policy.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from core import conf
from ingestion import availability, checking, offers, searching
from ingestion.checking import Probed
from ingestion.models import IngestLog, IngestRun
from ingestion.offers import Found
from ingestion.runs import Report
from ingestion.searching import Came
from providers import health, services
from providers.services import ProviderAnswer
from providers.types import STRIKES, MovieRef, ProbeOutcome
from streaming import turns, verification
from streaming.errors import UnknownMovie
from streaming.models import Movie, StreamSwitch, StreamVersion
from streaming.policy_types import IN_FAVOUR, Reason
from streaming.standing import Standing, with_columns

Log = IngestLog.Status
State = StreamVersion.State
AFTER_FAILURE = timedelta(minutes=15)
RENEW_AGAIN = timedelta(hours=1)
BETTER = {StreamSwitch.Reason.FIRST, StreamSwitch.Reason.UPGRADE}


def match(report: Report, movie_id: int) -> dict[str, Any]:
    """Search for a movie, measure what is offered, and switch if the policy says so. Returns a summary.

    Raises UnknownMovie. What goes wrong with one provider or stream is a log line, not a failure.
    """
    at = report.now()
    movie = _movie(movie_id)
    if movie.removed_at is not None:
        report.log(Log.SKIP, f"{movie} was removed by an editor.")
        return {"skipped": "removed"}
    if not by_hand(report.run) and (out_at := availability.out_at(movie, conf.current(), at=at)) > at:
        return _put_off(report, movie, out_at)
    answers = services.search_all(reference(movie), at=at)
    _log_failures(report, answers)
    found = offers.take_in(movie, answers, at=at)
    report.progress(1, 3)
    _measure(report, found)
    report.progress(2, 3)
    switch = checking.settle(report, movie_id)
    seen = turns.read(movie_id, at=at)
    _plan_next_search(seen, _what_came(seen, answers, found, switch), anew=by_hand(report.run))
    report.progress(3, 3)
    return _summed_up(report, seen, found, switch)


def by_hand(run: IngestRun) -> bool:
    """Whether a person asked for this run, and not a schedule or another job."""
    return bool(run.requested_by) or run.trigger in ("command", "again")


def reference(movie: Movie) -> MovieRef:
    """What providers may know of a movie in order to find it."""
    return MovieRef(
        tmdb_id=movie.pk,
        title=movie.title,
        imdb_id=movie.imdb_id or None,
        original_title=movie.original_title,
        year=movie.year,
        runtime_min=movie.runtime_min,
    )


def _movie(movie_id: int) -> Movie:
    movie = Movie.objects.filter(pk=movie_id).first()
    if movie is None:
        raise UnknownMovie(f"There is no movie {movie_id}.")
    return movie


def _put_off(report: Report, movie: Movie, until: datetime) -> dict[str, Any]:
    """Leave a movie that is not out yet to the day on which it is."""
    Movie.objects.filter(pk=movie.pk).update(next_check_at=until, refresh_at=None)
    report.log(Log.SKIP, f"{movie} is not out yet: it is searched for from {until:%d %B %Y} on.")
    return {"skipped": "not_out"}


def _measure(report: Report, found: Found) -> None:
    for probed in checking.probe_all(report, found.to_probe):
        if probed.version.state == State.HEALTHY and probed.result.outcome in STRIKES:
            _look_again(report, probed, "does not play any more")
        else:
            checking.check(report, probed)
    there = {version.pk: address for version, address in found.moved}
    for probed in checking.probe_all(report, [with_columns(v, a) for v, a in found.moved]):
        _follow_move(report, probed, there[probed.version.pk])


def _follow_move(report: Report, probed: Probed, address: dict[str, Any]) -> None:
    """Believe a new address only if it plays; else look again at the old one soon."""
    version, result, at = probed.version, probed.result, report.now()
    if result.outcome is not ProbeOutcome.OK:
        _look_again(report, probed, "is said to have moved, but")
        return
    verification.record(version.pk, result, at=at, moved_to=address)
    report.log(Log.OK, f"{version} has moved.", metadata={"version": str(version.pk)})


def _look_again(report: Report, probed: Probed, what: str) -> None:
    """Leave a stream that was well to the next tick: that sees whether others of its provider fail as well,
    and a search, which sees one movie's, would take an outage for the end of each of them."""
    verification.look_soon(probed.version.pk, at=report.now())
    about = {"version": str(probed.version.pk), "outcome": probed.result.outcome}
    report.log(Log.WARNING, f"{probed.version} {what}: {probed.result.evidence}", metadata=about)


def _what_came(
    seen: Standing, answers: list[ProviderAnswer], found: Found, switch: StreamSwitch | None
) -> Came:
    return Came(
        reached=(seen.movie.active_quality or 0) >= seen.rules().target,
        improved=bool(found.new) or (switch is not None and switch.reason in BETTER),
        complete=all(offers.is_complete(answer) for answer in answers),
        ask_again=tuple(moment for answer in answers if (moment := _stale_at(answer, seen.at))),
        renew_at=_renew_at(seen.active, seen.at),
    )


def _plan_next_search(seen: Standing, came: Came, *, anew: bool) -> None:
    """`anew`: whoever asks by hand expects more than our ladder does, which begins at its foot again."""
    movie = seen.movie
    refresh_at, fruitless = (None, 0) if anew else (movie.refresh_at, movie.fruitless_searches)
    columns = searching.next_search(came, refresh_at=refresh_at, fruitless=fruitless, at=seen.at)
    Movie.objects.filter(pk=movie.pk).update(**columns)


def _renew_at(active: StreamVersion | None, at: datetime) -> datetime | None:
    """When the URL of the active stream has to be renewed. Some last for less than we would like, always."""
    if active is None or active.url_expires_at is None:
        return None
    return max(active.url_expires_at - offers.RENEW_WITHIN, at + RENEW_AGAIN)


def _stale_at(answer: ProviderAnswer, at: datetime) -> datetime | None:
    """When asking this provider again is worth it, by its own word or the end of its back-off."""
    if answer.answer is None:
        again_at = health.asked_again_at(answer.provider, at)
        return again_at if again_at > at else at + AFTER_FAILURE
    fresh_for_s = answer.answer.fresh_for_s
    return None if fresh_for_s is None else at + timedelta(seconds=fresh_for_s)


def _log_failures(report: Report, answers: list[ProviderAnswer]) -> None:
    """An outage is said, and never taken for "there is nothing"."""
    if not answers:
        report.log(Log.SKIP, "No provider is enabled.")
    for answer in answers:
        if answer.error is not None:
            report.log(
                Log.FAILED,
                f"{answer.provider.label} gave no answer: {answer.error}",
                duration_ms=answer.duration_ms,
                metadata={"provider": answer.provider.slug, "code": answer.error.code},
            )
        elif answer.skipped:
            report.log(Log.SKIP, f"{answer.provider.label} was not asked: {answer.skipped}")


def _summed_up(report: Report, seen: Standing, found: Found, switch: StreamSwitch | None) -> dict[str, Any]:
    """The last line of every search: what was offered, and what the policy made of it, switch or none."""
    decision = switch.decision if switch and switch.decision else seen.decide().as_json()
    told = _told(decision)
    quality = seen.active.quality_label if seen.active else None
    against = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in told["against"].items())
    nothing = f"nothing to play yet{f' ({against})' if against else ''}"
    count = len(found.new) + len(found.seen)
    report.log(
        Log.ADDED if found.new else Log.OK,
        f"{seen.movie}: {count} offered, {len(found.new)} of them new;"
        f" {f'{quality} is active' if quality else nothing}.",
        metadata={**told, "switch": switch.pk if switch else None},
    )
    return {
        "offered": count,
        "new": len(found.new),
        "probed": len(found.to_probe) + len(found.moved),
        "quality": quality,
        "switch": switch.pk if switch else None,
        "reason": switch.reason if switch else None,
    }


def _told(decision: dict[str, Any]) -> dict[str, Any]:
    """A decision in short: what to do, with which version and why, and how often what speaks against another
    was said. In full it is with the switch, and at `/decision`."""
    verdicts, chosen = decision["verdicts"], decision["chosen"]
    said = {v["version"]: v["reasons"] for v in verdicts}
    kept = next((key for key, reasons in said.items() if Reason.CURRENT in reasons), None)
    others = [reasons for key, reasons in said.items() if key != (chosen or kept)]
    against = Counter(reason for reasons in others for reason in reasons if reason not in IN_FAVOUR)
    return {
        "action": decision["action"],
        "version": chosen or kept,
        "why": said.get(chosen or kept, []),
        "against": dict(sorted(against.items())),
    }
