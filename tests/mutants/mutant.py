"""A mutant: one guard, step or rule taken away, and the tests that must notice.

Data alone: nothing is tried here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class Stale(Exception):
    """The text that a mutant changes is not in its file exactly once: it says nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`text`, which occurs once in `file`, becomes `replacement`; then each of `tests` has to fail.

    `takes` names what is taken away where a list of such things has to be complete: "step 3", or a code of
    the policy. A test with parameters that is named without them fails when it fails for any of them.
    """

    name: str
    file: str
    text: str
    replacement: str
    tests: tuple[str, ...]
    takes: str = ""

    def applied(self, root: Path) -> str:
        """The file's text with the change made. Raises Stale."""
        source = (root / self.file).read_text()
        if (count := source.count(self.text)) != 1:
            raise Stale(
                f"mutant {self.name!r} no longer applies: {self.file} has {count} times\n{self.text}\n"
                "Change the mutant with the code, or drop it with the rule."
            )
        return source.replace(self.text, self.replacement)


def mutants_of(file: str, *, tests: str = "") -> Callable[..., Mutant]:
    """A short way to write mutants of one file. `tests` is the file of those that are named without one."""

    def mutant(name: str, text: str, replacement: str, *killers: str, takes: str = "") -> Mutant:
        named = tuple(killer if "::" in killer else f"{tests}::{killer}" for killer in killers)
        return Mutant(name=name, file=file, text=text, replacement=replacement, tests=named, takes=takes)

    return mutant
