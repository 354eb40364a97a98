"""`make run` as a whole, with the real processes: ready, stopped, killed, started again.

Starting everything takes seconds, so one run serves several tests, in the order of this file.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from django.conf import settings

from tests import databases
from tests.servers import eventually, free_port, require

pytestmark = [
    pytest.mark.servers,
    pytest.mark.rows,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes through /proc"),
]
MARK = "MARQUEE_TEST_RUN"
CLEAN = {
    "SECRET_KEY",
    "REDIS_URL",
    "TMDB_API_KEY",
    "TMDB_BASE_URL",
    "LIBRARY_URL",
    "LIBRARY_DIR",
    "DATA_DIR",
    "PORT",
    "DEBUG",
}


@dataclass
class Run:
    """One supervisor (or one of its commands) on a data folder, with all that it says."""

    data: Path
    port: int
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        env = {name: value for name, value in os.environ.items() if name not in CLEAN}
        env |= {"DATA_DIR": str(self.data), "PORT": str(self.port), MARK: self.mark, **self.environment}
        env["DJANGO_SETTINGS_MODULE"] = "config.settings"
        self.said = self.data.parent / f"said-{self.mark}"
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.supervisor", *self.arguments],
                cwd=settings.BASE_DIR,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def says(self, text: str) -> None:
        """Wait until it says so; an early end shows what it said instead."""
        eventually(lambda: text in self.said.read_text() or self.process.poll() is not None, within_s=90)
        if text not in self.said.read_text():
            pytest.fail(f"it ended before it said {text!r}:\n{self.said.read_text()}")

    def status(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        return connection.getresponse().status

    def processes(self) -> dict[int, str]:
        """All processes of this run that are alive: pid and command line."""
        found = {int(folder.name): self._line(folder) for folder in Path("/proc").glob("[0-9]*")}
        return {pid: line for pid, line in found.items() if line}

    def _line(self, process: Path) -> str:
        """The command line, if the process is of this run: it works in our data folder, or has our mark.

        Only processes that work in the project's folder are asked for the mark: the others are none of ours.
        """
        with suppress(OSError):  # gone since, or another user's
            folder = (process / "cwd").readlink()
            if folder.is_relative_to(self.data) or (folder == settings.BASE_DIR and self._marked(process)):
                return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return ""

    def _marked(self, process: Path) -> bool:
        return f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes().split(b"\0")

    def pid_of(self, name: str) -> int | None:
        return next((pid for pid, line in self.processes().items() if name in line), None)

    def finish(self) -> tuple[int, str]:
        return self.process.wait(90), self.said.read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def command(data: Path, *arguments: str, port: int | None = None, **environment: str) -> tuple[int, str]:
    """Run one command to its end."""
    return Run(data, port or free_port(), arguments, environment).finish()


@pytest.fixture(scope="module", autouse=True)
def _database() -> Iterator[None]:
    """Every run inherits the address of a database of this module's own, where the layout has servers."""
    with databases.fresh() as where, pytest.MonkeyPatch.context() as environment:
        for name, value in where.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("supervised") / "data"


@pytest.fixture(scope="module")
def first(data: Path) -> Iterator[Run]:
    require("valkey")
    run = Run(data, free_port())
    try:
        run.says("Marquee is ready")
        yield run
    finally:
        run.kill()


@pytest.fixture(scope="module")
def second(first: Run) -> Iterator[Run]:
    """The same command on the same data, after the first run has ended."""
    first.process.send_signal(signal.SIGINT)
    first.finish()
    run = Run(first.data, first.port)
    try:
        run.says("Marquee is ready")
        yield run
    finally:
        run.kill()


def test_it_says_it_is_ready_when_it_is(first: Run) -> None:
    assert first.status("/healthz") == 200
    said = first.said.read_text()
    assert f"http://127.0.0.1:{first.port}/admin/" in said
    assert "Ctrl-C" in said
    assert "\x1b" not in said, "colours belong on a terminal"


