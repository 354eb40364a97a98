"""One process or command in the foreground, with the addresses of the `make run` at work on the same data."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from config.env import BASE_DIR
from config.supervisor import processes
from config.supervisor.children import end, spawn
from config.supervisor.console import Terminal
from config.supervisor.instance import CannotStart, check_port, only_one, running
from config.supervisor.signals import Stopped
from config.supervisor.stack import Stack

COMMANDS = ("web", "worker", "beat", "shell", "ingest-once")
_NEED_BROKER = ("worker", "beat")


def run(
    what: str, rest: Sequence[str], values: Mapping[str, Any], data: Path, terminal: Terminal, *, reload: bool
) -> int:
    """Become `what`. Only ingest-once starts servers of its own where none run, and stops them again."""
    holder = running(data)
    if what == "ingest-once" and holder is None:
        return _ingest_alone(rest, values, data, terminal)
    if what in _NEED_BROKER and holder is None and not values["REDIS_URL"]:
        raise CannotStart(
            f"{what} needs a broker, and none runs: start `make run` in another terminal, or set REDIS_URL."
        )
    if what == "web":
        check_port(values["PORT"])
    environment = {**processes.environment(values, data), **(holder.environment if holder else {})}
    environment["PORT"] = str(values["PORT"])
    command = [*_command(what, values), *rest]
    return _become(processes.reloading(command) if reload else command, environment)


def _become(command: list[str], environment: Mapping[str, str]) -> NoReturn:
    """Replace this process, so that signals and exit codes are the command's own."""
    os.chdir(BASE_DIR)
    os.execvpe(command[0], command, environment)


def _command(what: str, values: Mapping[str, Any]) -> list[str]:
    commands: dict[str, Callable[[], list[str]]] = {
        "web": lambda: processes.web(values["PORT"]),
        "worker": processes.worker,
        "beat": processes.beat,
        "shell": lambda: processes.manage("shell"),
        "ingest-once": lambda: processes.manage("ingest_once"),
    }
    return commands[what]()


def _ingest_alone(rest: Sequence[str], values: Mapping[str, Any], data: Path, terminal: Terminal) -> int:
    """Bring up what `ingest_once` leans on, run it in this terminal, take everything down again."""
    with only_one(data):
        stack = Stack(values, data, on_death=terminal.died)
        stack.wish.listen()
        try:
            stack.start_valkey()
            stack.start_library()
            stack.start_demo()
            stack.set_up()
            return _attached([*processes.manage("ingest_once"), *rest], stack)
        except Stopped:
            return 130
        finally:
            for _ in stack.stop():
                pass


def _attached(command: Sequence[str], stack: Stack) -> int:
    """Run with its output in this terminal. Ctrl-C comes to us, and is passed on."""
    process = spawn(command, env=stack.environment, cwd=BASE_DIR)
    try:
        while process.poll() is None:
            stack.look_after()
    finally:
        end(process, (signal.SIGINT, 10.0))
    return process.returncode
