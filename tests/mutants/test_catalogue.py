"""The catalogue of mutants fits the tree of today: it cannot rot between two runs of `make mutants`."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from streaming.policy_types import Reason
from tests.mutants import bench
from tests.mutants.bench import Outcome
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant, Stale

TREE = Path(__file__).resolve().parents[2]
NAMES = [mutant.name for mutant in MUTANTS]


def test_every_mutant_applies_and_is_a_program() -> None:
    for mutant in MUTANTS:
        assert mutant.text != mutant.replacement, mutant.name
        assert mutant.tests, mutant.name
        ast.parse(mutant.applied(TREE), mutant.name)


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []


@pytest.mark.parametrize("takes", [*(f"step {number}" for number in range(1, 6)), *Reason])
def test_each_step_of_a_turn_and_each_reason_of_the_policy_is_taken_away(takes: str) -> None:
    assert takes in {mutant.takes for mutant in MUTANTS}


def test_every_named_test_exists() -> None:
    named = {test for mutant in MUTANTS for test in mutant.tests}
    files = sorted({test.partition("::")[0] for test in named})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    collected = subprocess.run(command, cwd=TREE, capture_output=True, text=True, timeout=100)
    there = collected.stdout.splitlines()
    assert sorted(test for test in named if not bench.matching(test, there)) == []


def test_a_mutant_whose_text_is_gone_or_ambiguous_says_so(tmp_path: Path) -> None:
    mutant = Mutant(name="none", file="a.py", text="if x:", replacement="", tests=("a",))
    for source in ("", "if x:\n    if x:\n"):
        (tmp_path / "a.py").write_text(source)
        with pytest.raises(Stale, match="no longer applies"):
            mutant.applied(tmp_path)


PURE = "tests/streaming/test_policy_table.py::test_the_rule_holds[broken is ineligible]"


def made(name: str, text: str, replacement: str, test: str = PURE) -> Mutant:
    return Mutant(name=name, file="streaming/policy.py", text=text, replacement=replacement, tests=(test,))


def test_what_is_killed_survives_goes_stale_or_shows_nothing_is_told_apart(tmp_path: Path) -> None:
    broken, nobody = "if c.health is Health.BROKEN:", "tests/streaming/test_policy_table.py::test_nobody"
    mutants = {
        Outcome.KILLED: made("noticed", broken, "if False:"),
        Outcome.SURVIVED: made(
            "not noticed", "URL_MARGIN = timedelta(hours=24)", "URL_MARGIN = timedelta(0)"
        ),
        Outcome.STALE: made("moved", "if c.health is Health.DEAD:", "if False:"),
        Outcome.INVALID: made("no program", broken, "if no_such_name:"),
    }
    with bench.bench(TREE, tmp_path) as one:
        assert one.failing([PURE]) == {}
        assert one.failing([nobody]) == {nobody: "it did not run"}
        assert {one.tries(mutant).outcome: mutant for mutant in mutants.values()} == mutants
        for mutant in (
            made("does not load", "from datetime import datetime, timedelta", "from datetime import nothing"),
            made("a test that is none", broken, "if False:", nobody),
        ):
            assert one.tries(mutant).outcome is Outcome.INVALID
        assert one.failing([PURE]) == {}, "each change is taken back"
