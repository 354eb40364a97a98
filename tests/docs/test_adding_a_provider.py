"""docs/adding-a-provider.md, done as it says in a copy of the tree: the conformance kit holds the result."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/adding-a-provider.md").read_text()
TOUCHED = re.findall(r"^\| `([^`]+)` \|", TEXT, re.M)
ROOMS = ("config", "core", "docs", "ingestion", "providers", "streaming", "templates", "tests")
FILES = ("CHANGELOG.md", "pyproject.toml", "manage.py", "Makefile")

pytestmark = pytest.mark.timeout(600)


def steps() -> list[tuple[str, str, str]]:
    """Each block of the page that goes into a file: which file, the kind of block, its text."""
    return [
        (file, kind, block)
        for file, rest in re.findall(
            r"^(?:In )?`([\w./-]+)`,(.*?)(?=^(?:In )?`[\w./-]+`,|^## |\Z)", TEXT, re.M | re.S
        )
        for kind, block in re.findall(r"^```(\w+)$\n(.*?)^```$", rest, re.M | re.S)
    ]


def applied(text: str, diff: str) -> str:
    """The text with a block of " ", "-" and "+" lines applied, in the one place where it fits."""
    lines = [line or " " for line in diff.splitlines()]
    old = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    new = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    assert text.count(old) == 1, f"this is not, or not once, in the file:\n{old}"
    return text.replace(old, new)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree with everything done that the page says."""
    tree = tmp_path_factory.mktemp("tree")
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, tree / room, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    for file in FILES:
        shutil.copy(ROOT / file, tree)
    for file, kind, block in steps():
        path = tree / file
        assert path.exists() is (kind == "diff"), file
        path.write_text(applied(path.read_text(), block) if kind == "diff" else block)
    return tree


def run(tree: Path, *command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=tree, capture_output=True, text=True, timeout=500, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_it_takes_five_files_at_most_and_they_are_those_of_the_table() -> None:
    assert 0 < len(TOUCHED) <= 5
    assert list(dict.fromkeys(file for file, _, _ in steps())) == TOUCHED


def test_the_conformance_kit_holds_the_new_adapter(copy: Path) -> None:
    (command,) = re.findall(r"^\.venv/bin/python -m (pytest .+)$", TEXT, re.M)
    code, said = run(copy, *command.split(), "-q", "-p", "no:cacheprovider")
    assert code == 0, said
    passed = re.search(r"(\d+) passed", said)
    assert passed
    assert int(passed[1]) > 25, "every rule, and that it is registered"


def test_the_new_adapter_is_in_the_projects_own_style(copy: Path) -> None:
    for command in (("ruff", "check"), ("ruff", "format", "--check")):
        code, said = run(
            copy, *command, "--no-cache", "providers/adapters/cinetheque.py", "providers/registry.py"
        )
        assert code == 0, said
