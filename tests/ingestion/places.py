"""Empty databases on the servers of the layout under test, and what somebody has made of them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from psycopg import sql
from pymongo import MongoClient

AUDIT = "core_auditentry"
COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY 1, 2
"""
CONSTRAINTS = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 2"
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"


@dataclass
class Place:
    """A data folder, and databases of its own where the layout has servers."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a Python command on this place."""
        given = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(self.data)}
        ours = {"DATABASE_URL": "", "MONGODB_URI": "", "REDIS_URL": "", "HOSTS": ""}
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env={**os.environ, **ours, **given, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str, **environment: str) -> tuple[int, str]:
        """Run a Python command to its end: exit code and all that it said."""
        process = self.start(*command, **environment)
        said, _ = process.communicate(timeout=500)
        return process.returncode, said

    def shape(self) -> dict[str, Any]:
        """Tables, columns, indexes, and how many rows there are of each kind, in every database; but for the
        audit, which has rows of each setup."""
        urls = self.environment
        default = _postgresql(urls["DATABASE_URL"]) if "DATABASE_URL" in urls else self._sqlite()
        documents = {"documents": _mongodb(urls["MONGODB_URI"])} if "MONGODB_URI" in urls else {}
        shape = {"default": default, **documents}
        for each in shape.values():
            each["rows"].pop(AUDIT, None)
        return shape

    def static(self) -> dict[str, bytes]:
        root = self.data / "static"
        return {
            str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.*") if path.is_file()
        }

    def _sqlite(self) -> dict[str, Any]:
        with closing(sqlite3.connect(self.data / "marquee.sqlite3")) as database:
            made = database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2").fetchall()
            tables = [name for kind, name, _ in made if kind == "table"]
            return {"made": made, "rows": {t: _one(database, f'SELECT count(*) FROM "{t}"') for t in tables}}


@contextmanager
def place(folder: Path) -> Iterator[Place]:
    """A place whose databases are empty; they are dropped at the end."""
    name = f"setup_{uuid.uuid4().hex[:12]}"
    environment = {}
    with ExitStack() as stack:
        if url := os.environ.get("TEST_DATABASE_URL"):
            environment["DATABASE_URL"] = _renamed(url, name)
            admin = stack.enter_context(psycopg.connect(_renamed(url, "postgres"), autocommit=True))
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            stack.callback(admin.execute, drop)
        if url := os.environ.get("TEST_MONGODB_URI"):
            environment["MONGODB_URI"] = _renamed(url, name)
            client: MongoClient[Any] = stack.enter_context(MongoClient(url))
            stack.callback(client.drop_database, name)
        folder.mkdir(parents=True, exist_ok=True)
        yield Place(folder, environment)


def _renamed(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _postgresql(url: str) -> dict[str, Any]:
    with psycopg.connect(url) as database:
        made = [database.execute(query).fetchall() for query in (COLUMNS, CONSTRAINTS, INDEXES)]
        tables = sorted(name for (name,) in database.execute(TABLES))
        return {"made": made, "rows": {t: _one(database, f'SELECT count(*) FROM "{t}"') for t in tables}}


def _mongodb(uri: str) -> dict[str, Any]:
    with MongoClient[Any](uri) as client:
        database = client.get_default_database()
        names = sorted(database.list_collection_names())
        return {
            "made": {name: database[name].index_information() for name in names},
            "rows": {name: database[name].count_documents({}) for name in names},
        }


def _one(database: Any, query: str) -> int:
    number: int = database.execute(query).fetchone()[0]
    return number
