"""`docs/settings.md` names every runtime setting as it is declared, and the settings that move streams."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import options
from core.templatetags.setting_words import as_value
from streaming import rehearsal

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def row(name: str) -> str:
    default = as_value(getattr(options.DEFAULTS, options.NAMES[name]))
    return f"| `{name}` | `{default}` | {options.kind_of(name).allowed} | {options.help_of(name)} |"


@pytest.mark.parametrize("name", options.NAMES)
def test_every_setting_is_in_the_table_as_it_is_declared(name: str) -> None:
    assert row(name) in PAGE.splitlines(), f"docs/settings.md lacks:\n{row(name)}"


def test_what_the_table_names_is_a_setting() -> None:
    table = PAGE.partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert [line.split("`")[1] for line in rows] == list(options.NAMES)


def test_the_settings_that_move_streams_are_named() -> None:
    section = PAGE.partition("## What a change does")[2].partition("\n## ")[0]
    for name in rehearsal.SETTINGS:
        assert f"`{name}`" in section
