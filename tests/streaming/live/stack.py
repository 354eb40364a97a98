"""A real web process, a real Valkey and another process that switches, around one folder; and a client."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from config.supervisor import processes
from config.supervisor.children import end, spawn
from tests import databases, servers

ROOT = Path(__file__).parents[3]
WATCHDOG_S = 60.0


class Stack:
    """`with Stack(folder) as stack`: everything runs; at the end nothing does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.valkey_folder = folder / "valkey"
        self.valkey_folder.mkdir()
        self.valkey_url = ""
        self.port = servers.free_port()
        self._movie_ids = itertools.count(1)
        self._ends = ExitStack()
        self._valkey = ExitStack()

    def __enter__(self) -> Stack:
        self._where = self._ends.enter_context(databases.fresh())
        self.start_valkey()
        self._ends.callback(self._valkey.close)
        command = [sys.executable, "-m", "tests.streaming.live.editor"]
        self._editor = subprocess.Popen(
            command, cwd=ROOT, env=self.env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._ends.callback(self._editor.wait, WATCHDOG_S)
        self._ends.callback(self._editor.stdin.close)
        self.tell("migrate")
        self.web = self.start_web(self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    @property
    def env(self) -> dict[str, str]:
        ours = {"DATA_DIR": str(self.folder), "REDIS_URL": self.valkey_url, "LOG_LEVEL": "INFO"}
        return {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **ours, **self._where}

    @property
    def on_sqlite(self) -> bool:
        return not self._where

    @property
    def log(self) -> str:
        return (self.folder / f"web-{self.port}.log").read_text()

    def start_web(self, port: int) -> subprocess.Popen[bytes]:
        with (self.folder / f"web-{port}.log").open("wb") as log:
            web = spawn(processes.web(port), cwd=ROOT, env=self.env, output=log)
        self._ends.callback(end, web, (signal.SIGTERM, 5.0))
        until(lambda: self._answers(port), "the web process answers")
        return web

    def start_valkey(self) -> None:
        self.valkey_url = self._valkey.enter_context(servers.valkey(self.valkey_folder))

    def kill_valkey(self) -> None:
        """By kill -9, as the machine does when memory runs out."""
        os.kill(self.valkey_pid, signal.SIGKILL)
        self._valkey.close()

    @property
    def valkey_pid(self) -> int:
        with redis.Redis.from_url(self.valkey_url) as client:
            return int(client.info("server")["process_id"])

    def listeners(self) -> int:
        """How many processes hear what is published."""
        with redis.Redis.from_url(self.valkey_url) as client:
            return int(client.pubsub_numsub("events_channel")[0][1])

    def database_connections(self) -> int:
        """How many the web process has: open files of SQLite's, or sockets to the server (Linux)."""
        folder, files = Path(f"/proc/{self.web.pid}"), []
        for entry in (folder / "fd").iterdir():
            with suppress(FileNotFoundError):
                files.append(os.readlink(entry))
        if self.on_sqlite:
            return sum("marquee.sqlite3" in name for name in files)
        ports = {
            f"{int(port):04X}" for url in self._where.values() for port in re.findall(r":(\d+)[,/]", url)
        }
        rows = [line.split() for line in (folder / "net/tcp").read_text().splitlines()[1:]]
        to_server = {f"socket:[{row[9]}]" for row in rows if row[2].rpartition(":")[2] in ports}
        return len(to_server.intersection(files))

    def tell(self, *words: Any) -> Any:
        """Have the other process do something; what it answers."""
        print(json.dumps(words), file=self._editor.stdin, flush=True)
        return json.loads(self._editor.stdout.readline())

    def new_movie(self, *, height: int = 720) -> int:
        movie_id = next(self._movie_ids)
        self.tell("movie", movie_id)
        if height:
            self.tell("activate", movie_id, height)
        return movie_id

    def request(self, method: str, path: str, *, port: int = 0, source: str = "127.0.0.1", **headers: str):
        """The connection and the response, of which only the head has been read."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", port or self.port, timeout=WATCHDOG_S, source_address=(source, 0)
        )
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=names)
        return connection, connection.getresponse()

    def watch(self, movie_id: int, **options: Any) -> EventStream:
        connection, response = self.request("GET", f"/api/movies/{movie_id}/stream-events", **options)
        assert response.status == 200, response.read()
        return EventStream(connection, response)

    def _answers(self, port: int) -> bool:
        assert port != self.port or not hasattr(self, "web") or self.web.poll() is None
        try:
            connection, _ = self.request("HEAD", "/nothing", port=port)
        except OSError:
            return False
        connection.close()
        return True


@dataclass(frozen=True)
class Event:
    type: str
    id: str
    data: Any


class EventStream:
    """What a browser's EventSource would have been told."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self._connection = connection
        self.response = response

    def next(self) -> Event | None:
        """The next event; None when the stream has come to its proper end."""
        fields: dict[str, str] = {}
        while line := self.response.readline().decode():
            if line == "\n" and "data" in fields:
                return Event(fields.get("event", "message"), fields.get("id", ""), json.loads(fields["data"]))
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        return None

    def close(self) -> None:
        self.response.close()
        self._connection.close()

    def __enter__(self) -> EventStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def until(holds: Callable[[], object], what: str) -> None:
    give_up = time.monotonic() + WATCHDOG_S
    while not holds():
        assert time.monotonic() < give_up, f"waited {WATCHDOG_S:g} s in vain until {what}"
        time.sleep(0.02)
