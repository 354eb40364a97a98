"""`python -m tests.soak --movies 5000 --workers 4 --kills 20 --restarts 2 --seed 1`: a soak and its figures.

It works in a database of its own, and ends with 1 if anything was violated. On another layout:
`python -m tests.databases postgres -- python -m tests.soak`.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.soak import stage


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--movies", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=20, help="of workers, by SIGKILL")
    parser.add_argument("--restarts", type=int, default=2, help="of the broker, by SIGKILL or SIGTERM")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hurry", action="store_true", help="leases and ticks of seconds, not minutes")
    given = parser.parse_args()
    say(f"seed {given.seed}: {given.movies} movies, {given.workers} workers")
    with stage.running(movies=given.movies, hurry=given.hurry) as it:
        return _soak(given, it)


def _soak(given: argparse.Namespace, it: stage.Stage) -> int:
    from tests.soak import checks
    from tests.soak.report import table
    from tests.soak.story import Plan, Story, Stuck

    plan = Plan(
        movies=given.movies,
        workers=given.workers,
        kills=given.kills,
        restarts=given.restarts,
        seed=given.seed,
        hurry=given.hurry,
    )
    began, story, stuck = time.monotonic(), Story(plan, it, say), ""
    try:
        story.play()
    except Stuck as error:
        stuck = str(error)
    took = time.monotonic() - began
    queued, unacknowledged = checks.held_by(it.valkey.url)
    seen = checks.Seen(
        asked=story.asked, journal=it.journal.lines(), queued=queued, unacknowledged=unacknowledged
    )
    violations = {name: list(check(seen)) for name, check in checks.ALL.items()}
    say(table(seen, violations, took))
    if story.ended_by_itself:
        say(f"{len(story.ended_by_itself)} workers ended by themselves, and others took their place")
    if stuck:
        say(f"{stuck}\n{it.said()}")
    return 1 if stuck or any(violations.values()) else 0


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a command


if __name__ == "__main__":
    sys.exit(main())
