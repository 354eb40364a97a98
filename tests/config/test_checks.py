"""What `check --deploy` says and `setup` refuses: what would lose data, and servers that are away."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import ConnectionHandler

from config import checks, env
from config import databases as configured
from core import databases
from ingestion.management.commands import setup
from tests.databases import mongod, postgresql
from tests.servers import Server, free_port, listens

Say = Callable[..., list[tuple[str, str]]]
DEFAULTS = {variable.name: variable.default for variable in env.VARIABLES}
SECRET = "s3cret"


def found_with(settings: Any, **given: Any) -> set[str]:
    settings.ENV = {**DEFAULTS, **given}
    return {message.id for message in checks.several_hosts(None)}


def test_one_host_may_keep_everything_to_itself(settings: Any) -> None:
    assert found_with(settings) == set()


@pytest.mark.parametrize(
    ("variable", "value", "number"),
    [
        ("DATABASE_URL", "postgresql://db/marquee", "marquee.E001"),
        ("REDIS_URL", "redis://cache", "marquee.E002"),
        ("SECRET_KEY", "the same", "marquee.E003"),
        ("PROVIDER_SECRET_KEYS", ["the same"], "marquee.E007"),
        ("JWT_SIGNING_KEYS", ["the same"], "marquee.E010"),
    ],
)
def test_several_hosts_need_what_they_share(settings: Any, variable: str, value: Any, number: str) -> None:
    wanting = {f"marquee.E{number}" for number in ("001", "002", "003", "007", "010")}
    assert found_with(settings, HOSTS=2) == wanting
    assert found_with(settings, HOSTS=2, **{variable: value}) == wanting - {number}


def test_a_key_for_tokens_that_is_none_is_told_by_its_place_alone(settings: Any) -> None:
    assert checks.jwt_signing_keys(None) == []
    settings.JWT_SIGNING_KEYS = ["long enough for a hash of 32 bytes", "not-a-key"]
    [error] = checks.jwt_signing_keys(None)
    assert (error.id, error.is_serious()) == ("marquee.E011", True)
    assert "number 2 is no key" in error.msg
    assert "not-a-key" not in f"{error.msg} {error.hint}"


def test_a_key_for_providers_that_is_none_is_told_by_its_place_alone(settings: Any) -> None:
    assert checks.provider_secret_keys(None) == []
    settings.PROVIDER_SECRET_KEYS = [Fernet.generate_key().decode(), "not-a-key", "c2hvcnQ="]
    [error] = checks.provider_secret_keys(None)
    assert (error.id, error.is_serious()) == ("marquee.E006", True)
    assert "number 2, number 3 is no Fernet key" in error.msg
    assert "not-a-key" not in f"{error.msg} {error.hint}"


def test_the_command_that_the_hint_names_makes_a_key() -> None:
    made = subprocess.run(
        [sys.executable, "-c", checks.MAKE_A_KEY], capture_output=True, text=True, check=True, timeout=60
    )
    assert Fernet(made.stdout.strip())


def test_trusted_origins_are_named(settings: Any) -> None:
    assert checks.trusted_origins(None) == []
    settings.HTTP_TRUSTED_ORIGINS = ["http://10.0.0.5:9000"]
    [warning] = checks.trusted_origins(None)
    assert (warning.id, warning.is_serious()) == ("marquee.W001", False)
    assert "http://10.0.0.5:9000" in warning.msg


@pytest.mark.parametrize("origin", ["tv.example.org", "https://tv.example.org/watch", "ftp://tv.example.org"])
def test_a_site_origin_that_is_none_is_an_error(origin: str, settings: Any) -> None:
    settings.SITE_ORIGIN = "https://tv.example.org"
    assert checks.site_origin(None) == []
    settings.SITE_ORIGIN = origin
    [error] = checks.site_origin(None)
    assert error.id == "marquee.E008"
    assert origin in error.msg


def test_setup_refuses_and_says_what_to_do(settings: Any, db: None) -> None:
    keys = {"SECRET_KEY": "one", "PROVIDER_SECRET_KEYS": ["another"], "JWT_SIGNING_KEYS": ["a third"]}
    shared = {"REDIS_URL": "redis://cache", **keys}
    settings.ENV = {**DEFAULTS, "HOSTS": 2, **shared}
    with pytest.raises(CommandError, match=r"a database of its own\. Set DATABASE_URL .*\(marquee\.E001\)$"):
        setup.refuse_what_cannot_work()


def test_a_warning_does_not_keep_setup_from_its_work(settings: Any, db: None) -> None:
    settings.HTTP_TRUSTED_ORIGINS = ["http://10.0.0.5:9000"]
    setup.refuse_what_cannot_work()


def test_django_itself_warns_of_debug_pages(
    settings: Any, capsys: pytest.CaptureFixture[str], db: None
) -> None:
    settings.DEBUG = True
    call_command("check", "--deploy")
    assert "security.W018" in capsys.readouterr().err


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, django_db_blocker: Any) -> Iterator[Say]:
    """What is found of the database at an address: number and text of each message."""
    opened = []

    def say(**given: Any) -> list[tuple[str, str]]:
        made = configured.databases({**DEFAULTS, "DATABASE_CONNECT_TIMEOUT_S": 1, **given}, tmp_path)
        *_, last = made.values()
        handler = ConnectionHandler({"default": {}, "elsewhere": last})
        opened.append(handler["elsewhere"])
        monkeypatch.setattr(databases, "connections", handler)
        monkeypatch.setattr(checks, "connections", handler)
        with django_db_blocker.unblock():
            return [(m.id, f"{m.msg} {m.hint or ''}") for m in checks.of_database("elsewhere")]

    yield say
    for connection in opened:
        connection.close()
        connection.close_pool()


@pytest.fixture(scope="module")
def pg() -> Iterator[Server]:
    with postgresql() as server:
        yield server


@pytest.fixture(scope="module")
def mongo() -> Iterator[Server]:
    with mongod() as server:
        yield server


def test_a_postgresql_that_is_away(elsewhere: Say) -> None:
    [(number, text)] = elsewhere(DATABASE_URL=f"postgresql://ada:{SECRET}@127.0.0.1:{free_port()}/marquee")
    assert number == "marquee.E005"
    assert "Connection refused" in text
    assert text.rstrip().endswith("Start the server, or correct DATABASE_URL.")
    assert SECRET not in text


def test_a_mongodb_that_is_away(elsewhere: Say) -> None:
    uri = f"mongodb://ada:{SECRET}@127.0.0.1:{free_port()}/marquee?authSource=admin"
    [(number, text)] = elsewhere(MONGODB_URI=uri)
    assert number == "marquee.E005"
    assert "Connection refused. Start the server, or correct MONGODB_URI." in text
    assert SECRET not in text
    assert "Topology" not in text


@pytest.mark.servers
@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (("/postgres", "/nowhere"), "Create the database, or correct DATABASE_URL."),
        (("marquee@", f"eve:{SECRET}@"), "Correct the user or the password in DATABASE_URL."),
    ],
)
def test_a_postgresql_that_will_not_have_us(
    pg: Server, elsewhere: Say, change: tuple[str, str], advice: str
) -> None:
    [(number, text)] = elsewhere(DATABASE_URL=pg.url.format(name="postgres").replace(*change))
    assert number == "marquee.E005"
    assert advice in text
    assert SECRET not in text


@pytest.mark.servers
def test_a_postgresql_that_hangs(pg: Server, elsewhere: Say) -> None:
    pg.freeze()
    try:
        [(number, text)] = elsewhere(DATABASE_URL=pg.url.format(name="postgres"))
    finally:
        pg.thaw()
    assert number == "marquee.E005"
    assert "timeout expired. Start the server" in text


@pytest.mark.servers
def test_a_postgresql_that_is_too_old(pg: Server, elsewhere: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.backends.postgresql.features import DatabaseFeatures

    monkeypatch.setattr(DatabaseFeatures, "minimum_database_version", (999,))
    [(number, text)] = elsewhere(DATABASE_URL=pg.url.format(name="postgres"))
    assert number == "marquee.E005"
    assert "PostgreSQL 999 or later is required" in text
    assert "Upgrade the server." in text


@pytest.mark.servers
def test_nothing_is_said_of_a_postgresql_that_can_be_used(pg: Server, elsewhere: Say) -> None:
    assert elsewhere(DATABASE_URL=pg.url.format(name="postgres")) == []


@pytest.mark.servers
def test_nothing_is_said_of_a_replica_set(mongo: Server, elsewhere: Say) -> None:
    assert elsewhere(MONGODB_URI=mongo.url.format(name="marquee")) == []


@pytest.mark.servers
@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (("mongodb://", f"mongodb://eve:{SECRET}@"), "Correct the user or the password in MONGODB_URI."),
        (("rs0", "rs1"), "See with rs.status() that it is a replica set of the name in MONGODB_URI"),
    ],
)
def test_a_mongodb_that_will_not_have_us(
    mongo: Server, elsewhere: Say, change: tuple[str, str], advice: str
) -> None:
    [(number, text)] = elsewhere(MONGODB_URI=mongo.url.format(name="marquee").replace(*change))
    assert number == "marquee.E005"
    assert advice in text
    assert SECRET not in text


@pytest.mark.servers
def test_a_mongodb_without_a_replica_set(elsewhere: Say) -> None:
    with mongod() as server:
        port = int(server.command[server.command.index("--port") + 1])
        server.end()
        at = server.command.index("--replSet")
        alone = Server(
            [*server.command[:at], *server.command[at + 2 :]], server.log, up=lambda: listens(port)
        )
        alone.start()
        try:
            [(number, text)] = elsewhere(MONGODB_URI=f"mongodb://127.0.0.1:{port}/marquee")
        finally:
            alone.end()
    assert number == "marquee.E004"
    assert "is no replica set" in text


def test_setup_ends_with_one_line_and_no_trace(tmp_path: Path) -> None:
    url = f"postgresql://ada:{SECRET}@127.0.0.1:{free_port()}/marquee"
    done = subprocess.run(
        [sys.executable, "manage.py", "setup"],
        cwd=env.BASE_DIR,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": url,
            "DATA_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith("CommandError: PostgreSQL 127.0.0.1:")
    assert SECRET not in done.stderr
