"""The processes of a soak: workers, beat and Valkey as in life, each to be killed and started again.

This process becomes one of the product's own: once `running` has begun, its rows can be read and written.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django

from benchmarks import delayed_origin
from benchmarks.matching import renditions
from config import env
from config.supervisor import embedded, processes
from config.supervisor.children import end, kill, spawn, tail
from core import options
from tests import databases, folders, servers
from tests.soak.journal import Journal

LATENCY_S = 0.03
STOP = (signal.SIGTERM, 20.0)


class Stage:
    """Everything that runs. Its processes die with this one."""

    def __init__(self, folder: Path, valkey: servers.Server) -> None:
        self.folder, self.valkey = folder, valkey
        self.journal = Journal(folder)
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self._started = 0

    def start_worker(self) -> None:
        self._started += 1
        name = f"worker-{self._started}"
        self.workers[name] = self._spawned(name, processes.worker())

    def kill_worker(self, name: str) -> None:
        """SIGKILL. It is dead when this returns."""
        kill(self.workers.pop(name))

    def stop_workers(self) -> None:
        """Let each finish what it is at, and tell the broker so."""
        for child in self.workers.values():
            child.send_signal(signal.SIGTERM)
        while self.workers:
            end(self.workers.popitem()[1], (0, STOP[1]))

    @contextmanager
    def beat(self) -> Iterator[None]:
        child = self._spawned("beat", processes.beat())
        try:
            yield
        finally:
            end(child, STOP)

    def bury_dead(self) -> list[str]:
        """Workers that ended without being told to, the last of what they said included. They are gone."""
        found = [name for name, child in self.workers.items() if child.poll() is not None]
        for name in found:
            kill(self.workers.pop(name))
        return [f"{name} ended by itself: {tail(self.folder / f'{name}.log', 1)}" for name in found]

    def said(self, lines: int = 8) -> str:
        """The end of every log."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.stem}:\n  " + "\n  ".join(tail(log, lines)) for log in logs)

    def _spawned(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return spawn(command, env=os.environ, cwd=env.BASE_DIR, output=log)


@contextmanager
def running(*, movies: int, hurry: bool) -> Iterator[Stage]:
    """A database, a broker and an origin with so many films; nobody works yet."""
    with ExitStack() as ends:
        folder = ends.enter_context(folders.temporary())
        where = ends.enter_context(databases.fresh())
        origin = ends.enter_context(delayed_origin.running(renditions(movies), delay_s=LATENCY_S))
        valkey = ends.enter_context(_valkey(folder / "valkey"))
        stage = Stage(folder, valkey)
        ends.callback(stage.stop_workers)
        _become_marquee({"DATA_DIR": str(folder), "REDIS_URL": valkey.url, **where}, origin, hurry)
        yield stage


@contextmanager
def _valkey(folder: Path) -> Iterator[servers.Server]:
    """As `make run` has it: what it holds is on disk, and there again when it is started anew."""
    folder.mkdir()
    sock = embedded.socket_path(folder)
    command = embedded.command(servers.require("valkey"), folder=folder, sock=sock)
    up = lambda: embedded.answers(sock)  # noqa: E731
    with servers.running(servers.Server(command, folder / "valkey.log", up=up, url=embedded.url(sock))) as it:
        yield it


def _become_marquee(where: dict[str, str], origin: str, hurry: bool) -> None:
    """With the settings of production: nothing of those under which tests run, or of a developer's."""
    os.environ.update(dict.fromkeys([*(v.name for v in env.VARIABLES), *options.NAMES], ""))
    os.environ.update(
        {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PYTHONPATH": str(env.BASE_DIR),
            "PYTHONUNBUFFERED": "1",
            "JOB_MODULES": "tests.soak.product",
            "SOAK_JOURNAL": where["DATA_DIR"],
            "SOAK_HURRY": "yes" if hurry else "",
            "LOG_LEVEL": "WARNING",
            "RATE_LIMIT_RPS": "1000",
            "LIBRARY_URL": origin,
            "HTTP_TRUSTED_ORIGINS": origin,
            **where,
        }
    )
    django.setup()
    _fill()


def _fill() -> None:
    """A library, and beat with nothing to fire but the tick."""
    from django.db import connections
    from django_celery_beat.models import PeriodicTask

    from core import migrating
    from ingestion import schedule
    from ingestion.models import Job
    from providers import services

    for alias in connections:
        migrating.bring_up_to_date(alias)
    services.ensure_library()
    schedule.initialize()
    PeriodicTask.objects.exclude(name=Job.TICK).update(enabled=False)
