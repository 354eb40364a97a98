"""The processes of Marquee: their command lines, and the environment in which they differ. Starts nothing."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from config.env import BASE_DIR

PACKAGES = ("config", "core", "streaming", "providers", "ingestion")
PROCESSES = ("web", "worker", "beat")


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", *arguments]


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(BASE_DIR / "manage.py"), *arguments]


def web(port: int) -> list[str]:
    """One process: what viewers hang on fans out in its memory."""
    return _serving("config.asgi:application", port)


def worker() -> list[str]:
    """Threads: the jobs wait for other machines, and the pool has no child that could be left behind."""
    return python(
        *("celery", "-A", "config", "worker", "--pool", "threads", "--concurrency", "8"),
        *("--loglevel", "INFO", "--without-gossip", "--without-mingle"),
    )


def beat() -> list[str]:
    """One or several: a window fires once however many there are (CELERY_BEAT_SCHEDULER)."""
    return python("celery", "-A", "config", "beat", "--loglevel", "INFO", "--pidfile=")


def demo(port: int, state: Path) -> list[str]:
    return python("demo.origin", "--port", str(port), "--state", str(state))


def folder(port: int) -> list[str]:
    return _serving("config.folder:application", port)


def reloading(command: Sequence[str]) -> list[str]:
    """The same command, started again whenever a Python file changes."""
    folders = [str(BASE_DIR / package) for package in PACKAGES]
    return python("watchfiles", "--filter", "python", "--sigint-timeout", "5", shlex.join(command), *folders)


def environment(values: Mapping[str, Any], data: Path) -> dict[str, str]:
    """What every process gets: ours, the data folder, and the project on its import path."""
    paths = [str(BASE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"},
        "DATA_DIR": str(data),
        "PORT": str(values["PORT"]),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def demo_environment(origin: str) -> dict[str, str]:
    """The addresses of the demo: all that sets it apart from production."""
    return {
        "TMDB_API_KEY": "demo",
        "TMDB_BASE_URL": f"{origin}/3",
        "TMDB_IMAGE_BASE_URL": f"{origin}/t/p/",
    }


def _serving(application: str, port: int) -> list[str]:
    """An ASGI application on this machine's own address. What is open at the end gets 2 s.

    Whom proxies speak for is the application's to say (TRUSTED_PROXIES): uvicorn would believe this machine.
    """
    return python(
        "uvicorn",
        application,
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--timeout-graceful-shutdown", "2", "--no-access-log", "--no-server-header"),
        "--no-proxy-headers",
    )
