"""DATABASE_URL and MONGODB_URI as Django's DATABASES. Every wait in it is bounded; nothing is opened here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from config.postgresql import connection_class

DOCUMENTS = "documents"
"""The alias of MongoDB, when there is one."""

_POSTGRESQL = ("postgres://", "postgresql://")
_MONGODB = ("mongodb://", "mongodb+srv://")
_ESCAPES = "A port is a number; percent-encode what is not a letter or a digit in a password."


def databases(env: Mapping[str, Any], folder: Path) -> dict[str, dict[str, Any]]:
    """`default`, and `documents` if MONGODB_URI is given. Raises ImproperlyConfigured for a bad address."""
    default = _postgresql(env) if env["DATABASE_URL"] else _sqlite(env, folder)
    return {"default": default, **({DOCUMENTS: _mongodb(env)} if env["MONGODB_URI"] else {})}


def _sqlite(env: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """One file, one writer at a time. A transaction takes the write lock when it begins, so that none can
    find, half way, that it read what another has changed since. Each thread keeps its connection for some
    seconds: to open one takes longer than all that most requests ask of it. No longer: a file that is put in
    its place, from a backup say, is to be noticed."""
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "marquee.sqlite3",
        "CONN_MAX_AGE": 5,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": env["DATABASE_TIMEOUT_S"],
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _postgresql(env: Mapping[str, Any]) -> dict[str, Any]:
    """A pool in each process. A connection that has died in it is noticed before it is used."""
    url = _parsed(env["DATABASE_URL"])
    timeout_s, connect_timeout_s = env["DATABASE_TIMEOUT_S"], env["DATABASE_CONNECT_TIMEOUT_S"]
    given, limit_ms = url.pop("OPTIONS", {}), timeout_s * 1000
    limits = f"-c statement_timeout={limit_ms} -c lock_timeout={limit_ms}"
    return {
        **url,
        "CONN_HEALTH_CHECKS": True,
        # Behind PgBouncer a cursor of the server's would be lost between two statements.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": connect_timeout_s,
            **given,
            # Of two words on one setting the later counts, so the operator's own come last.
            "options": f"{limits} {given.get('options', '')}".strip(),
            "pool": {
                "min_size": 0,
                "max_size": env["DATABASE_POOL_SIZE"],
                "timeout": connect_timeout_s,
                # The pool tries no longer than a request waits: its pauses double, up to a minute and more.
                "reconnect_timeout": connect_timeout_s,
                "connection_class": connection_class(
                    timeout_s=timeout_s, connect_timeout_s=connect_timeout_s
                ),
            },
        },
    }


def _parsed(url: str) -> dict[str, Any]:
    """An address of PostgreSQL as Django's words for it."""
    form = "DATABASE_URL is postgresql://user:password@host:5432/name, or empty."
    if not url.startswith(_POSTGRESQL):
        raise ImproperlyConfigured(form)
    try:
        parsed: dict[str, Any] = environ.Env.db_url_config(url)
    except ValueError:  # its words quote what it took for a port, which may be half of a password
        raise ImproperlyConfigured(f"{form} {_ESCAPES}") from None
    if not parsed["NAME"]:
        raise ImproperlyConfigured(f"DATABASE_URL names no database. {form}")
    return parsed


def _mongodb(env: Mapping[str, Any]) -> dict[str, Any]:
    """Acknowledged by a majority and in the journal, read from the primary: the switch log asks for it."""
    given = env["MONGODB_URI"]
    form = "MONGODB_URI is mongodb://user:password@host:27017/name?replicaSet=rs0, or empty."
    if not given.startswith(_MONGODB):
        raise ImproperlyConfigured(form)
    try:
        # An SRV record is looked up by whoever connects; here the form is all that matters.
        name = parse_uri(given.replace("mongodb+srv://", "mongodb://", 1))["database"]
    except (PyMongoError, ValueError):  # as above
        raise ImproperlyConfigured(f"{form} {_ESCAPES}") from None
    if not name:
        raise ImproperlyConfigured(f"MONGODB_URI names no database. {form}")
    return {
        "ENGINE": "config.mongodb",
        "NAME": name,
        "HOST": given,
        "OPTIONS": {
            "appname": "marquee",
            "w": "majority",
            "journal": True,
            "readConcernLevel": "majority",
            "readPreference": "primary",
            "maxPoolSize": env["MONGODB_POOL_SIZE"],
            "serverSelectionTimeoutMS": env["DATABASE_CONNECT_TIMEOUT_S"] * 1000,
            "connectTimeoutMS": env["DATABASE_CONNECT_TIMEOUT_S"] * 1000,
            "waitQueueTimeoutMS": env["DATABASE_CONNECT_TIMEOUT_S"] * 1000,
            # How often each server is asked: one that hangs is known to after twice that.
            "heartbeatFrequencyMS": env["DATABASE_CONNECT_TIMEOUT_S"] * 1000,
            "timeoutMS": env["DATABASE_TIMEOUT_S"] * 1000,
        },
    }
