"""How fast a database that is away is noticed, and how soon all is well again once it is back.

`python -m benchmarks.recovery [sqlite|postgres|mongodb ...]`: web, worker and beat as in life, the limits of
`.env.example`, a database that is frozen, killed or locked. Read the ratios to the limits, not the times.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import django
import redis

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from config.env import VARIABLES  # noqa: E402
from tests.faults import stack  # noqa: E402
from tests.faults.stack import Fault, Marquee  # noqa: E402

NAMES = ("DATABASE_CONNECT_TIMEOUT_S", "DATABASE_TIMEOUT_S")
LIMITS = {variable.name: str(variable.default) for variable in VARIABLES if variable.name in NAMES}
AT_ONCE, LOGINS_AT_ONCE = 32, 9
LATER = 5
COLUMNS = ("first", "later", f"{AT_ONCE} at once", "healthz", "readyz", "back", "event", "job")
HEAD = """By {0} and {1}.
first: the first request after it began; later: the median of five; {at_once} at once: the slowest of them
back: from its end to the first answer; event: to a viewer who was there; job: to the end of one at work
"""


def timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def measure(marquee: Marquee, fault: Fault) -> list[float]:
    method, path = marquee.layout.refused[0]
    film = marquee.new_film()
    login = {"username": "ada", "password": stack.PASSWORD} if method == "POST" else None

    def ask() -> int:
        return marquee.ask(method, path.format(film=film), json=login).status_code

    def forgiven() -> None:
        """Logins are ten a minute, and here as many as we like."""
        with redis.Redis.from_url(marquee.valkey) as valkey:
            for key in valkey.scan_iter("*throttle:login*"):
                valkey.delete(key)

    def refused() -> float:
        began = time.monotonic()
        assert ask() == 503
        return time.monotonic() - began

    def answered() -> None:
        while ask() != 200:
            forgiven()
            time.sleep(0.05)

    forgiven()
    with marquee.watch(film) as events:
        events.next()
        run = begin_job(marquee, film)
        ask()
        with fault():
            marquee.world.open.set()
            figures = [refused(), statistics.median(refused() for _ in range(LATER))]
            forgiven()
            with ThreadPoolExecutor(AT_ONCE) as clients:
                asked = [clients.submit(refused) for _ in range(AT_ONCE if login is None else LOGINS_AT_ONCE)]
                alive = max(timed(lambda: marquee.ask("GET", "/healthz")) for _ in range(10))
                figures += [max(each.result() for each in asked), alive]
            figures.append(timed(lambda: marquee.ask("GET", "/readyz")))
        ended = time.monotonic()
        answered()
        figures.append(time.monotonic() - ended)
        events.next()
        figures.append(time.monotonic() - ended)
    marquee.until(lambda: marquee.run(DONE, film=film, run=run), "at the end of the job")
    return [*figures, time.monotonic() - ended]


def begin_job(marquee: Marquee, film: int) -> str:
    """A run that waits for the library, and will write when the database is away."""
    marquee.world.open.clear()
    marquee.world.knocked.clear()
    marquee.better(film)
    run = marquee.queue(film)
    marquee.until(marquee.world.knocked.is_set, "searching")
    return run


def row(name: str, cells: list[str]) -> None:
    print(f"{name:<18}" + "".join(f"{cell:>16}" for cell in cells), flush=True)  # noqa: T201


def main(*layouts: str) -> None:
    limits = [f"{name}={LIMITS[name]}" for name in NAMES]
    print(HEAD.format(*limits, at_once=AT_ONCE))  # noqa: T201
    row("seconds (x limit)", list(COLUMNS))
    for name in layouts or stack.LAYOUTS:
        with stack.running(name, LIMITS) as marquee:
            limit = float(LIMITS[NAMES[name == "sqlite"]])
            for what, fault in marquee.layout.faults.items():
                figures = measure(marquee, fault)
                row(f"{name} {what}", [f"{figure:.2f} ({figure / limit:.2f})" for figure in figures])


DONE = """
run = IngestRun.objects.filter(movie_id=film, pk__gte=run).order_by("-pk").first()
result = run.status == "succeeded"
"""

if __name__ == "__main__":
    main(*sys.argv[1:])
