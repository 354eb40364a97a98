"""`manage.py ingest_once`: discover and match once, in the foreground, as runs like any other.

Exit code 0 when every run succeeded, 1 when one did not.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from core import audit, conf
from ingestion import discovery, matching, runs
from ingestion.models import IngestLog, IngestRun, Job
from ingestion.runs import Report, Work
from providers import services
from providers.errors import ProviderError
from providers.tmdb import MovieRow
from streaming.models import Movie

QUIET = {IngestLog.Status.OK, IngestLog.Status.SKIP}
STYLES = {
    IngestLog.Status.UPGRADED: "green",
    IngestLog.Status.SWITCHED: "green",
    IngestLog.Status.WARNING: "yellow",
    IngestLog.Status.FAILED: "red",
    IngestLog.Status.ERROR: "red",
}


class Command(BaseCommand):
    help = "Discover movies on TMDB and find their streams, once, in the foreground."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be added; write nothing")
        parser.add_argument("--movie", type=int, metavar="ID", help="only this movie, by its TMDB id")
        parser.add_argument("--pages", type=int, metavar="N", help="pages of each list (DISCOVER_PAGES)")

    def handle(self, *args: Any, **options: Any) -> None:
        pages, movie_id = options["pages"], options["movie"]
        if pages is not None and not 1 <= pages <= 50:
            raise CommandError(f"--pages is a whole number from 1 to 50; {pages} is not.")
        output: Any = self.stdout
        console = Console(file=output._out, highlight=False)
        with audit.at_terminal("ingest_once"):
            self._work(console, movie_id, pages, dry_run=options["dry_run"])

    @staticmethod
    def _work(console: Console, movie_id: int | None, pages: int | None, *, dry_run: bool) -> None:
        try:
            if dry_run:
                _preview(console, movie_id, pages)
                return
            # Its runs say how it ended; they may take hours.
            audit.record(audit.Action.SYSTEM_INGEST, after={"movie": movie_id, "pages": pages})
            if not _ingest(console, movie_id, pages):
                raise SystemExit(1)
        except (ProviderError, ValueError) as error:
            raise CommandError(str(error)) from None


class Shown(Report):
    """A run's report that a person watches as well."""

    def __init__(self, report: Report, progress: Progress, task: Any) -> None:
        super().__init__(report.run, report.now, report.lease)
        self._progress, self._task = progress, task

    def progress(self, done: int, total: int) -> None:
        super().progress(done, total)
        if self.run.job == Job.DISCOVER:
            self._progress.update(self._task, completed=done, total=total)

    def log(self, status: IngestLog.Status, message: str, **details: Any) -> None:
        super().log(status, message, **details)
        if status not in QUIET:
            self._progress.console.print(
                f"[{STYLES.get(status, 'cyan')}]{status.value:<9}[/] {message}", soft_wrap=True
            )


def _ingest(console: Console, movie_id: int | None, pages: int | None) -> bool:
    """Discover and match; whether every run succeeded."""
    done: list[IngestRun] = []
    with _display(console) as progress:
        if movie_id is None:
            work = _watched(
                progress, "Discovering", lambda r: discovery.discover(r, pages=pages, publish=False)
            )
            done += _run(console, Job.DISCOVER, work)
        else:
            _add(movie_id)
        due = [movie_id] if movie_id is not None else _due()
        trigger = "command" if movie_id is not None else "due"  # what nobody named was not asked for by hand
        task = progress.add_task("Matching", total=len(due))
        for number, movie in enumerate(due, start=1):
            done += _run(
                console, Job.MATCH, _matching(progress, task, movie), trigger=trigger, movie_id=movie
            )
            progress.update(task, completed=number)
    console.print(_summary(done))
    return all(run.status == IngestRun.Status.SUCCEEDED for run in done)


def _run(
    console: Console, job: str, work: Work, *, trigger: str = "command", movie_id: int | None = None
) -> list[IngestRun]:
    """Run a job here, also one that waits in the queue; unless a worker is at it."""
    at = timezone.now()
    run, _ = runs.queue(job, movie_id=movie_id, at=at, trigger=trigger, again=False, publish=False)
    closed = runs.execute(run.pk, work)
    if closed is None:
        console.print(f"{run} is running already: left to its worker.")
    elif closed.status != IngestRun.Status.SUCCEEDED:
        reason = closed.error.strip().rpartition("\n")[2]
        console.print(f"{closed.status.upper()} {closed}: {reason}", style="red", soft_wrap=True)
    return [closed] if closed else []


def _watched(progress: Progress, title: str, work: Work) -> Work:
    task = progress.add_task(title, total=None)
    return lambda report: work(Shown(report, progress, task))


def _matching(progress: Progress, task: Any, movie_id: int) -> Work:
    return lambda report: matching.match(Shown(report, progress, task), movie_id)


def _due() -> list[int]:
    """Every movie that is due, the new ones that discovery has just left among them."""
    at = timezone.now()
    due = [*Movie.objects.due_for_tick(at), *Movie.objects.due_for_refresh(at)]
    return list(dict.fromkeys(movie.pk for movie in due))


def _add(movie_id: int) -> None:
    """Take in one movie by its id, if it is not known yet."""
    if not Movie.objects.filter(pk=movie_id).exists():
        options = conf.current()
        details = services.tmdb().details(movie_id, language=options.tmdb_language)
        discovery.store(details, options, at=timezone.now())


def _preview(console: Console, movie_id: int | None, pages: int | None) -> None:
    """Say what would be added or refreshed, and write nothing."""
    options, client = conf.current(), services.tmdb()
    if movie_id is not None:
        known = Movie.objects.filter(pk=movie_id).exists()
        details = client.details(movie_id, language=options.tmdb_language)
        console.print(f"{details.title} would be {'refreshed' if known else 'added'}.")
        return
    lists = discovery.read_lists(client, options, pages or options.discover_pages)
    found = discovery.sort_out(lists.rows.values(), at=timezone.now())
    for row in found.new:
        console.print(f"would add      {_titled(row)}")
    for row in found.stale:
        console.print(f"would refresh  {_titled(row)}")
    console.print(
        f"{len(lists.rows)} listed: {len(found.new)} to add, {len(found.stale)} to refresh,"
        f" {len(found.fresh)} fresh, {len(found.removed)} removed by an editor. Nothing was written.",
        soft_wrap=True,
    )


def _titled(row: MovieRow) -> str:
    year = f" ({row.release_date.year})" if row.release_date else ""
    return f"{row.title}{year} [{row.tmdb_id}]"


def _display(console: Console) -> Progress:
    """A progress bar on a terminal, nothing elsewhere (there the log lines are all that is said)."""
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _summary(done: list[IngestRun]) -> Table:
    table = Table(title="Ingested", title_justify="left")
    for heading in ("job", "runs", "succeeded", "failed", "new", "switches"):
        table.add_column(heading, justify="left" if heading == "job" else "right")
    for job in (Job.DISCOVER, Job.MATCH):
        ours = [run for run in done if run.job == job]
        good = [run for run in ours if run.status == IngestRun.Status.SUCCEEDED]
        switches = sum(bool(run.summary.get("switch")) for run in good)
        new = sum(run.summary.get("new", 0) for run in good)
        table.add_row(job.value, *map(str, (len(ours), len(good), len(ours) - len(good), new, switches)))
    return table
