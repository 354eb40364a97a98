"""The Makefile: every promised command is there and explained, and the environment follows the lock files."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

TARGETS = (
    "install run dev test mutants coverage day soak check lint types migrations-check serve worker "
    "worker-dev beat ingest-once shell demo-media screenshots clean help"
)


@pytest.mark.parametrize("target", TARGETS.split())
def test_every_command_is_known_to_make_and_to_its_help(target: str) -> None:
    assert make("-n", target).returncode == 0
    assert f"  make {target} " in make().stdout


@pytest.mark.parametrize("database", ["", "sqlite", "postgres", "mongodb"])
def test_one_variable_says_which_database_the_tests_run_on(tmp_path: Path, database: str) -> None:
    env = fake_venv(tmp_path)
    words = ("-n", "test", *env, *([f"DB={database}"] if database else []), "PYTEST_ARGS=-k policy -x")
    assert f'python -m tests "{database}" -n 2 --dist loadfile -k policy -x' in make(*words).stdout


def test_a_lock_is_installed_once_and_again_when_it_changes(tmp_path: Path) -> None:
    env = fake_venv(tmp_path)
    assert "installs requirements.lock" in make("install", *env).stdout
    assert "installs" not in make("install", *env).stdout
    assert "installs requirements.lock" in make("install", *env, "--assume-new=requirements.lock").stdout


def test_what_tests_need_holds_what_a_run_needs(tmp_path: Path) -> None:
    env = fake_venv(tmp_path)
    assert "installs requirements-dev.lock" in make(*env, f"{tmp_path}/.installed-dev").stdout
    assert "installs" not in make("install", *env).stdout


def test_a_failed_installation_is_not_taken_for_done(tmp_path: Path) -> None:
    env = fake_venv(tmp_path)
    assert make("install", *env, "PIP=false").returncode != 0
    assert "installs requirements.lock" in make("install", *env).stdout


def test_a_machine_without_a_fitting_python_is_told_which_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "path"
    path.mkdir()
    old = path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what an interpreter too old says to our question
    old.chmod(0o755)
    answer = make("install", f"VENV={tmp_path}/venv", path=str(path))
    assert answer.returncode != 0
    assert "Python 3.11 to 3.14" in answer.stderr
    assert not (tmp_path / "venv").exists()


def test_the_locks_name_no_host_and_check_every_package() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (settings.BASE_DIR / name).read_text()
        assert "://" not in text
        assert all("==" in line and line.endswith("\\") for line in text.splitlines() if line[:1].isalnum())


def fake_venv(folder: Path) -> list[str]:
    """An environment that is there already, and a pip that only says what it would install."""
    (folder / "bin").mkdir()
    python = folder / "bin" / "python"
    python.write_text("#!/bin/sh\nexit 0\n")
    python.chmod(0o755)
    return [f"VENV={folder}", "PIP=echo installs"]


def make(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    program = shutil.which("make")
    assert program
    # Nothing of a `make test DB=postgres PYTEST_ARGS=…` that runs us may be its answer.
    env = {"PATH": path or os.environ["PATH"]}
    done = subprocess.run(
        [program, *arguments], cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=60, env=env
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.replace("-r ", ""), done.stderr
    )
