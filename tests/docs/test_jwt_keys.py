"""docs/jwt-keys.md: its steps, one after the other, while somebody stays signed in."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ingestion.places import Place

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/jwt-keys.md").read_text()
BLOCKS = dict(re.findall(r"^### (.+?)$.*?^```sh$\n(.+?)^```$", TEXT, re.M | re.S))
STEPS = ["Let every process know it", "Sign with it", "Take the old key out"]
SIGN_IN = """
import django; django.setup()
from django.contrib.auth.models import User
from core import tokens
print(tokens.begin(User.objects.get(username="admin")).refresh)
"""
RENEW = """
import sys, django; django.setup()
from core import tokens
print(tokens.renew(sys.argv[1]).refresh)
"""

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]


def documented(name: str, where: Place, after: str = "", **environment: str) -> str:
    """Run what stands under this heading as a person would; what it said."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", BLOCKS[name].replace(".venv/bin/python", sys.executable) + after],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": str(where.data), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def ran(where: Place, *command: str, keys: str) -> str:
    code, said = where.run(*command, JWT_SIGNING_KEYS=keys)
    assert code == 0, said
    return said.strip()


def test_a_key_is_rotated_away_as_the_page_says_and_nobody_is_signed_out(tmp_path: Path) -> None:
    place = Place(tmp_path / "data")
    place.data.mkdir()
    ran(place, "manage.py", "setup", keys="")
    new = documented("Make a key", place)
    keys = [documented(name, place, 'echo "$JWT_SIGNING_KEYS"', NEW_KEY=new) for name in STEPS]
    refresh = ran(place, "-c", SIGN_IN, keys="")
    # While processes are restarted, one that has been and one that has not renew each other's tokens.
    for before, after in zip(["", *keys], keys, strict=False):
        for process in (after, before, after):
            refresh = ran(place, "-c", RENEW, refresh, keys=process)
    assert ran(place, "-c", RENEW, refresh, keys=new)
    assert set(BLOCKS) == {"Make a key", *STEPS}
    assert len(BLOCKS) == TEXT.count("```sh")
