"""`python -m tests.simulation --movies 1000 --hours 24 --seed 1`: a simulated day and its figures.

It works in databases of its own, which it makes and removes, and ends with 1 if an invariant was violated.
`python -m tests.databases postgres -- python -m tests.simulation` lives it on another layout.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--movies", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=26)
    given = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    with _installation():
        return _live(given)


@contextmanager
def _installation() -> Iterator[None]:
    """Databases and a broker for this day alone."""
    from django.conf import settings
    from django.test.utils import setup_databases, teardown_databases

    from config.databases import DOCUMENTS
    from tests import expiry, servers

    folder = Path(settings.DATA_DIR) / "valkey"
    folder.mkdir()
    databases = setup_databases(verbosity=0, interactive=False)
    if DOCUMENTS in settings.DATABASES:
        expiry.stay(DOCUMENTS)
    try:
        with servers.valkey(folder):
            yield
    finally:
        teardown_databases(databases, verbosity=0)


def _live(given: argparse.Namespace) -> int:
    from tests.simulation.day import Day
    from tests.simulation.report import table

    def say(line: str) -> None:
        print(line, flush=True)  # noqa: T201 - this is a command

    say(f"seed {given.seed}: {given.movies} movies, {given.hours:g} hours")
    began, day = time.monotonic(), Day(given.seed, movies=given.movies, hours=given.hours, kills=given.kills)
    day.run(say=say)
    say(table(day, time.monotonic() - began))
    return 1 if day.violations else 0


if __name__ == "__main__":
    sys.exit(main())
