"""TMDB's lists and its change feed -> movies: new ones are added, stale and edited ones read again.

What is new, or reads like another movie, is due for a search as soon as it is out. An editor's word stands:
locked columns are not overwritten, and what was removed is not brought back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, router, transaction

from core import audit, conf
from core.audit import Action
from core.options import Options
from ingestion import availability, feed, refresh, runs
from ingestion.columns import movie_columns
from ingestion.feed import Edited
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
    """Read the lists and the change feed, and take in what they name. Returns a summary.

    `pages` is DISCOVER_PAGES unless given. With `publish` off nothing is queued: the movies are due, no more.
    Raises ProviderError when TMDB gave no list at all, or stopped answering; what was taken in stays.
    """
    options, client = conf.current(), services.tmdb()
    lists = read_lists(client, options, pages or options.discover_pages)
    edited = feed.read(client, at=report.now())
    _log_troubles(report, lists, edited)
    found = sort_out(lists.rows.values(), at=report.now())
    for movie, row in found.fresh:
        _rank(movie, row)
    due = _take_in(report, client, _wanted(found, edited), options)
    summary = {
        "listed": len(lists.rows),
        "new": len(found.new),
        "edited": len(edited.movies),
        "due": len(due),
        "queued": refresh.queue_found(report, due) if publish else 0,
        "skipped": lists.skipped,
        "changes_from": edited.begin.isoformat(),
    }
    said = f"{len(lists.rows)} movies listed, {len(edited.movies)} edited, {len(due)} to be searched for."
    report.log(Log.OK, said, metadata=summary)
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

    TMDB is asked only for what is not known: to bring a movie back takes nobody else.
    Raises TmdbNotFound and the other ProviderErrors, ValueError for an impossible id, SwitchError.
    """
    if actor == SYSTEM:
        return _add_movie(tmdb_id, at=at, actor=actor, comment=comment)
    with audit.act(Action.MOVIE_ADD, tmdb_id, why=comment) as deed:
        movie, created = _add_movie(tmdb_id, at=at, actor=actor, comment=comment)
        deed.name = str(movie)
        deed.changed(after={"new": created})
    return movie, created


def _add_movie(tmdb_id: int, *, at: datetime, actor: Actor, comment: str) -> tuple[Movie, bool]:
    movie, created = Movie.objects.filter(pk=tmdb_id).first(), False
    if movie is None:
        options = conf.current()
        details = services.tmdb().details(tmdb_id, language=options.tmdb_language)
        movie, created, _ = store(details, options, at=at)
    if movie.removed_at is not None:
        restore(movie.pk, actor=actor, comment=comment, at=at)
        movie.refresh_from_db()
    runs.queue(Job.MATCH, movie_id=movie.pk, at=at, trigger="added", requested_by=actor.name)
    return movie, created


def restore(movie_id: int, *, actor: Actor, comment: str, at: datetime) -> None:
    """Bring a withdrawn movie back, with the best that is known of it. Raises UnknownMovie, Contended."""
    switching.restore(movie_id, actor=actor, comment=comment, at=at)
    switching.reconsider(movie_id, at=at, actor=actor, comment=comment)


def store(details: MovieDetails, options: Options, *, at: datetime) -> tuple[Movie, bool, bool]:
    """Write what TMDB says of a movie: (movie, whether it is new, whether it has to be searched for now)."""
    columns = movie_columns(details)
    known = Movie.objects.filter(pk=details.tmdb_id).first()
    if known is not None:
        return _update(known, columns, options, at)
    movie = Movie(id=details.tmdb_id, **columns, discovered_at=at, metadata_at=at)
    movie.next_check_at = availability.out_at(movie, options, at=at)
    try:
        with transaction.atomic(using=router.db_for_write(Movie)):
            movie.save(force_insert=True)
    except IntegrityError:  # somebody else has just added it
        return _update(Movie.objects.get(pk=details.tmdb_id), columns, options, at)
    return movie, True, movie.next_check_at <= at


