"""What the documents say exists: commands, files, variables. A page that goes stale fails here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands

from config import env
from core import options

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.M))
OWED = {
    *("install", "run", "dev", "test", "check", "lint", "types", "migrations-check", "serve", "worker"),
    *("worker-dev", "beat", "ingest-once", "shell", "demo-media", "screenshots", "clean", "help"),
}

documents = pytest.mark.parametrize("document", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


@documents
def test_every_make_target_named_exists(document: Path) -> None:
    named = set(re.findall(r"(?:^|`|… )make ([a-z][a-z-]+)", document.read_text(), re.M))
    assert named <= TARGETS


@documents
def test_every_management_command_named_exists(document: Path) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", document.read_text()))
    assert named <= set(get_commands())


@documents
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@documents
def test_every_anchor_has_its_heading(document: Path) -> None:
    text = document.read_text()
    missing = []
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", text):
        target = (document.parent / link).read_text() if link else text
        headings = re.findall(r"^#+ (.+)$", target, re.M)
        if anchor not in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}:
            missing.append(f"{link}#{anchor}")
    assert missing == []


@pytest.mark.parametrize("room", ["core", "providers", "streaming", "streaming/live", "ingestion", "config"])
def test_every_module_is_on_the_map(room: str) -> None:
    text = (ROOT / "docs/architecture.md").read_text().split("## Modules")[1].split("\n## ")[0]
    part = text.split(f"`{room.partition('/')[0]}`\n", 1)[1].split("\n\n`")[0]
    modules = {path.stem for path in (ROOT / room).glob("*.py")} - {"__init__", "apps", "admin"}
    assert modules - set(re.findall(r"`(\w+)/?`", part)) == set()


def test_every_target_owed_is_there_and_has_its_line_of_help() -> None:
    helped = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert OWED <= TARGETS
    assert [target for target in OWED if f"make {target} " not in helped.stdout] == []


def test_the_example_environment_is_what_the_code_reads() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "config.env"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert (ROOT / ".env.example").read_text() == made.stdout == env.example()


@pytest.mark.parametrize("name", [*(v.name for v in env.VARIABLES), *options.NAMES])
def test_every_variable_is_in_the_example_with_help_above_it(name: str) -> None:
    assert re.search(rf"^# .{{10,}}\n#{name}=", (ROOT / ".env.example").read_text(), re.M)


def test_the_first_screen_of_the_readme_says_shows_and_runs_it() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:24])
    assert re.search(r"!\[[^]]{10,}\]\(docs/images/", first_screen)
    assert "make run" in first_screen
    assert "make test" in first_screen
    assert "uses the TMDB API but is not endorsed or certified by TMDB" in first_screen
