"""The databases as an operator knows them: what each is called, and in a line why one cannot be used.

Names no user and no password.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg
import pymongo
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, connections
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError
from pymongo.uri_parser import parse_uri

FAILURES = (DatabaseError, PyMongoError, psycopg.Error)
"""What a database that is away, or will not have us, raises."""
_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, ConnectionFailure)

_VARIABLE = {"postgresql": "DATABASE_URL", "mongodb": "MONGODB_URI", "sqlite": "DATA_DIR"}
_ADVICE = {
    'role "': "Correct the user or the password in {variable}.",
    "does not exist": "Create the database, or correct {variable}.",
    "password": "Correct the user or the password in {variable}.",
    "authentication": "Correct the user or the password in {variable}.",
    "pg_hba": "Let this machine in (pg_hba.conf), or correct {variable}.",
    "not authorized": "Give the user of {variable} the role readWrite on the database.",
    "permission denied": "Give the user of {variable} the right to create tables.",
    "replica set": "See with rs.status() that it is a replica set of the name in {variable}, with a primary.",
    "read-only": "See to the rights and the space of the folder that {variable} names.",
    "readonly": "See to the rights and the space of the folder that {variable} names.",
    "unable to open": "See to the rights and the space of the folder that {variable} names.",
    "is full": "See to the rights and the space of the folder that {variable} names.",
    "is locked": "Another process writes to it for too long; see which, and run this again.",
    "lock timeout": "A long transaction holds a table; see which (pg_stat_activity), and run this again.",
    "or later is required": "Upgrade the server.",
    "already exists": "With --traceback it says where.",
}
_BYTES = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgresql": "SELECT pg_database_size(current_database())",
}
_START = "Start the server, or correct {variable}."
_LOOK = _ADVICE["already exists"]


class Unusable(Exception):
    """A database cannot be used. The text says which, why, and what to do."""


def name(alias: str) -> str:
    """`PostgreSQL db.example:5432/marquee`: kind and place."""
    connection = connections[alias]
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"SQLite {settings['NAME']}"
    if connection.vendor == "mongodb":
        return f"MongoDB {_mongodb_hosts(settings['HOST'])}/{settings['NAME']}"
    host, port = settings["HOST"] or "local socket", settings["PORT"] or 5432
    return f"{connection.display_name} {host}:{port}/{settings['NAME']}"


def size_bytes(alias: str) -> int:
    """What it takes of the disk, its indexes included. No database reads its rows for that."""
    connection: Any = connections[alias]
    if connection.vendor == "mongodb":
        told = connection.database.command("dbStats")
        return int(told["storageSize"] + told["indexSize"])
    with connection.cursor() as cursor:
        cursor.execute(_BYTES[connection.vendor])
        return int(cursor.fetchone()[0])


def reach(alias: str) -> Any:
    """The driver's connection, within the time that the settings allow. Raises Unusable."""
    connection = connections[alias]
    with explained(alias):
        if connection.vendor == "postgresql":
            dial(alias).close()
        with _at_once(connection):
            connection.ensure_connection()  # refuses a server that is too old
    return connection.connection


def dial(alias: str) -> psycopg.Connection[Any]:
    """A connection to PostgreSQL beside the pool, which would only say that it has none."""
    connection = connections[alias]
    pool = connection.settings_dict["OPTIONS"].get("pool", {})
    kind: type[psycopg.Connection[Any]] = pool.get("connection_class", psycopg.Connection)
    return kind.connect(**connection.get_connection_params(), autocommit=True)


@contextmanager
def explained(alias: str) -> Iterator[None]:
    """Turn whatever a database raises into an Unusable."""
    try:
        yield
    except FAILURES as error:
        raise Unusable(f"{name(alias)} cannot be used: {reason(error)}. {advice(alias, error)}") from error


def reason(error: BaseException) -> str:
    """The first thing that the server, or the road to it, said; without the driver's epilogue."""
    if isinstance(error, OperationFailure) and error.details:
        text = str(error.details.get("errmsg", error))
    else:
        text = str(error)
    # pymongo: "host:1: [Errno 111] Connection refused (configured timeouts: ...), Timeout: 3s, Topology ..."
    first = text.strip().partition("\n")[0].partition(" (configured timeouts")[0].partition(", Timeout:")[0]
    return first.rstrip(" .") or type(error).__name__


def advice(alias: str, error: BaseException) -> str:
    """What an operator can do about it."""
    said = str(error).lower()
    otherwise = _START if isinstance(error, _AWAY) else _LOOK
    words = next((words for sign, words in _ADVICE.items() if sign in said), otherwise)
    return words.format(variable=_VARIABLE.get(connections[alias].vendor, "the settings"))


def _at_once(connection: Any) -> AbstractContextManager[None]:
    """PyMongo looks for a server again and again for as long as a statement may take."""
    wait_ms = connection.settings_dict["OPTIONS"].get("serverSelectionTimeoutMS")
    return pymongo.timeout(wait_ms / 1000) if wait_ms else nullcontext()


def _mongodb_hosts(uri: str) -> str:
    if uri.startswith("mongodb+srv://"):  # to look the record up would be a wait of its own
        return uri.removeprefix("mongodb+srv://").rpartition("@")[2].partition("/")[0]
    return ",".join(f"{host}:{port}" for host, port in parse_uri(uri)["nodelist"])
