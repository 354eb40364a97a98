"""`python -m tests.mutants`: take each guard, step and rule away, one at a time, and see a named test fail.

Exit code 0 only if every mutant was killed. `-k word` tries those whose name, file or test has the word.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue

from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from tests.mutants.bench import Bench, Outcome, Trial, bench
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant

TREE = Path(__file__).resolve().parents[2]
COLOURS = {Outcome.KILLED: "green", Outcome.SURVIVED: "bold red"}


def main(words: Sequence[str] | None = None) -> int:
    """Exit code 0: all killed; 1: not all; 2: the tests fail even without a mutant, or there is none."""
    options = _options(words)
    console = Console() if sys.stdout.isatty() else Console(width=170)
    chosen = [mutant for mutant in MUTANTS if _mentions(mutant, options.k)]
    if not chosen:
        console.print(f"No mutant has {options.k!r} in its name, file or tests.")
        return 2
    if options.list:
        console.print(_listed(chosen))
        return 0
    began = time.monotonic()
    with _benches(options.jobs) as benches:
        if failed := _unfit(benches, chosen):
            console.print("These tests fail without any mutant, so nothing can be learnt from them:")
            console.print("\n".join(f"  {test}: {why}" for test, why in failed.items()), markup=False)
            return 2
        trials = _tried(console, benches, chosen)
    console.print(_table(trials))
    return _summed_up(console, trials, time.monotonic() - began)


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("-k", metavar="WORD", default="", help="only those with this word")
    parser.add_argument("--list", action="store_true", help="say what there is, and try nothing")
    parser.add_argument("-n", "--jobs", type=int, choices=range(1, 9), default=2, help="how many at once (2)")
    return parser.parse_args(words)


def _mentions(mutant: Mutant, word: str) -> bool:
    return any(word.casefold() in text.casefold() for text in (mutant.name, mutant.file, *mutant.tests))


@contextmanager
def _benches(count: int) -> Iterator[SimpleQueue[Bench]]:
    """So many copies of the tree, whichever is free first. Gone with the block."""
    free: SimpleQueue[Bench] = SimpleQueue()
    with tempfile.TemporaryDirectory(prefix="marquee-mutants-") as folder, ExitStack() as stack:
        for number in range(count):
            free.put(stack.enter_context(bench(TREE, Path(folder) / str(number))))
        yield free


def _unfit(benches: SimpleQueue[Bench], chosen: list[Mutant]) -> dict[str, str]:
    """The named tests that fail on the tree as it is. Each copy runs its share of them, and is warm then."""
    tests = sorted({test for mutant in chosen for test in mutant.tests})
    count = benches.qsize()

    def share(number: int) -> dict[str, str]:
        with _one(benches) as free:
            return free.failing(tests[number::count])

    with ThreadPoolExecutor(count) as pool:
        return {test: why for failed in pool.map(share, range(count)) for test, why in failed.items()}


def _tried(console: Console, benches: SimpleQueue[Bench], chosen: list[Mutant]) -> list[Trial]:
    def trial(mutant: Mutant) -> Trial:
        with _one(benches) as free:
            return free.tries(mutant)

    with ThreadPoolExecutor(benches.qsize()) as pool:
        trials = pool.map(trial, chosen)
        return list(track(trials, "Trying mutants", total=len(chosen), console=console, transient=True))


@contextmanager
def _one(benches: SimpleQueue[Bench]) -> Iterator[Bench]:
    free = benches.get()
    try:
        yield free
    finally:
        benches.put(free)


def _listed(mutants: list[Mutant]) -> Table:
    table = Table("File", "Without it", "It must be noticed by", box=box.SIMPLE_HEAD)
    for mutant in mutants:
        table.add_row(Text(mutant.file), Text(mutant.name), _read(mutant.tests))
    return table


def _table(trials: list[Trial]) -> Table:
    table = Table("File", "Without it", "It was", "It must be noticed by", box=box.SIMPLE_HEAD)
    for mutant, outcome, _ in trials:
        colour = COLOURS.get(outcome, "bold yellow")
        table.add_row(Text(mutant.file), Text(mutant.name), Text(outcome, colour), _read(mutant.tests))
    return table


def _read(tests: Sequence[str]) -> Text:
    """Tests as sentences: a row of a table is one by itself."""
    names = (test.partition("::")[2] for test in tests)
    return Text("\n".join(re.sub(r"^test_the_rule_holds\[(.*)\]$", r"\1", name) for name in names))


def _summed_up(console: Console, trials: list[Trial], seconds: float) -> int:
    alive = [trial for trial in trials if trial.outcome is not Outcome.KILLED]
    for trial in alive:
        console.print(f"{trial.outcome}: {trial.mutant.name} ({trial.mutant.file})", markup=False)
        console.print(trial.detail, markup=False, highlight=False)
    killed = len(trials) - len(alive)
    console.print(f"{killed} of {len(trials)} mutants killed in {seconds:.0f} s.")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main())