def _update(
    movie: Movie, columns: dict[str, Any], options: Options, at: datetime
) -> tuple[Movie, bool, bool]:
    """Lock by lock, also while an editor locks: what an editor says takes a turn, so if none was taken since
    the movie was read, its locks are those that were read."""
    free = {name: value for name, value in columns.items() if name not in movie.locked_fields}
    changed = {name: value for name, value in free.items() if getattr(movie, name) != value}
    for name, value in changed.items():
        setattr(movie, name, value)
    waits = movie.matched_at is None and movie.next_check_at is not None and movie.next_check_at > at
    again = waits or IDENTITY & set(changed)  # what waits for its day may have another by now
    due = {"next_check_at": availability.out_at(movie, options, at=at)} if again else {}
    as_read = Movie.objects.filter(pk=movie.pk, switch_seq=movie.switch_seq)
    if not as_read.update(**changed, **due, metadata_at=at, tmdb_gone_at=None):
        return _update(Movie.objects.get(pk=movie.pk), columns, options, at)
    movie.refresh_from_db()
    return movie, False, bool(due) and due["next_check_at"] <= at


def _read_list(client: TmdbClient, kind: ListKind, options: Options, pages: int, lists: Lists) -> None:
    for number in range(1, pages + 1):
        page = client.list(kind, number, options.tmdb_region, options.tmdb_language)
        lists.skipped += page.skipped
        for row in page.rows:
            lists.rows.setdefault(row.tmdb_id, row)
        if number >= page.total_pages:
            return


def _wanted(found: Sorted, edited: Edited) -> dict[int, str]:
    """Title by id of each movie whose details are to be read, the most popular first."""
    listed = {row.tmdb_id: row for row in [*found.new, *found.stale]}
    rows = [(-row.popularity, key, row.title) for key, row in listed.items()]
    rows += [(-movie.popularity, movie.pk, movie.title) for movie in edited.movies if movie.pk not in listed]
    return {key: title for _, key, title in sorted(rows)}


def _take_in(report: Report, client: TmdbClient, wanted: dict[int, str], options: Options) -> list[int]:
    """Fetch and store the details of each movie; the ids of those that have to be searched for.

    One that TMDB cannot tell us about, or that we cannot store, stops no other, and is not asked for again
    before it is stale, or edited.
    """
    due = []
    for done, (movie_id, title) in enumerate(wanted.items(), start=1):
        if details := _read(report, client, movie_id, title, options):
            read = partial(Movie.objects.filter(pk=movie_id).update, metadata_at=report.now())
            with report.contained(f"Taking in {title}", movie_id=movie_id, otherwise=read):
                if _store(report, details, options):
                    due.append(movie_id)
        report.progress(done, len(wanted))
    return due


def _read(
    report: Report, client: TmdbClient, movie_id: int, title: str, options: Options
) -> MovieDetails | None:
    """What is to be stored of the movie. None: nothing."""
    known, at = Movie.objects.filter(pk=movie_id), report.now()
    try:
        details = client.details(movie_id, language=options.tmdb_language)
    except TmdbNotFound:
        known.update(metadata_at=at, tmdb_gone_at=at)
        report.log(Log.SKIP, f"{title}: TMDB has no details of it (any more).", movie_id=movie_id)
        return None
    except ProviderBadResponse as error:
        known.update(metadata_at=at)
        report.log(Log.FAILED, f"{title}: {error}", movie_id=movie_id)
        return None
    if details.adult:
        known.update(metadata_at=at)
        return None
    return details


def _store(report: Report, details: MovieDetails, options: Options) -> bool:
    """Whether the movie has to be searched for."""
    movie, created, due = store(details, options, at=report.now())
    if created:
        later = "" if due else f" It is searched for from {movie.next_check_at:%d %B %Y} on, when it is out."
        report.log(Log.ADDED, f"{movie} added.{later}", movie_id=movie.pk)
    return due


def _rank(movie: Movie, row: MovieRow) -> None:
    """Popularity and votes come with every list; the rest of a fresh movie is left alone."""
    told = {name: getattr(row, name) for name in RANKING if name not in movie.locked_fields}
    changed = {name: value for name, value in told.items() if getattr(movie, name) != value}
    if changed:
        Movie.objects.filter(pk=movie.pk, switch_seq=movie.switch_seq).update(**changed)


def _log_troubles(report: Report, lists: Lists, edited: Edited) -> None:
    for kind, error in lists.errors.items():
        report.log(Log.FAILED, f"TMDB's list {kind} could not be read in full: {error}")
    if lists.skipped:
        report.log(Log.WARNING, f"{lists.skipped} rows of TMDB's lists were no movies and were skipped.")
    if edited.error is not None:
        report.log(Log.FAILED, f"TMDB's change feed could not be read to its end: {edited.error}")
    if edited.lost:
        report.log(Log.WARNING, f"Edits of {edited.lost} days are no longer on TMDB's change feed.")
