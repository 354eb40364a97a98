"""How much of its providers' paces one worker uses: `python -m benchmarks.matching [movies] [rps]`.

The worker of `make run`, a real Valkey, SQLite, and all seven adapters, each with an origin of its own that
answers after 30 ms. The rate limits alone would take as long as the provider that is asked most often.
RATE_LIMIT_RPS is 3 by default; far above 5 the processor is the limit, some 0.4 s of it a movie.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import django

from benchmarks import delayed_origin
from config.env import BASE_DIR
from config.supervisor import processes
from config.supervisor.children import end, spawn, tail
from tests import folders, servers
from tests.providers.media import media

LATENCY_S = 0.03
LEAST_RATIO = 0.8
TITLE, YEAR = "Big Buck Bunny", 2008
FILM = media("moov-first-1920x804.mp4")
RENDITION = {"id": "a", "url": "../film.mp4", "delivery": "progressive", "quality": "1080p"}
LICENCE = "https://creativecommons.org/licenses/by/3.0/"
EMBED = {"quality": "1080p", "licence": "CC BY 3.0"}
ITEM = {"identifier": "film", "title": TITLE, "year": YEAR, "mediatype": "movies", "licenseurl": LICENCE}
FILES = [{"name": "film.mp4", "source": "original", "format": "MPEG4", "length": "596", "width": "1920"}]

Pages = dict[str, bytes]


@dataclass(frozen=True)
class Source:
    """One provider: its adapter, its settings without the address, and what its origin serves."""

    adapter: str
    pages: Pages
    config: Mapping[str, str]
    address: str = "base_url"
    path: str = ""


def renditions(movies: int) -> Pages:
    listed = json.dumps({"renditions": [RENDITION]}).encode()
    return {"/film.mp4": FILM} | {f"/movies/{number}.json": listed for number in range(1, movies + 1)}


def embeds(page: str, movies: int) -> Pages:
    return {page.format(number): b"<!doctype html><title>A film</title>" for number in range(1, movies + 1)}


def archive() -> Pages:
    """Every film is called the same, so one item is each of them."""
    return {
        "/advancedsearch.php": json.dumps({"response": {"docs": [ITEM]}}).encode(),
        "/metadata/film": json.dumps({"metadata": ITEM, "files": FILES}).encode(),
        "/download/film/film.mp4": FILM,
    }


def sources(movies: int) -> list[Source]:
    return [
        Source("library", renditions(movies), {}),
        Source("catalogue", renditions(movies), {}, address="url", path="/movies/{tmdb_id}.json"),
        Source("archive", archive(), {}),
        Source("autoembed", embeds("/embed/movie/{}", movies), EMBED),
        Source("twoembed", embeds("/embed/{}", movies), EMBED),
        Source("multiembed", embeds("/", movies), EMBED),
        Source("embedsu", embeds("/embed/movie/{}", movies), EMBED),
    ]


def settle(env: Mapping[str, str]) -> None:
    """This process becomes one of Marquee's own, with an empty database."""
    os.environ.update(env)
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def fill(movies: int, origins: Mapping[str, Source]) -> None:
    """Movies and providers; each movie queued for a search."""
    from django.utils import timezone

    from ingestion import runs
    from ingestion.models import Job
    from providers.models import Provider
    from streaming.models import Movie

    at = timezone.now()
    for url, source in origins.items():
        Provider.objects.create(
            slug=source.adapter,
            label=source.adapter,
            adapter=source.adapter,
            enabled=True,
            config={source.address: url + source.path, **source.config},
            licence_note="A benchmark.",
        )
    for number in range(1, movies + 1):
        Movie.objects.create(
            id=number, title=TITLE, imdb_id=f"tt{number:07}", release_date=date(YEAR, 5, 20), discovered_at=at
        )
        runs.queue(Job.MATCH, at=at, trigger="benchmark", movie_id=number)