def test_the_password_is_in_a_private_file_and_not_in_what_may_become_a_log(first: Run) -> None:
    kept = first.data / "admin-password"
    assert kept.stat().st_mode & 0o077 == 0
    assert str(kept) in first.said.read_text()
    assert kept.read_text().strip() not in first.said.read_text()


def test_a_second_start_on_the_same_data_is_told_who_runs(first: Run) -> None:
    code, said = command(first.data)
    assert code == 1
    assert f"process {first.process.pid} at http://127.0.0.1:{first.port}" in said


def test_a_port_in_use_is_said_before_anything_starts(first: Run, tmp_path: Path) -> None:
    code, said = command(tmp_path / "data", port=first.port)
    assert code == 1
    assert f"Port {first.port} is in use" in said
    assert not list((tmp_path / "data" / "logs").iterdir())


@pytest.mark.parametrize(
    ("library", "problem"),
    [
        ({"LIBRARY_DIR": "/nowhere/at/all"}, "LIBRARY_DIR is /nowhere/at/all, and that is no folder"),
        ({"LIBRARY_DIR": "/tmp", "LIBRARY_URL": "https://films.example"}, "are both set"),
    ],
)
def test_a_library_that_cannot_be_is_refused(tmp_path: Path, library: dict[str, str], problem: str) -> None:
    code, said = command(tmp_path / "data", **library)
    assert code == 1
    assert problem in said


def test_other_commands_find_the_servers_of_the_run(first: Run) -> None:
    code, said = command(
        first.data, "shell", "-c", "from django.conf import settings as s; print(s.TMDB_BASE_URL)"
    )
    assert code == 0
    assert "/3" in said
    assert "127.0.0.1" in said


def test_a_worker_that_dies_is_started_again_and_it_is_said(first: Run) -> None:
    worker = first.pid_of("celery -A config worker")
    assert worker
    os.kill(worker, signal.SIGKILL)
    first.says("worker was killed by SIGKILL; starting it again in 1 s")
    eventually(lambda: first.pid_of("celery -A config worker") not in (None, worker))


def test_ctrl_c_stops_everything_in_seconds_and_leaves_nothing(first: Run) -> None:
    with redis.Redis.from_url(address(first)) as client:
        client.set("kept", "yes")
    began = time.monotonic()
    first.process.send_signal(signal.SIGINT)
    code, said = first.finish()
    assert code == 0
    assert "The data stays" in said
    assert first.processes() == {}
    assert time.monotonic() - began < 15


def test_running_again_keeps_the_data(second: Run, first: Run) -> None:
    with redis.Redis.from_url(address(second)) as client:
        assert client.get("kept") == b"yes"
    count = "from django.contrib.auth.models import User; print(User.objects.count(), 'of them')"
    assert "1 of them" in command(second.data, "shell", "-c", count)[1]
    assert demo_port(second.said) == demo_port(first.said)


def test_a_killed_supervisor_leaves_no_orphan(second: Run) -> None:
    for name in (
        "valkey-server",
        "demo.origin",
        "uvicorn",
        "celery -A config worker",
        "celery -A config beat",
    ):
        assert second.pid_of(name), name
    second.kill()
    eventually(lambda: second.processes() == {})


@pytest.mark.parametrize("what", ["worker", "beat"])
def test_without_a_broker_a_single_process_says_how_to_get_one(what: str, tmp_path: Path) -> None:
    code, said = command(tmp_path / "data", what)
    assert code == 1
    assert "start `make run` in another terminal, or set REDIS_URL" in said


def test_a_redis_that_does_not_answer_is_an_error_without_its_password(tmp_path: Path) -> None:
    url = f"redis://:secret@127.0.0.1:{free_port()}/0"
    code, said = command(tmp_path / "data", REDIS_URL=url)
    assert code == 1
    assert "REDIS_URL is set, but no server answers there" in said
    assert "secret" not in said


def address(run: Run) -> str:
    url: str = json.loads((run.data / "run.lock").read_text())["environment"]["REDIS_URL"]
    return url


def demo_port(said: Path) -> str:
    return next(line for line in said.read_text().splitlines() if line.startswith("  ok  demo"))
