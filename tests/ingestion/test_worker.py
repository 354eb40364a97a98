"""A real worker on a real Valkey: jobs are done, survive a kill -9, and wait for a broker that is away."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from config.supervisor import children
from tests import servers
from tests.ingestion.world import World

ROOT = Path(__file__).parents[2]
FILM = 961

pytestmark = pytest.mark.servers


class Door(World):
    """A world whose library answers only while the door is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.knocked = threading.Event(), threading.Event()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/library/movies/"):
            self.knocked.set()
            self.open.wait(60)
        super()._answer(handler)


class Installation:
    """A data folder with what `manage.py setup` makes, and the processes that work on it."""

    def __init__(self, folder: Path, world: World) -> None:
        self.folder = folder
        self.env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(folder)}
        self.env |= {"TMDB_API_KEY": "key", "TMDB_BASE_URL": f"{world.url}/3", "REDIS_URL": ""}
        self.env |= {"LIBRARY_URL": f"{world.url}/library", "HTTP_TRUSTED_ORIGINS": world.url}
        self.env |= {"RATE_LIMIT_RPS": "1000", "TMDB_RATE_LIMIT_RPS": "1000"}

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, code: str) -> None:
        head = (
            "from datetime import timedelta\nfrom django.utils import timezone\nfrom ingestion import runs\n"
        )
        self.manage("shell", "--no-imports", "-c", f"{head}from ingestion.models import Job\n{code}")

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        log = self.folder / "worker.log"
        options = ("--pool", "threads", "--concurrency", "2", "--without-gossip", "--without-mingle")
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--loglevel", "INFO", *options]
        with log.open("ab") as output:
            process = children.spawn(command, env=self.env, cwd=ROOT, output=output)
        try:
            yield process
        finally:
            children.kill(process)
            process.wait(10)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "marquee.sqlite3", timeout=10)) as database:
            return list(database.execute(query))

    def statuses(self, job: str) -> list[str]:
        return [
            row[0]
            for row in self.rows(f"SELECT status FROM ingestion_ingestrun WHERE job = '{job}' ORDER BY _id")
        ]

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait for something that a process is about to do."""
        give_up = time.monotonic() + 60
        while not reached():
            if time.monotonic() > give_up:
                log = self.folder / "worker.log"
                pytest.fail(f"not {what} within a minute; the worker said:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)


@pytest.fixture
def installation() -> Iterator[tuple[Installation, Door]]:
    """Its folder lies in /tmp, because a socket's path holds 104 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="marquee-worker-", dir="/tmp"))
    try:
        with Door().running() as world:
            assert isinstance(world, Door)
            world.film(FILM, "The General")
            world.offer(FILM, world.rendition("low.mp4", "720p"))
            try:
                yield Installation(folder, world), world
            finally:
                world.open.set()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_job_survives_the_death_of_its_worker_and_is_finished_once(
    installation: tuple[Installation, Door],
) -> None:
    marquee, world = installation
    # The broker is away while the first discovery is queued: it is a row, and that is enough.
    marquee.manage("setup")
    assert marquee.statuses("tmdb.discover") == ["queued"]
    (marquee.folder / "valkey").mkdir(exist_ok=True)
    with servers.valkey(marquee.folder / "valkey"):
        with marquee.worker() as first:
            marquee.run("runs.find_lost(at=timezone.now())")
            marquee.until(world.knocked.is_set, "searching")
            assert marquee.statuses("tmdb.discover") == ["succeeded"]
            assert marquee.statuses("content.match") == ["running"]
            first.kill()
            first.wait(10)
        marquee.run("assert runs.find_lost(at=timezone.now()).lost == 0, 'its lease still runs'")
        marquee.run("assert runs.find_lost(at=timezone.now() + timedelta(minutes=2)).retried == 1")
        assert marquee.statuses("content.match") == ["lost", "queued"]
        world.open.set()
        with marquee.worker():
            marquee.until(lambda: "succeeded" in marquee.statuses("content.match"), "finished")
            marquee.run("assert runs.find_lost(at=timezone.now() + timedelta(minutes=2)) == (0, 0, 0)")
    assert marquee.statuses("content.match") == ["lost", "succeeded"]
    assert marquee.rows("SELECT seq, reason FROM streaming_streamswitch") == [(1, "first")]
    assert marquee.rows("SELECT run_id, again FROM ingestion_slot WHERE run_id IS NOT NULL") == []
