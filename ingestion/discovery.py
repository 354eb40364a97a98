"""TMDB's lists -> movies: the new ones are added, the stale ones refreshed, and both are due for a search.

An editor's word stands: locked columns are not overwritten, and what was removed is not brought back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, router, transaction

from core import conf
from core.options import Options
from ingestion import runs
from ingestion.columns import fitted
from ingestion.models import IngestLog, Job
from ingestion.runs import Report
from providers import services
from providers.errors import ProviderBadResponse, ProviderError, ProviderMisconfigured
from providers.tmdb import ListKind, MovieDetails, MovieRow, TmdbClient, TmdbNotFound
from streaming import switching
from streaming.models import Movie
from streaming.switching import SYSTEM, Actor

Log = IngestLog.Status

STALE_AFTER = timedelta(days=7)
IDENTITY = {"imdb_id", "title", "original_title", "release_date", "runtime_min"}
"""What providers find a movie by: when one of these changes, it is searched for again."""
RANKING = ("popularity", "vote_average", "vote_count")


@dataclass(slots=True)
class Lists:
    """What TMDB's lists name, each movie once; rows that were no movies; what went wrong, by list."""

    rows: dict[int, MovieRow] = field(default_factory=dict)
    skipped: int = 0
    errors: dict[ListKind, ProviderError] = field(default_factory=dict)


@dataclass(slots=True)
class Sorted:
    """The movies of the lists by what has to be done about them."""

    new: list[MovieRow] = field(default_factory=list)
    stale: list[MovieRow] = field(default_factory=list)
    fresh: list[tuple[Movie, MovieRow]] = field(default_factory=list)
    removed: list[MovieRow] = field(default_factory=list)


def discover(report: Report, *, pages: int | None = None, publish: bool = True) -> dict[str, Any]:
    """Read the lists and take in what they name. Returns a summary.

    `pages` is DISCOVER_PAGES unless given. With `publish` off nothing is queued: the movies are due, no more.
    Raises ProviderError when TMDB gave no list at all, or stopped answering; what was taken in stays.
    """
    options, client = conf.current(), services.tmdb()
    lists = read_lists(client, options, pages or options.discover_pages)
    _log_lists(report, lists)
    found = sort_out(lists.rows.values(), at=report.now())
    for movie, row in found.fresh:
        _rank(movie, row)
    due = _take_in(report, client, [*found.new, *found.stale], options)
    for movie_id in due if publish else ():
        runs.queue(Job.MATCH, movie_id=movie_id, at=report.now(), trigger="discovery")
    summary = {"listed": len(lists.rows), "new": len(found.new), "due": len(due), "skipped": lists.skipped}
    report.log(
        Log.OK, f"{len(lists.rows)} movies listed, {len(due)} of them to be searched for.", metadata=summary
    )
    return summary


def read_lists(client: TmdbClient, options: Options, pages: int) -> Lists:
    """The four lists. One that fails does not lose the others; raises ProviderError when all failed."""
    lists = Lists()
    for kind in ListKind:
        try:
            _read_list(client, kind, options, pages, lists)
        except ProviderMisconfigured:
            raise
        except ProviderError as error:
            lists.errors[kind] = error
    if len(lists.errors) == len(ListKind):
        raise next(iter(lists.errors.values()))
    return lists


def sort_out(rows: Iterable[MovieRow], *, at: datetime) -> Sorted:
    """What has to be done about each movie. Adult films are left alone."""
    wanted = {row.tmdb_id: row for row in rows if not row.adult}
    known, found = Movie.objects.in_bulk(wanted), Sorted()
    for key, row in wanted.items():
        movie = known.get(key)
        if movie is None:
            found.new.append(row)
        elif movie.removed_at is not None:
            found.removed.append(row)
        elif movie.metadata_at is None or movie.metadata_at < at - STALE_AFTER:
            found.stale.append(row)
        else:
            found.fresh.append((movie, row))
    return found


def add_movie(tmdb_id: int, *, at: datetime, actor: Actor = SYSTEM, comment: str = "") -> tuple[Movie, bool]:
    """Add a movie by its TMDB id, or restore one that was removed, and queue a search: (movie, whether new).

    Raises TmdbNotFound and the other ProviderErrors, ValueError for an impossible id, SwitchError.
    """
    details = services.tmdb().details(tmdb_id, language=conf.current().tmdb_language)
    movie, created, _ = store(details, at=at)
    if movie.removed_at is not None:
        switching.restore(movie.pk, actor=actor, comment=comment, at=at)
        movie.refresh_from_db()
    runs.queue(Job.MATCH, movie_id=movie.pk, at=at, trigger="added", requested_by=actor.name)
    return movie, created


