"""When a movie is worth a search: not before it is out. Pure.

Out is from its first release anywhere (TMDB's primary release date): what may be streamed where is for the
rights of each stream to say. AVAILABILITY_DELAY_DAYS moves that day, for cinema windows or early deliveries.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from core.options import Options
from streaming.models import Movie


def out_at(movie: Movie, options: Options, *, at: datetime) -> datetime:
    """From when on a movie is searched for: `at`, or the beginning (UTC) of the day on which it will be out.

    A movie that has a stream is out, whatever its date says. So is one without a date: many a small or old
    film never gets one, and a search that finds nothing backs off soon enough.
    """
    if movie.release_date is None or movie.active_stream_id is not None:
        return at
    day = movie.release_date.toordinal() + options.availability_delay_days
    day = max(date.min.toordinal(), min(day, date.max.toordinal()))
    return max(at, datetime.combine(date.fromordinal(day), time(), UTC))
