"""Temporary folders: gone when their owner is, however it ended, and never while it lives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests import folders

HOLDS_ONE = """
import sys, pathlib
from tests.folders import temporary
with temporary(pathlib.Path(sys.argv[1])) as folder:
    (folder / "file").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_is_removed_with_all_that_is_in_it(tmp_path: Path) -> None:
    with folders.temporary(tmp_path) as folder:
        (folder / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_is_in_use_stays(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS_ONE, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        left = Path(owner.stdout.readline().strip())
        with folders.temporary(tmp_path) as mine:
            assert set(tmp_path.iterdir()) == {left, mine}
            os.kill(owner.pid, signal.SIGKILL)
            owner.wait(10)
            assert left.exists()
            with folders.temporary(tmp_path):
                assert not left.exists()
                assert mine.exists()