def store(details: MovieDetails, *, at: datetime) -> tuple[Movie, bool, bool]:
    """Write what TMDB says of a movie: (movie, whether it is new, whether it has to be searched for)."""
    columns = _columns(details)
    known = Movie.objects.filter(pk=details.tmdb_id).first()
    if known is not None:
        return _update(known, columns, at)
    movie = Movie(id=details.tmdb_id, **columns, discovered_at=at, metadata_at=at, next_check_at=at)
    try:
        with transaction.atomic(using=router.db_for_write(Movie)):
            movie.save(force_insert=True)
    except IntegrityError:  # somebody else has just added it
        return _update(Movie.objects.get(pk=details.tmdb_id), columns, at)
    return movie, True, True


def _update(movie: Movie, columns: dict[str, Any], at: datetime) -> tuple[Movie, bool, bool]:
    free = {name: value for name, value in columns.items() if name not in movie.locked_fields}
    changed = {name: value for name, value in free.items() if getattr(movie, name) != value}
    other_movie = bool(IDENTITY & set(changed))
    due = {"next_check_at": at} if other_movie else {}
    Movie.objects.filter(pk=movie.pk).update(**changed, **due, metadata_at=at, tmdb_gone_at=None)
    movie.refresh_from_db()
    return movie, False, other_movie


def _read_list(client: TmdbClient, kind: ListKind, options: Options, pages: int, lists: Lists) -> None:
    for number in range(1, pages + 1):
        page = client.list(kind, number, options.tmdb_region, options.tmdb_language)
        lists.skipped += page.skipped
        for row in page.rows:
            lists.rows.setdefault(row.tmdb_id, row)
        if number >= page.total_pages:
            return


def _take_in(report: Report, client: TmdbClient, rows: list[MovieRow], options: Options) -> list[int]:
    """Fetch and store the details of each movie; the ids of those that have to be searched for."""
    due = []
    for done, row in enumerate(rows, start=1):
        if _take_in_one(report, client, row, options):
            due.append(row.tmdb_id)
        report.progress(done, len(rows))
    return due


def _take_in_one(report: Report, client: TmdbClient, row: MovieRow, options: Options) -> bool:
    """Whether the movie has to be searched for. A movie that TMDB cannot tell us about stops no other."""
    try:
        details = client.details(row.tmdb_id, language=options.tmdb_language)
    except TmdbNotFound:
        Movie.objects.filter(pk=row.tmdb_id).update(tmdb_gone_at=report.now())
        report.log(
            Log.SKIP, f"{row.title}: listed, but TMDB has no details (any more).", movie_id=row.tmdb_id
        )
        return False
    except ProviderBadResponse as error:
        report.log(Log.FAILED, f"{row.title}: {error}", movie_id=row.tmdb_id)
        return False
    if details.adult:
        return False
    movie, created, due = store(details, at=report.now())
    if created:
        report.log(Log.ADDED, f"{movie} added.", movie_id=movie.pk)
    return due


def _rank(movie: Movie, row: MovieRow) -> None:
    """Popularity and votes come with every list; the rest of a fresh movie is left alone."""
    told = {name: getattr(row, name) for name in RANKING if name not in movie.locked_fields}
    changed = {name: value for name, value in told.items() if getattr(movie, name) != value}
    if changed:
        Movie.objects.filter(pk=movie.pk).update(**changed)


def _columns(details: MovieDetails) -> dict[str, Any]:
    return fitted(
        Movie,
        {
            "imdb_id": details.imdb_id,
            "title": details.title,
            "original_title": details.original_title,
            "original_language": details.original_language,
            "overview": details.overview,
            "tagline": details.tagline,
            "release_date": details.release_date,
            "runtime_min": details.runtime_min,
            "genres": [genre.name for genre in details.genres],
            "poster_path": details.poster_path,
            "backdrop_path": details.backdrop_path,
            "popularity": details.popularity,
            "vote_average": details.vote_average,
            "vote_count": details.vote_count,
        },
    )


def _log_lists(report: Report, lists: Lists) -> None:
    for kind, error in lists.errors.items():
        report.log(Log.FAILED, f"TMDB's list {kind} could not be read in full: {error}")
    if lists.skipped:
        report.log(Log.WARNING, f"{lists.skipped} rows of TMDB's lists were no movies and were skipped.")
