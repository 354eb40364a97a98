"""`python -m tests`, which `make test` is: what runs where, and what its exit code says."""

from __future__ import annotations

import importlib

import pytest

suite = importlib.import_module("tests.__main__")


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What pytest would say on each layout. What it was asked to do is noted, in order."""
    codes = {"sqlite": 0, "postgres": 0, "mongodb": 0}
    monkeypatch.setattr(
        suite, "_pytest", lambda layout, *words: asked.append((layout, *words)) or codes[layout]
    )
    asked.clear()
    return codes


asked: list[tuple[str, ...]] = []


@pytest.mark.parametrize("layout", ["sqlite", "postgres", "mongodb"])
def test_on_one_layout_everything_runs(codes: dict[str, int], layout: str) -> None:
    assert suite.main([layout, "-n", "2"]) == 0
    assert asked == [(layout, "-n", "2")]


def test_without_a_name_everything_runs_on_sqlite_and_what_touches_rows_elsewhere(
    codes: dict[str, int],
) -> None:
    assert suite.main(["", "-x"]) == 0
    assert asked == [("sqlite", "-x"), ("postgres", "--only-rows", "-x"), ("mongodb", "--only-rows", "-x")]


def test_another_name_is_told_which_there_are(
    codes: dict[str, int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert suite.main(["oracle"]) == pytest.ExitCode.USAGE_ERROR
    assert "DB is one of sqlite, postgres, mongodb, or empty for all of them" in capsys.readouterr().err
    assert asked == []


@pytest.mark.parametrize(
    ("sqlite", "postgres", "mongodb", "result", "layouts"),
    [
        (1, 0, 0, 1, 3),  # what fails on one layout is still worth knowing of the others
        (0, 1, 0, 1, 3),
        (0, 5, 5, 0, 3),  # what was asked for touches no rows
        (1, 5, 5, 1, 3),
        (5, 5, 5, 5, 1),  # nothing was found
        (2, 0, 0, 2, 1),  # Ctrl-C
        (0, 130, 0, 130, 2),
        (4, 4, 4, 4, 1),  # a mistake in PYTEST_ARGS
        (0, 137, 0, 137, 2),  # killed
    ],
)
def test_the_first_failure_is_the_exit_code(
    codes: dict[str, int], sqlite: int, postgres: int, mongodb: int, result: int, layouts: int
) -> None:
    codes.update(sqlite=sqlite, postgres=postgres, mongodb=mongodb)
    assert suite.main([]) == result
    assert len(asked) == layouts
