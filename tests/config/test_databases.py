"""DATABASE_URL and MONGODB_URI: what they become, what is refused, and which rows go where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.databases import DOCUMENTS, databases
from config.routers import Documents

DEFAULTS = {variable.name: variable.default for variable in env.VARIABLES}


def made(**given: Any) -> dict[str, dict[str, Any]]:
    return databases({**DEFAULTS, **given}, Path("/data"))


def test_without_a_word_all_is_one_sqlite_file() -> None:
    (alias, database), *others = made().items()
    assert (alias, database["NAME"], others) == ("default", Path("/data/marquee.sqlite3"), [])
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]


def test_a_postgresql_address_is_read_with_its_escapes_and_options() -> None:
    address = "postgresql://ada:s%40fe@db.example:6432/films?sslmode=require"
    database = made(DATABASE_URL=address, DATABASE_POOL_SIZE=7)["default"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    named = [database[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")]
    assert named == ["ada", "s@fe", "db.example", 6432, "films"]
    assert database["OPTIONS"]["sslmode"] == "require"
    assert database["OPTIONS"]["pool"]["max_size"] == 7


def test_every_wait_for_postgresql_is_bounded_unless_the_address_says_otherwise() -> None:
    limits = {"DATABASE_CONNECT_TIMEOUT_S": 2, "DATABASE_TIMEOUT_S": 5}
    options = made(DATABASE_URL="postgres:///films", **limits)["default"]["OPTIONS"]
    assert (options["connect_timeout"], options["pool"]["timeout"]) == (2, 2)
    assert options["options"] == "-c statement_timeout=5000 -c lock_timeout=5000"
    own = "postgres:///films?connect_timeout=9&options=-c%20statement_timeout%3D1"
    options = made(DATABASE_URL=own, **limits)["default"]["OPTIONS"]
    assert options["connect_timeout"] == 9
    assert options["options"].endswith("-c statement_timeout=1")


def test_mongodb_stands_beside_the_other_database_and_acknowledges_by_majority() -> None:
    both = made(MONGODB_URI="mongodb://ada:pw@m1,m2:27018/films?replicaSet=rs0&w=1", MONGODB_POOL_SIZE=9)
    assert list(both) == ["default", DOCUMENTS]
    database = both[DOCUMENTS]
    assert (database["ENGINE"], database["NAME"]) == ("config.mongodb", "films")
    wanted = {"w": "majority", "journal": True, "readConcernLevel": "majority", "readPreference": "primary"}
    assert wanted.items() <= database["OPTIONS"].items()
    assert database["OPTIONS"]["maxPoolSize"] == 9


def test_every_wait_for_mongodb_is_bounded() -> None:
    limits = {"DATABASE_CONNECT_TIMEOUT_S": 2, "DATABASE_TIMEOUT_S": 5}
    options = made(MONGODB_URI="mongodb+srv://m.example/films", **limits)[DOCUMENTS]["OPTIONS"]
    waits = {name: value for name, value in options.items() if name.lower().endswith("timeoutms")}
    assert waits == {
        "serverSelectionTimeoutMS": 2000,
        "connectTimeoutMS": 2000,
        "waitQueueTimeoutMS": 2000,
        "timeoutMS": 5000,
    }


@pytest.mark.parametrize(
    ("variable", "address", "said"),
    [
        ("DATABASE_URL", "mysql://ada:geheim@h/films", "DATABASE_URL is postgresql://user:password@host"),
        ("DATABASE_URL", "postgresql://ada:geheim@h/", "names no database"),
        ("DATABASE_URL", "postgresql://ada:geheim@h:port/films", "DATABASE_URL is postgresql://"),
        ("MONGODB_URI", "http://ada:geheim@h/films", "MONGODB_URI is mongodb://"),
        ("MONGODB_URI", "mongodb://ada:geheim@h", "names no database"),
        ("MONGODB_URI", "mongodb://ada:geheim@h:99999/films", "A port is a number"),
        ("MONGODB_URI", "mongodb://ada:ge@heim@h/films", "percent-encode"),
        ("MONGODB_URI", "mongodb://ada:x/geheim@h/films", "percent-encode"),
        ("DATABASE_URL", "postgresql://ada:geheim/x@h/films", "percent-encode"),
    ],
)
def test_a_bad_address_says_what_is_allowed_and_keeps_the_password(
    variable: str, address: str, said: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=said) as refused:
        made(**{variable: address})
    assert "geheim" not in str(refused.value)


def test_our_rows_go_to_mongodb_and_djangos_never_do() -> None:
    router = Documents()
    for model in apps.get_models():
        ours = model.__module__.split(".")[0] in {"core", "streaming", "ingestion", "providers"}
        label = model._meta.app_label
        assert router.db_for_read(model) == router.db_for_write(model) == (DOCUMENTS if ours else None)
        assert router.allow_migrate(DOCUMENTS, label) is ours
        assert router.allow_migrate("default", label) is not ours


def test_no_row_of_ours_refers_to_one_of_djangos() -> None:
    router = Documents()
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if field.is_relation and isinstance(other := field.related_model, type):
                assert router.db_for_read(model) == router.db_for_read(other), f"{model} {field.name}"
