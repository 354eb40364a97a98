"""TMDB's change feed: which of the movies that we know were edited there. It names days (UTC), not moments.

A movie is read again once on the day of an edit, and once when that day is over: then nothing of it is left
to come. Where a reading stopped is in the summary of its run; the next one goes on there. Nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from django.db.models import Q

from ingestion.models import IngestRun, Job
from providers.errors import ProviderError, ProviderMisconfigured
from providers.tmdb import FEED_DAYS, TmdbClient
from streaming.models import Movie

DAY = timedelta(days=1)
LATE = timedelta(hours=1)
"""How long after an edit the feed may name it."""
PER_RUN = 500
"""So many edited movies are read again by one run, more or less a minute's work; the next one goes on."""


@dataclass(slots=True)
class Edited:
    """Movies to be read again, the most popular first; the day on which the next reading begins.

    `error` is why the feed could not be read to its end. `lost` is how many days are no longer on it.
    """

    begin: date
    movies: list[Movie] = field(default_factory=list)
    error: ProviderError | None = None
    lost: int = 0


def read(client: TmdbClient, *, at: datetime) -> Edited:
    """What was edited since the last discovery. A feed that fails is read again next time.

    Raises ProviderMisconfigured.
    """
    begin = _stopped_at(at)
    oldest = at.date() - (FEED_DAYS - 1) * DAY
    edited = Edited(max(begin, oldest), lost=max(0, (oldest - begin).days))
    try:
        _read_days(client, edited, at)
    except ProviderMisconfigured:
        raise
    except ProviderError as error:
        edited.error = error
    return edited


def _read_days(client: TmdbClient, edited: Edited, at: datetime) -> None:
    day = edited.begin
    while day <= at.date() and len(edited.movies) < PER_RUN:
        found = _edited_on(client, day, at)
        kept = {movie.pk for movie in edited.movies}
        found = sorted((m for m in found if m.pk not in kept), key=lambda m: (-m.popularity, m.pk))
        room = PER_RUN - len(edited.movies)
        edited.movies += found[:room]
        if len(found) > room:
            return
        day += DAY
        edited.begin = min(day, (at - LATE).date())


def _edited_on(client: TmdbClient, day: date, at: datetime) -> list[Movie]:
    """Movies of ours that were edited on `day`, and not read since it was over; today's: not read today.

    Whether the feed's last day counts as a whole is nowhere written, so a day is asked for with the next one.
    """
    last = min(day + DAY, at.date())
    unread = Q(metadata_at__isnull=True) | Q(metadata_at__lt=datetime.combine(last, time(), UTC))
    ours = Movie.objects.present().filter(unread).only("title", "popularity")
    found: dict[int, Movie] = {}
    for number in count(1):
        page = client.changes(day, last, number)
        found |= {movie.pk: movie for movie in ours.filter(pk__in=page.ids)}
        if number >= page.total_pages:
            break
    return list(found.values())


def _stopped_at(at: datetime) -> date:
    """Where the last discovery that went well came to; the first one begins with today."""
    done = IngestRun.objects.filter(job=Job.DISCOVER, status=IngestRun.Status.SUCCEEDED)
    last = done.order_by("-id").first()
    if last is None or last.started_at is None:
        return (at - LATE).date()
    told = last.summary.get("changes_from")
    return date.fromisoformat(told) if told else last.started_at.date()
