"""docs/audit.md: its members are those of the export, and its command is one that works."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from core import audit
from core.audit import Action, export
from core.models import AuditEntry

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/audit.md").read_text()


def test_every_member_of_a_row_is_explained_and_no_other() -> None:
    table = TEXT.split("## What a row says")[1].split("\n\n", 2)[1]
    named = {name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert named == set(export.body(AuditEntry(at=timezone.now())))


def test_every_action_and_outcome_named_is_one() -> None:
    named = set(re.findall(r"`((?:movie|setting|provider|account)\.\w+)`", TEXT))
    assert named <= {action.value for action in Action}
    assert {outcome.value for outcome in AuditEntry.Outcome} <= set(re.findall(r"`(\w+)`", TEXT))


@pytest.mark.django_db
def test_its_command_writes_what_its_grep_finds(tmp_path: Path) -> None:
    (line,) = re.findall(r"^    \S+ manage\.py (export_audit .+)$", TEXT, re.M)
    with audit.act(Action.MOVIE_ROLLBACK, 5):
        pass
    name, *words = shlex.split(line.partition(" > ")[0])
    words[1::2] = ["2020-01-01", "2100-01-01"]  # the days of the document, made to hold today
    file = tmp_path / "audit-2026-05.jsonl"
    with file.open("w") as out:
        call_command(name, *words, stdout=out)
    (grep,) = re.findall(r"^    (grep .+)$", TEXT, re.M)
    found = subprocess.run(
        ["sh", "-c", grep], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    (row,) = [json.loads(each) for each in found.stdout.splitlines()]
    assert (row["action"], row["outcome"]) == ("movie.rollback", "done")
