"""docs/provider-keys.md: its commands, run one after the other on a provider whose key is rotated away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ingestion.places import Place

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/provider-keys.md").read_text()
BLOCKS = dict(re.findall(r"^### (.+?)$.*?^```sh$\n(.+?)^```$", TEXT, re.M | re.S))
FILL = """
import django; django.setup()
from providers import secrets
from providers.models import Provider
token = secrets.seal("films", "token", "open-sesame")
Provider(slug="films", label="Films", adapter="library", secrets={"token": token}).save()
"""
READ = """
import django; django.setup()
from providers import secrets
from providers.models import Provider
print(secrets.reveal(Provider.objects.get(pk="films")))
"""

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]


def documented(names: list[str], where: Place, **environment: str) -> str:
    """Run what stands under these headings, in one shell as a person would; what it said."""
    script = "\n".join(BLOCKS[name] for name in names).replace(".venv/bin/python", sys.executable)
    ours = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(where.data), "MONGODB_URI": ""}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "", "PROVIDER_SECRET_KEYS": "", **ours, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def ran(where: Place, *command: str, **environment: str) -> str:
    code, said = where.run(*command, **environment)
    assert code == 0, said
    return said


def test_a_key_is_rotated_away_as_the_page_says(tmp_path: Path) -> None:
    place = Place(tmp_path / "data")
    place.data.mkdir()
    ran(place, "manage.py", "setup")
    ran(place, "-c", FILL)
    new = documented(["Make a key"], place)
    rest = ["Put it in front", "Encrypt everything with it", "See whether the old key is still needed"]
    assert "none of them in need of an old key" in documented(rest, place, NEW_KEY=new)
    assert "open-sesame" in ran(place, "-c", READ, PROVIDER_SECRET_KEYS=new)
    assert set(BLOCKS) == {"Make a key", *rest}
    assert len(BLOCKS) == TEXT.count("```sh")
