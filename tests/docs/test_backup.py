"""The restore drill of docs/backup.md: its commands, run on a catalogue that is then destroyed."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.databases import mongod, postgresql
from tests.ingestion.places import Place
from tests.servers import Server, require

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/backup.md").read_text()
BLOCKS = dict(re.findall(r"^### (.+?)$.*?^```sh$\n(.+?)^```$", TEXT, re.M | re.S))

FILL = """
import django; django.setup()
from django.contrib.auth import get_user_model
from streaming import switching
from streaming.quality import Quality
from tests.streaming import factory
get_user_model().objects.create_user("ada", password="x")
film = factory.movie()
for name, quality in (("low", Quality.P720), ("high", Quality.P1080)):
    factory.version(film, name, quality)
    switching.reconsider(film.pk, at=factory.NOW)
"""
READ = """
import django; django.setup()
from django.contrib.auth import get_user_model
from django.core import serializers
from streaming.models import Movie, StreamSwitch, StreamVersion
for model in (Movie, StreamVersion, StreamSwitch, get_user_model()):
    print(serializers.serialize("jsonl", model.objects.order_by("pk")), end="")
"""

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600)]


def documented(name: str, where: Place, **environment: str) -> None:
    """Run what stands under a heading of the document, as a person in the project's folder would."""
    script = BLOCKS[name].replace(".venv/bin/python", sys.executable)
    ours = {"DATA_DIR": str(where.data), "BACKUP": str(where.data.parent / "backup"), **where.environment}
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings", "MONGODB_URI": "", "DATABASE_URL": ""}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, **settings, **ours, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def ran(where: Place, *command: str) -> str:
    code, said = where.run(*command)
    assert code == 0, said
    return said


def filled(where: Place) -> str:
    """Set up a place and give it a film with two turns; what is in it then."""
    ran(where, "manage.py", "setup")
    ran(where, "-c", FILL)
    rows = ran(where, "-c", READ)
    assert rows.count('"streaming.streamswitch"') == 2
    return rows


def keys_of(where: Place) -> list[str]:
    names = ("secret-key", "jwt-signing-key", "provider-secret-key")
    return [(where.data / name).read_text() for name in names]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "backup").mkdir()
    (tmp_path / "data").mkdir()
    return Place(tmp_path / "data")


def test_sqlite_is_backed_up_at_work_and_restored(place: Place) -> None:
    rows, keys = filled(place), keys_of(place)
    database = place.data / "marquee.sqlite3"
    with closing(sqlite3.connect(database)) as at_work:  # what it wrote is not in the file yet
        at_work.execute("UPDATE streaming_movie SET title = 'Written last'")
        at_work.commit()
        documented("Back up SQLite", place)
    shutil.rmtree(place.data)
    place.data.mkdir()
    database.write_text("not a database")
    documented("Restore SQLite", place)
    assert ran(place, "-c", READ) == rows.replace("Movie 45745", "Written last")
    assert keys_of(place) == keys


@pytest.fixture(scope="module")
def pg() -> Iterator[Server]:
    with postgresql() as server:
        yield server


@pytest.mark.parametrize("gone", ["the rows", "the database"])
def test_postgresql_is_backed_up_at_work_and_restored(pg: Server, place: Place, gone: str) -> None:
    name = f"films_{gone.replace(' ', '_')}"
    place.environment["DATABASE_URL"] = pg.url.format(name=name)
    path = f"{require('postgresql')}:{os.environ['PATH']}"
    with closing(psycopg.connect(pg.url.format(name="postgres"), autocommit=True)) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        rows = filled(place)
        documented("Back up PostgreSQL", place, PATH=path)
        if gone == "the database":
            admin.execute(f"DROP DATABASE {name}")  # type: ignore[arg-type]
            admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        else:
            with psycopg.connect(place.environment["DATABASE_URL"]) as films:
                films.execute("TRUNCATE streaming_movie CASCADE")
        documented("Restore PostgreSQL", place, PATH=path)
    assert ran(place, "-c", READ) == rows


def test_mongodb_is_restored_from_a_copy_of_its_folder(place: Place) -> None:
    with mongod() as server:
        server.end()
        folder = place.data.parent / "mongo"  # its own would be swept up once it is made anew
        folder.mkdir()
        server.command[server.command.index("--dbpath") + 1] = str(folder)
        server.start()
        place.environment["MONGODB_URI"] = server.url.format(name="films")
        rows = filled(place)
        server.end()
        documented("Back up MongoDB", place, MONGO_DATA=str(folder))
        shutil.rmtree(folder)
        documented("Restore MongoDB", place, MONGO_DATA=str(folder))
        server.start()
        ran(place, "manage.py", "setup")
        assert ran(place, "-c", READ) == rows


def test_every_command_of_the_document_is_run() -> None:
    drilled = re.findall(r'documented\("(.+?)"', Path(__file__).read_text())
    assert set(BLOCKS) == set(drilled)
    assert len(BLOCKS) == TEXT.count("```sh")
