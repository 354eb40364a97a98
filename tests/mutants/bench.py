"""A private copy of the tree, in which one mutant at a time is tried. The tree itself is never written to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutants.mutant import Mutant, Stale

LEFT_OUT = shutil.ignore_patterns(
    ".*", "__pycache__", "var", "staticfiles", "test-results", "docs", "htmlcov", "node_modules"
)
NO_KILL = {"ImportError", "IndentationError", "ModuleNotFoundError", "NameError", "SyntaxError"}
"""What a test fails with when the mutant is no program at all: that shows nothing."""


class Outcome(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    STALE = "no longer applies"
    INVALID = "shows nothing"


class Trial(NamedTuple):
    """A mutant and what became of it; `detail` explains all but a kill."""

    mutant: Mutant
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True)
class Bench:
    """A copy of the tree beside a warm process that runs tests in it."""

    root: Path
    warm: subprocess.Popen[str]

    def failing(self, tests: Iterable[str]) -> dict[str, str]:
        """Run tests on the unchanged copy: those that do not pass, and how."""
        wanted = sorted(set(tests))
        found = self._run(wanted, keep_bytecode=True)
        unheard = {test for test in wanted if not matching(test, [*found["passed"], *found["failed"]])}
        return found["failed"] | dict.fromkeys(unheard, "it did not run")

    def tries(self, mutant: Mutant) -> Trial:
        """Make the change, run the tests that must notice, and take the change back."""
        try:
            mutated = mutant.applied(self.root)
        except Stale as stale:
            return Trial(mutant, Outcome.STALE, str(stale))
        with _changed(self.root / mutant.file, mutated):
            found = self._run(mutant.tests, keep_bytecode=False)
        return _judged(mutant, found)

    def _run(self, tests: Iterable[str], *, keep_bytecode: bool) -> dict[str, Any]:
        answer, log = self.root / "mutant.json", self.root / "mutant.log"
        answer.unlink(missing_ok=True)
        request = {"tests": list(tests), "answer": str(answer), "log": str(log)}
        assert self.warm.stdin is not None
        assert self.warm.stdout is not None
        self.warm.stdin.write(json.dumps(request | {"keep_bytecode": keep_bytecode}) + "\n")
        self.warm.stdin.flush()
        if not self.warm.stdout.readline():
            raise RuntimeError("The process that runs the tests has ended.")
        said = {"log": log.read_text() if log.exists() else ""}
        return said | (json.loads(answer.read_text()) if answer.exists() else {"code": -1, "failed": {}})


@contextmanager
def bench(tree: Path, folder: Path) -> Iterator[Bench]:
    """Copy `tree` into `folder`, and run tests there, on SQLite, until the block ends."""
    root = folder / "tree"
    shutil.copytree(tree, root, ignore=LEFT_OUT)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("TEST_", "PYTEST_"))
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["CI"] = "true"
    command = [sys.executable, "-m", "tests.mutants.warm"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=root, env=environment, text=True, stdin=pipe, stdout=pipe) as warm:
        try:
            yield Bench(root, warm)
        finally:
            warm.kill()


@contextmanager
def _changed(file: Path, text: str) -> Iterator[None]:
    """`file` with another text, and another time: else Python would take the bytecode of the one before."""
    before, stat = file.read_text(), file.stat()
    file.write_text(text)
    os.utime(file, (stat.st_atime, stat.st_mtime + 10))
    try:
        yield
    finally:
        file.write_text(before)
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _judged(mutant: Mutant, found: dict[str, Any]) -> Trial:
    failed, tail = found["failed"], "\n".join(found["log"].splitlines()[-15:])
    if survivors := [test for test in mutant.tests if not matching(test, failed)]:
        if found["code"] in (0, 1) and all(matching(test, found["passed"]) for test in survivors):
            return Trial(mutant, Outcome.SURVIVED, "These still pass: " + ", ".join(survivors))
        return Trial(mutant, Outcome.INVALID, f"A named test did not come to its own code:\n{tail}")
    if broken := {test: kind for test, kind in failed.items() if kind in NO_KILL}:
        return Trial(mutant, Outcome.INVALID, f"The changed file is no program: {broken}")
    return Trial(mutant, Outcome.KILLED)


def matching(test: str, nodes: Iterable[str]) -> list[str]:
    """The nodes that `test` names: itself, or itself with any parameters."""
    return [node for node in nodes if node == test or node.startswith(f"{test}[")]
