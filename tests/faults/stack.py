"""Web, worker and beat as `make run` starts them, on databases of their own that a test takes away.

`LAYOUTS` says, for each kind of database, what can happen to it and what is refused meanwhile.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import requests

from config.env import BASE_DIR
from config.supervisor import processes
from config.supervisor.children import end, spawn, tail
from tests import databases, folders, servers
from tests.ingestion.world import World
from tests.streaming.live.stack import EventStream

WATCHDOG_S = 90.0
"""Longer than from one tick of beat to the end of the next."""
PASSWORD = "correct horse battery staple"
SECRET = "hunter2-of-the-database"
LIMITS = {"DATABASE_TIMEOUT_S": "2", "DATABASE_CONNECT_TIMEOUT_S": "1"}


Fault = Callable[[], AbstractContextManager[None]]


@dataclass
class Layout:
    """`faults` by name, each as long as a `with` lasts. `missing` is how /readyz calls what is away."""

    env: dict[str, str]
    faults: dict[str, Fault]
    missing: str
    refused: tuple[tuple[str, str], ...]
    still_read: tuple[str, ...] = ()


READS = (("GET", "/api/movies/{film}/active-stream"), ("GET", "/api/movies"), ("GET", "/watch/{film}"))
LOGIN = ("POST", "/api/auth/login")


@contextmanager
def postgres(_: Path) -> Iterator[Layout]:
    with databases.postgresql() as server:
        url = server.url.format(name="postgres").replace("marquee@", f"marquee:{SECRET}@")
        refused = (*READS, LOGIN, ("GET", "/admin/"))
        yield Layout({"DATABASE_URL": url}, _of(server), missing="database", refused=refused)


@contextmanager
def mongodb(_: Path) -> Iterator[Layout]:
    with databases.mongod() as server:
        url = server.url.format(name="marquee")
        yield Layout({"MONGODB_URI": url}, _of(server), missing="documents", refused=READS)


@contextmanager
def sqlite(folder: Path) -> Iterator[Layout]:
    """Readers do not care that somebody writes."""

    @contextmanager
    def locked() -> Iterator[None]:
        with closing(sqlite3.connect(folder / "marquee.sqlite3", isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            yield
            writer.execute("ROLLBACK")

    still_read = tuple(path for _, path in READS)
    yield Layout({}, {"locked": locked}, missing="", refused=(LOGIN,), still_read=still_read)


def _of(server: servers.Server) -> dict[str, Fault]:
    @contextmanager
    def frozen() -> Iterator[None]:
        server.freeze()
        try:
            yield
        finally:
            server.thaw()

    @contextmanager
    def killed() -> Iterator[None]:
        server.kill()
        yield
        server.start()

    return {"frozen": frozen, "killed": killed}


LAYOUTS = {"postgres": postgres, "mongodb": mongodb, "sqlite": sqlite}


class Door(World):
    """A world whose library answers only while the door is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.knocked = threading.Event(), threading.Event()
        self.open.set()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path.startswith("/library/movies/"):
            self.knocked.set()
            self.open.wait(WATCHDOG_S)
        super().answer(handler)


