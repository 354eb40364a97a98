"""The processes of one installation as a whole: brought up in order, looked after, taken down in order.

Used by the supervisor and by commands that need the same servers for a while. Prints nothing.
"""

from __future__ import annotations

import http.client
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import redis

from config.env import BASE_DIR
from config.supervisor import embedded, processes
from config.supervisor.children import MODE, Child, Death, end, spawn
from config.supervisor.instance import CannotStart, kept_port
from config.supervisor.signals import StopWish

UP_WITHIN_S = 60.0
SETUP_WITHIN_S = 300.0
HOPELESS_AFTER = 3  # deaths in a row before it was ever up
# Event streams get 2 s from uvicorn. A job at work gets 6 s to end, then the worker hands it back.
PATIENCE: dict[str, tuple[tuple[int, float], ...]] = {
    "web": ((signal.SIGTERM, 5.0),),
    "worker": ((signal.SIGTERM, 6.0), (signal.SIGQUIT, 2.0)),
}


class Failed(CannotStart):
    """A process of ours did not come up. `log` says why."""

    def __init__(self, text: str, log: Path) -> None:
        super().__init__(text)
        self.log = log


class Stack:
    """`environment` is what every process gets; it grows as servers come up and have addresses."""

    def __init__(self, values: Mapping[str, Any], data: Path, on_death: Callable[[Death], None]) -> None:
        self.values, self.data, self._on_death = values, data, on_death
        self.environment = processes.environment(values, data)
        self.children: list[Child] = []
        self.wish = StopWish(again=self.kill)
        self._trusted: list[str] = list(values["HTTP_TRUSTED_ORIGINS"])
        self._sock: Path | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.values['PORT']}"

    # -- up

    def start_valkey(self) -> str:
        """The embedded server, unless there is another. Returns how it is reached."""
        if self.values["REDIS_URL"]:
            return _check_redis(self.values["REDIS_URL"])
        folder = self.data / "valkey"
        self._sock = sock = embedded.socket_path(folder)
        if embedded.answers(sock):
            raise CannotStart(
                f"Another server listens on {sock}, though no other Marquee runs on this folder."
            )
        child = self._start("valkey", embedded.command(embedded.find_binary(), folder=folder, sock=sock))
        self._until_up(child, lambda: embedded.answers(sock))
        self.environment["REDIS_URL"] = embedded.url(sock)
        return self.environment["REDIS_URL"]

    def start_demo(self) -> str | None:
        """The demo origin, where there is no key to the real TMDB. Returns its address."""
        if self.values["TMDB_API_KEY"]:
            return None
        port = kept_port(self.data / "demo-port")
        origin = self._start_origin("demo", processes.demo(port, self.data / "demo.json"), port)
        self.environment |= processes.demo_environment(origin)
        if not (self.values["LIBRARY_URL"] or self.environment.get("LIBRARY_URL")):
            self.environment["LIBRARY_URL"] = f"{origin}/library"
        return origin

    def start_library(self) -> str | None:
        """The folder of films in LIBRARY_DIR, if it is set, as an origin. Returns its address."""
        folder = self.values["LIBRARY_DIR"]
        if not folder:
            return None
        if self.values["LIBRARY_URL"]:
            raise CannotStart("LIBRARY_DIR and LIBRARY_URL are both set; a library is in one place.")
        if not Path(folder).is_dir():
            raise CannotStart(f"LIBRARY_DIR is {folder}, and that is no folder.")
        port = kept_port(self.data / "library-port")
        self.environment["LIBRARY_DIR"] = str(Path(folder).resolve())
        origin = self._start_origin("library", processes.folder(port), port)
        self.environment["LIBRARY_URL"] = f"{origin}/library"
        return origin

    def set_up(self) -> None:
        """Bring the data up to date: `manage.py setup`."""
        self.run("setup", processes.manage("setup"), within_s=SETUP_WITHIN_S)

    def start_product(self, *, reload: bool = False) -> None:
        """Web, worker and beat. Returns once the web server answers."""
        commands = {
            "web": processes.web(self.values["PORT"]),
            "worker": processes.worker(),
            "beat": processes.beat(),
        }
        for name, command in commands.items():
            if reload and name != "beat":
                self._start(name, processes.reloading(command), mode="pipe")  # its own child must go too
            else:
                self._start(name, command)
        web = next(child for child in self.children if child.name == "web")
        self._until_up(web, lambda: _status(self.values["PORT"], "/healthz") == 200)

    def run(self, name: str, command: list[str], *, within_s: float) -> None:
        """Run a command to its end, its words into the log. Raises Failed."""
        log = self.data / "logs" / f"{name}.log"
        with log.open("wb") as output:
            process = spawn(command, env=self.environment, cwd=BASE_DIR, output=output)
        give_up = time.monotonic() + within_s
        try:
            while process.poll() is None and time.monotonic() < give_up:
                self.look_after()
        finally:
            end(process, (signal.SIGTERM, 2.0))
        if process.returncode != 0:
            raise Failed(f"{name} failed with exit code {process.returncode}.", log)

    # -- meanwhile

    def look_after(self) -> None:
        """One round: start again what died. Raises Stopped when asked to stop."""
        for child in self.children:
            if death := child.tick():
                self._on_death(death)
        self.wish.pause()

    # -- down

    def stop(self) -> Iterator[str]:
        """Stop first the product, side by side, then the servers that it leans on. Yields each name."""
        product = [child for child in self.children if child.name in processes.PROCESSES]
        for child in product:
            child.ask_to_stop()
        for child in [*product, *(child for child in reversed(self.children) if child not in product)]:
            child.stop()
            yield child.name
        if self._sock:
            embedded.clear(self._sock, temporary=self._sock.parent != self.data / "valkey")

    def kill(self) -> None:
        for child in self.children:
            child.kill()

    # -- inside

    def _start_origin(self, name: str, command: list[str], port: int) -> str:
        """A server of streams on this machine, which Marquee may call although its address is private."""
        child = self._start(name, command)
        self._until_up(child, lambda: _status(port, "/") is not None)
        origin = f"http://127.0.0.1:{port}"
        self._trusted.append(origin)
        self.environment["HTTP_TRUSTED_ORIGINS"] = ",".join(self._trusted)
        return origin

    def _start(self, name: str, command: list[str], *, mode: str = MODE) -> Child:
        child = Child(
            name,
            command,
            env=self.environment,
            cwd=BASE_DIR,
            logs=self.data / "logs",
            stop_with=PATIENCE.get(name, ((signal.SIGTERM, 4.0),)),
            mode=mode,
        )
        self.children.append(child)
        child.start()
        return child

    def _until_up(self, child: Child, up: Callable[[], bool]) -> None:
        """Look after everything until `child` is up. Raises Failed if it keeps dying or time is up."""
        give_up = time.monotonic() + UP_WITHIN_S
        while not up():
            if child.deaths >= HOPELESS_AFTER:
                raise Failed(f"{child.name} ended {child.deaths} times in a row.", child.log)
            if time.monotonic() > give_up:
                raise Failed(f"{child.name} does not answer after {UP_WITHIN_S:.0f} s.", child.log)
            self.look_after()


def _status(port: int, path: str) -> int | None:
    """The status of a GET on this machine, or None while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _check_redis(url: str) -> str:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        problem = f"REDIS_URL is set, but no server answers there ({type(error).__name__})"
        raise CannotStart(f"{problem}. Start it, or unset REDIS_URL to have one embedded.") from error
    return "REDIS_URL"
