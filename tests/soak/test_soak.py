"""A small soak, the same command as `make soak`: nothing is lost, doubled or left open."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from config.env import BASE_DIR

WATCHDOG_S = 240


@pytest.mark.servers
@pytest.mark.rows
@pytest.mark.timeout(WATCHDOG_S + 30)
def test_200_matches_survive_two_killed_workers_and_a_broker_that_is_started_again() -> None:
    size = ("--movies", "200", "--workers", "4", "--kills", "2", "--restarts", "1", "--hurry")
    command = [sys.executable, "-m", "tests.soak", *size]
    soak = subprocess.run(
        command, cwd=BASE_DIR, env=os.environ, capture_output=True, text=True, timeout=WATCHDOG_S
    )
    assert soak.returncode == 0, soak.stdout + soak.stderr