@dataclass
class Marquee:
    """The running product. `run()` has code done in another process of it."""

    folder: Path
    layout: Layout
    world: Door
    valkey: str
    limits: dict[str, str]
    port: int = field(default_factory=servers.free_port)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _backstage: subprocess.Popen[str] | None = None
    _films: Iterator[int] = field(default_factory=lambda: itertools.count(961))

    @property
    def env(self) -> dict[str, str]:
        # Nothing of the settings under which the tests run may leak in: an empty variable counts as not set.
        ours = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(self.folder)}
        ours |= {"DATABASE_URL": "", "MONGODB_URI": "", "REDIS_URL": self.valkey, **self.layout.env}
        ours |= self.limits
        ours |= {"TMDB_API_KEY": "key", "TMDB_BASE_URL": f"{self.world.url}/3", "LOG_LEVEL": "INFO"}
        ours |= {"LIBRARY_URL": f"{self.world.url}/library", "HTTP_TRUSTED_ORIGINS": self.world.url}
        ours |= {"RATE_LIMIT_RPS": "1000", "TMDB_RATE_LIMIT_RPS": "1000", "MIN_QUALITY_TO_PUBLISH": "SD"}
        return {**os.environ, "PYTHONPATH": str(BASE_DIR), "PYTHONUNBUFFERED": "1", **ours}

    # -- processes

    @contextmanager
    def running(self) -> Iterator[Marquee]:
        with ExitStack() as ends:
            setup = subprocess.run(
                processes.manage("setup"), env=self.env, cwd=BASE_DIR, capture_output=True, timeout=120
            )
            assert setup.returncode == 0, setup.stdout + setup.stderr
            ends.enter_context(self._with_backstage())
            self.run(PREPARE, password=PASSWORD)
            commands = {"web": processes.web(self.port), "worker": processes.worker()}
            for name, command in {**commands, "beat": processes.beat()}.items():
                with (self.folder / f"{name}.log").open("wb") as output:
                    child = spawn(command, env=self.env, cwd=BASE_DIR, output=output)
                self.children[name] = child
                ends.callback(end, child, (signal.SIGTERM, 10.0))
            self.until_ready()
            yield self

    @contextmanager
    def _with_backstage(self) -> Iterator[None]:
        command = [sys.executable, "-W", "ignore", "-m", "tests.browser.backstage"]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, env=self.env, cwd=BASE_DIR, stdin=pipe, stdout=pipe, text=True
        ) as process:
            self._backstage = process
            yield
            assert process.stdin is not None
            process.stdin.close()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Wait for something that the processes are about to do; none of them may end meanwhile."""

        def held() -> Any:
            for name, child in self.children.items():
                assert child.poll() is None, (name, tail(self.folder / f"{name}.log"))
            return holds()

        try:
            servers.eventually(held, WATCHDOG_S)
        except BaseException as error:
            logs = [f"{name}:\n" + "\n".join(tail(self.folder / f"{name}.log", 30)) for name in self.children]
            raise AssertionError("\n".join([f"not {what}: {error}", *logs])) from None

    def until_ready(self) -> None:
        """Asked seldom: the question is counted, as every request is."""
        answer: list[str] = []

        def ready() -> bool:
            time.sleep(0.2)
            with suppress(requests.ConnectionError):
                answer[:] = [(response := self.ask("GET", "/readyz")).text]
                return response.ok
            return False

        try:
            self.until(ready, "ready")
        except AssertionError as error:
            raise AssertionError(f"{answer} {error}") from None

    # -- asking

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        return requests.request(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            timeout=WATCHDOG_S,
            allow_redirects=False,
            **options,
        )

    def watch(self, film: int) -> EventStream:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WATCHDOG_S)
        connection.request("GET", f"/api/movies/{film}/stream-events")
        return EventStream(connection, connection.getresponse())

    def run(self, code: str, **values: Any) -> Any:
        """Run `code` inside the product; what it left in `result`."""
        process = self._backstage
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"code": f"{HEAD}\n{code}", "values": values}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["result"]

    # -- films and jobs

    def new_film(self) -> int:
        """A film with one stream in 720p, which is active: turn 1 of its log."""
        film = next(self._films)
        self.world.film(film, f"Film {film}", lists=())  # a discovery would queue it
        self.world.offer(film, self.world.rendition(f"{film}-low.mp4", "720p"))
        self.run(FILM, film=film)
        return film

    def better(self, film: int) -> None:
        """From now on the library has it in 1080p too."""
        low, high = (
            self.world.rendition(f"{film}-{n}.mp4", q) for n, q in (("low", "720p"), ("high", "1080p"))
        )
        self.world.offer(film, low, high)

    def queue(self, film: int, *, publish: bool = True) -> str:
        """Queue a match of the film. Without `publish` its message is still to be delivered."""
        run: str = self.run(QUEUE, film=film, publish=publish)
        return run

    def deliver(self, run: str) -> None:
        """Give the message of a run to the broker. It needs no database."""
        self.run("app.send_task('content.match', args=[run])", run=run)


HEAD = """
from django.contrib.auth.models import User
from django.db import connections
from django.utils import timezone
from config.celery import app
from ingestion import jobs, runs
from ingestion.models import IngestRun, Job, Slot
from streaming.models import Movie
from tests.streaming.invariants import assert_consistent
connections.close_all()
"""
PREPARE = """
User.objects.create_user("ada", password=password)
"""
FILM = """
Movie.objects.create(id=film, title=f"Film {film}", discovered_at=timezone.now())
run, _ = runs.queue(Job.MATCH, at=timezone.now(), trigger="test", movie_id=film, publish=False)
run = jobs.execute(run.pk)
assert run.status == "succeeded", (run.status, run.error)
assert Movie.objects.get(pk=film).switch_seq == 1
"""
QUEUE = """
run, created = runs.queue(Job.MATCH, at=timezone.now(), trigger="test", movie_id=film, publish=publish)
assert created
result = str(run.pk)
"""


@contextmanager
def running(name: str, limits: dict[str, str] = LIMITS) -> Iterator[Marquee]:
    """The product on a layout of its own, a library beside it, and an empty catalogue."""
    with folders.temporary() as folder, LAYOUTS[name](folder) as layout, Door().running() as world:
        assert isinstance(world, Door)
        (folder / "valkey").mkdir()
        with (
            servers.valkey(folder / "valkey") as valkey,
            Marquee(folder, layout, world, valkey, limits).running() as it,
        ):
            try:
                yield it
            finally:
                world.open.set()