@contextmanager
def worker(folder: Path) -> Iterator[Any]:
    with ExitStack() as ends, (folder / "worker.log").open("wb") as log:
        child = spawn(processes.worker(), env=os.environ, cwd=BASE_DIR, output=log)
        ends.callback(end, child, (signal.SIGTERM, 10.0))
        yield child


def finished(movies: int, child: Any, log: Path) -> tuple[float, float]:
    """Seconds from the first run's start to the last one's end, and of the worker's processor."""
    from ingestion.models import IngestRun

    done = IngestRun.objects.filter(finished_at__isnull=False)
    while done.count() < movies:
        assert child.poll() is None, "\n".join(tail(log))
        time.sleep(0.5)
    cpu = cpu_s(child.pid)
    failed = done.exclude(status=IngestRun.Status.SUCCEEDED)
    assert not failed, [run.error for run in failed[:3]]
    moments = done.values_list("started_at", "finished_at")
    began, ended = min(began for began, _ in moments), max(ended for _, ended in moments)
    return (ended - began).total_seconds(), cpu


def cpu_s(pid: int) -> float:
    """Seconds of the processor that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def requests_to(origin: str) -> int:
    with urllib.request.urlopen(f"{origin}/counts", timeout=10) as answer:
        told: dict[str, int] = json.load(answer)
    return told["requests"]


def check(movies: int) -> str:
    """Every film has every provider's stream, measured where that can be."""
    from ingestion.models import IngestLog
    from streaming.models import StreamVersion

    lines = IngestLog.objects.filter(status__in=["FAILED", "ERROR", "WARNING"])
    told = "\n".join(dict.fromkeys(line.message for line in lines[:5]))
    healthy = StreamVersion.objects.filter(state="healthy").count()
    assert healthy == 7 * movies, f"{healthy} of {7 * movies} streams are healthy\n{told}"
    return f"{lines.count()} troubles"


def report(movies: int, rps: float, took: float, cpu: float, asked: Mapping[str, int]) -> None:
    for name, requests in asked.items():
        share = requests / rps / took
        print(f"{name:<12}{requests:>6} requests, {requests / movies:.1f} a movie, {share:4.0%} of its pace")  # noqa: T201
    allowed = max(asked.values()) / rps
    print(  # noqa: T201
        f"\n{movies} movies, {len(asked)} adapters at {rps:g} requests/s each: {took:.1f} s\n"
        f"the rate limits alone: {allowed:.1f} s, {allowed / took:.0%} of it (at least {LEAST_RATIO:.0%})\n"
        f"CPU of the worker {cpu:.1f} s, {1000 * cpu / movies:.0f} ms a movie; {check(movies)}"
    )


def main(movies: int = 200, rps: float = 5.0) -> None:
    with ExitStack() as ends:
        origins = {
            ends.enter_context(delayed_origin.running(source.pages, delay_s=LATENCY_S)): source
            for source in sources(movies)
        }
        folder = ends.enter_context(folders.temporary())
        (folder / "valkey").mkdir()
        valkey = ends.enter_context(servers.valkey(folder / "valkey"))
        ours = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(folder), "REDIS_URL": valkey}
        ours |= {"RATE_LIMIT_RPS": str(rps), "HTTP_TRUSTED_ORIGINS": ",".join(origins)}
        ours |= {"TMDB_API_KEY": "key", "PYTHONPATH": str(BASE_DIR), "LOG_LEVEL": "WARNING"}
        settle(ours | {"DATABASE_URL": "", "MONGODB_URI": "", "LIBRARY_URL": ""})
        fill(movies, origins)
        child = ends.enter_context(worker(folder))
        took, cpu = finished(movies, child, folder / "worker.log")
        report(movies, rps, took, cpu, {source.adapter: requests_to(url) for url, source in origins.items()})


if __name__ == "__main__":
    main(*(kind(given) for kind, given in zip((int, float), sys.argv[1:], strict=False)))
