"""The environment: every variable is declared once, explained, and what `.env.example` says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from core import options
from core.options import OptionError

EXAMPLE = (env.BASE_DIR / ".env.example").read_text()


def test_the_example_file_is_what_the_declaration_prints() -> None:
    assert env.example() == EXAMPLE, "run: python -m config.env > .env.example"


@pytest.mark.parametrize("name", [*(v.name for v in env.VARIABLES), *options.NAMES])
def test_every_variable_is_explained_above_its_line(name: str) -> None:
    assert re.search(rf"^# .{{10,}}\.( \(.+\))?\n#{name}=", EXAMPLE, re.MULTILINE)


def test_a_file_made_of_the_example_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = {v.name: v.default for v in env.VARIABLES}
    for name in [*defaults, *options.NAMES]:
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^#(\w+=)", r"\1", EXAMPLE, flags=re.MULTILINE))
    assert env.read(file) == defaults
    wanted = {name: getattr(options.DEFAULTS, attribute) for name, attribute in options.NAMES.items()}
    assert env.read_options() == {name: value for name, value in wanted.items() if value != ""}


def test_the_process_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("PORT=9000\nALLOWED_HOSTS=films.example, other.example\n")
    monkeypatch.setenv("PORT", "9001")
    monkeypatch.delenv("ALLOWED_HOSTS", raising=False)
    values = env.read(file)
    assert values["PORT"] == 9001
    assert values["ALLOWED_HOSTS"] == ["films.example", "other.example"]


def test_a_runtime_setting_out_of_bounds_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOVER_PAGES", "many")
    with pytest.raises(OptionError, match="DISCOVER_PAGES is a whole number from 1 to 50; 'many' is not"):
        env.read_options()


def test_a_word_that_is_none_of_those_allowed_stops_the_start_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_LEVEL", "verbose")
    with pytest.raises(ImproperlyConfigured, match=r"LOG_LEVEL is one of DEBUG, .*; 'verbose' is not"):
        env.read(tmp_path / ".env")
    monkeypatch.setenv("LOG_LEVEL", "warning")
    assert env.read(tmp_path / ".env")["LOG_LEVEL"] == "WARNING"


def test_a_pool_too_small_for_a_worker_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its jobs would hold all connections, and none could keep its slot."""
    monkeypatch.setenv("DATABASE_POOL_SIZE", "9")
    with pytest.raises(ImproperlyConfigured, match="DATABASE_POOL_SIZE is a whole number from 10 up"):
        env.read(tmp_path / ".env")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "10")
    assert env.read(tmp_path / ".env")["DATABASE_POOL_SIZE"] == 10


def test_an_empty_runtime_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOVER_PAGES", "")
    assert "DISCOVER_PAGES" not in env.read_options()


def test_nothing_else_reads_the_environment() -> None:
    """A variable that is read elsewhere is in no example file. (The supervisor makes environments.)"""
    read = re.compile(r"os\.(environ\b|getenv)")
    allowed = {"config/asgi.py", "config/wsgi.py", "config/celery.py"}
    rooms = ("core", "streaming", "providers", "ingestion", "config")
    files = [path for room in rooms for path in (env.BASE_DIR / room).rglob("*.py")]
    found = {str(path.relative_to(env.BASE_DIR)) for path in files if read.search(path.read_text())}
    assert {name for name in found - allowed if "supervisor" not in name} == set()
