"""A real worker on a real Valkey: jobs are done, survive a kill -9, wait for a broker that is away, are
cancelled, and follow what is set meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from config.supervisor import children
from tests import databases, folders, servers
from tests.browser import backstage
from tests.browser.backstage import Backstage
from tests.ingestion.world import World

ROOT = Path(__file__).parents[2]
FILM = 961

pytestmark = [pytest.mark.servers, pytest.mark.rows]


class Door(World):
    """A world whose library answers only while the door is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.knocked = threading.Event(), threading.Event()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/library/movies/"):
            self.knocked.set()
            self.open.wait(60)
        super().answer(handler)


class Installation:
    """A data folder with what `manage.py setup` makes, and the processes that work on it."""

    backstage: Backstage

    def __init__(self, folder: Path, world: World, where: dict[str, str]) -> None:
        self.folder = folder
        self.env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(folder)}
        self.env |= {"TMDB_API_KEY": "key", "TMDB_BASE_URL": f"{world.url}/3", "REDIS_URL": ""}
        self.env |= {"LIBRARY_URL": f"{world.url}/library", "HTTP_TRUSTED_ORIGINS": world.url}
        self.env |= {"RATE_LIMIT_RPS": "1000", "TMDB_RATE_LIMIT_RPS": "1000", **where}

    def set_up(self) -> None:
        command = [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), "setup"]
        done = subprocess.run(command, env=self.env, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, code: str) -> Any:
        return self.backstage.run(f"{IMPORTS}\n{code}")

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

    def statuses(self, job: str) -> list[str]:
        runs = f"IngestRun.objects.filter(job='{job}').order_by('id')"
        statuses: list[str] = self.run(f"result = list({runs}.values_list('status', flat=True))")
        return statuses

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait for something that a process is about to do."""
        give_up = time.monotonic() + 60
        while not reached():
            if time.monotonic() > give_up:
                log = self.folder / "worker.log"
                pytest.fail(f"not {what} within a minute; the worker said:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)


IMPORTS = """
from datetime import timedelta
from django.utils import timezone
from core import conf
from ingestion import runs
from ingestion.models import IngestRun, Slot
from streaming.models import StreamSwitch
"""


@pytest.fixture
def installation() -> Iterator[tuple[Installation, Door]]:
    with folders.temporary() as folder, databases.fresh() as where, Door().running() as world:
        assert isinstance(world, Door)
        world.film(FILM, "The General")
        world.offer(FILM, world.rendition("low.mp4", "720p"))
        marquee = Installation(folder, world, where)
        with backstage.running(marquee.env) as marquee.backstage:
            try:
                yield marquee, world
            finally:
                world.open.set()


def test_a_job_survives_the_death_of_its_worker_and_is_finished_once(
    installation: tuple[Installation, Door],
) -> None:
    marquee, world = installation
    # The broker is away while the first discovery is queued: it is a row, and that is enough.
    marquee.set_up()
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
    assert marquee.run("result = list(StreamSwitch.objects.values_list('seq', 'reason'))") == [[1, "first"]]
    assert marquee.run("result = Slot.objects.filter(run_id__isnull=False).count()") == 0


def test_runs_are_cancelled_in_the_queue_and_at_work_and_settings_reach_a_worker_that_runs(
    installation: tuple[Installation, Door],
) -> None:
    marquee, world = installation
    marquee.set_up()
    (marquee.folder / "valkey").mkdir(exist_ok=True)
    with servers.valkey(marquee.folder / "valkey"):
        marquee.run(CANCEL.format(job="tmdb.discover"))  # before there is a worker to begin it
        with marquee.worker():
            marquee.run(SEARCH)
            marquee.until(world.knocked.is_set, "searching")
            marquee.run(CANCEL.format(job="content.match"))
            world.open.set()
            marquee.until(lambda: marquee.run(FREE), "stopped")
            assert marquee.statuses("content.match") == ["cancelled"]
            assert marquee.run("result = StreamSwitch.objects.count()") == 0
            for lowest, quality in (("1080p", None), ("720p", "720p")):
                marquee.run(f"conf.change('MIN_QUALITY_TO_PUBLISH', '{lowest}', by='ada', at=timezone.now())")
                marquee.run(SEARCH)
                marquee.until(lambda: marquee.run(FREE), "searched again")
                assert marquee.run(FOUND) == quality
    assert marquee.statuses("tmdb.discover") == ["cancelled"]


CANCEL = "runs.cancel(IngestRun.objects.get(job='{job}').pk, by='ada', at=timezone.now())"
FREE = "result = not Slot.objects.filter(key__startswith='content.match', run_id__isnull=False).exists()"
SEARCH = f"""
from ingestion.discovery import add_movie
add_movie({FILM}, at=timezone.now())
"""
FOUND = """
last = IngestRun.objects.filter(job='content.match').order_by('-id').first()
assert last.status == 'succeeded', last.error
result = last.summary['quality']
"""
