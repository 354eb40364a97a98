"""`python -m config.supervisor` runs everything; with a name it runs that one process in the foreground.

The Makefile's targets are these commands. This module says what happens; `stack` does it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config import env
from config.supervisor import foreground
from config.supervisor.console import Terminal
from config.supervisor.instance import CannotStart, Running, check_port, data_dir, only_one, tell
from config.supervisor.signals import Stopped
from config.supervisor.stack import Failed, Stack

DEMO_PREVIEW = (
    "Films appear on the catalogue within a minute. Leave one playing: over the next five minutes streams "
    "get better while they play, one breaks and is replaced, and one that claims 2160p is found to be 1080p."
)


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    terminal = Terminal()
    try:
        values = env.read()
        data = data_dir(values["DATA_DIR"])
        if arguments.what == "all":
            return run_all(values, data, terminal, reload=arguments.reload)
        return foreground.run(arguments.what, arguments.rest, values, data, terminal, reload=arguments.reload)
    except (CannotStart, ImproperlyConfigured, ValueError) as error:
        terminal.error(str(error))
        if isinstance(error, Failed):
            terminal.quote(error.log)
        return 1


def run_all(values: dict[str, Any], data: Path, terminal: Terminal, *, reload: bool) -> int:
    """Everything, until somebody asks us to stop. Raises CannotStart."""
    began = time.monotonic()
    if reload:
        os.environ.setdefault("DEBUG", "true")
    with only_one(data) as lock:
        check_port(values["PORT"])
        stack = Stack(values, data, on_death=terminal.died)
        stack.wish.listen()
        terminal.title("Marquee", f"starting, with its data in {shown(data)}")
        try:
            demo = _bring_up(stack, terminal, reload=reload)
            tell(lock, Running(pid=os.getpid(), url=stack.url, environment=_added(stack)))
            _say_ready(stack, terminal, demo=demo, seconds=time.monotonic() - began, reload=reload)
            while True:
                stack.look_after()
        except Stopped:
            terminal.say("\nStopping (once more Ctrl-C stops at once) ...")
        finally:
            began = time.monotonic()
            names = list(stack.stop())
        seconds = time.monotonic() - began
        terminal.say(f"Stopped {', '.join(names)} in {seconds:.1f} s. The data stays in {shown(data)}.")
    return 0


def _bring_up(stack: Stack, terminal: Terminal, *, reload: bool) -> str | None:
    """Every process, in the order of who needs whom. Returns the demo's address, if there is one."""
    terminal.step("valkey", stack.start_valkey())
    if library := stack.start_library():
        terminal.step("library", library)
    demo = stack.start_demo()
    terminal.step("demo" if demo else "tmdb", demo or stack.values["TMDB_BASE_URL"])
    stack.set_up()
    terminal.step("setup", "database, schedule and first account are in place")
    stack.start_product(reload=reload)
    terminal.step(
        "product", "web, worker and beat run" + (", and start again when code changes" if reload else "")
    )
    return demo


def _say_ready(stack: Stack, terminal: Terminal, *, demo: str | None, seconds: float, reload: bool) -> None:
    logs = shown(stack.data / "logs")
    terminal.title("Marquee is ready", f"after {seconds:.0f} s")
    rows = [
        ("Catalogue", f"{stack.url}/"),
        ("Admin", f"{stack.url}/admin/"),
        ("Sign in", _sign_in(stack.data, terminal)),
        ("Logs", f"{logs}/<name>.log: {', '.join(child.name for child in stack.children)}"),
        ("Stop", "Ctrl-C. The data stays; the same command goes on with it."),
    ]
    if demo:
        streams = stack.environment["LIBRARY_URL"]
        then = DEMO_PREVIEW if streams.startswith(demo) else f"Streams come from your library at {streams}."
        rows.append(("Demo", f"No TMDB_API_KEY is set, so films and answers come from {demo}. {then}"))
    terminal.table(rows)


def _sign_in(data: Path, terminal: Terminal) -> str:
    """The first account. A person at a terminal sees the password; a log sees where it is kept."""
    kept = data / "admin-password"
    if not kept.exists():
        return "with an account of yours (python manage.py createsuperuser makes one)"
    if terminal.interactive:
        return f"admin / {kept.read_text().strip()}   (kept in {shown(kept)})"
    return f"admin, the password is in {shown(kept)}"


def _added(stack: Stack) -> dict[str, str]:
    """What the stack's processes got beyond our own environment: addresses, for other commands to use."""
    return {name: value for name, value in stack.environment.items() if os.environ.get(name) != value}


def shown(path: Path) -> str:
    """A path as a person here would type it."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m config.supervisor", description=__doc__)
    parser.add_argument("--reload", action="store_true", help="start again whenever a Python file changes")
    parser.add_argument("what", nargs="?", default="all", choices=["all", *foreground.COMMANDS])
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="more arguments for that command")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
