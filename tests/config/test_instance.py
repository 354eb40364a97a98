"""One data folder, one supervisor; ports that cannot be had; what other commands learn of a run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config.supervisor.instance import (
    CannotStart,
    Running,
    check_port,
    data_dir,
    kept_port,
    only_one,
    running,
    tell,
)


def test_a_second_run_on_the_same_data_is_told_who_runs(tmp_path: Path) -> None:
    with only_one(tmp_path) as lock:
        tell(lock, Running(pid=4711, url="http://127.0.0.1:8000"))
        with (
            pytest.raises(CannotStart, match=r"process 4711 at http://127\.0\.0\.1:8000.*kill 4711"),
            only_one(tmp_path),
        ):
            pass
    with only_one(tmp_path):
        pass


def test_the_lock_goes_with_a_process_that_is_killed(tmp_path: Path) -> None:
    code = "import sys,time; from pathlib import Path; from config.supervisor.instance import only_one\n"
    code += "with only_one(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", code, str(tmp_path)]
    holder = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    found = running(tmp_path)
    assert found
    assert found.pid == holder.pid
    holder.kill()
    holder.wait(10)
    assert running(tmp_path) is None
    with only_one(tmp_path):
        pass


def test_what_runs_is_told_with_its_addresses_and_to_the_owner_alone(tmp_path: Path) -> None:
    assert running(tmp_path) is None
    said = Running(pid=os.getpid(), url="http://127.0.0.1:1", environment={"REDIS_URL": "unix:///x"})
    with only_one(tmp_path) as lock:
        tell(
            lock,
            Running(pid=os.getpid(), url="a much longer address than the one that is written over it" * 3),
        )
        tell(lock, said)
        assert running(tmp_path) == said
    assert running(tmp_path) is None
    assert (tmp_path / "run.lock").stat().st_mode & 0o077 == 0


def test_a_port_in_use_is_named_and_another_one_suggested() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"Port {port} is in use.*make run PORT="):
            check_port(port)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(CannotStart, match="1 to 65535"):
        check_port(port)


def test_a_kept_port_stays_the_same_until_another_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "demo-port"
    port = kept_port(file)
    assert kept_port(file) == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert kept_port(file) != port
    file.write_text("not a port")
    assert kept_port(file) > 0


def test_the_data_folder_is_private_and_one_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    made = data_dir(str(tmp_path / "a" / "b"))
    assert made.stat().st_mode & 0o077 == 0
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"file/data cannot be made: .*Set DATA_DIR"):
        data_dir(str(tmp_path / "file" / "data"))
