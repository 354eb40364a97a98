"""Redis stopped, killed, restarted: an event comes later, never not at all."""

from __future__ import annotations

import os
import signal

import pytest

from config.supervisor.children import end
from tests import servers
from tests.streaming.live.stack import Stack, until

pytestmark = pytest.mark.servers


def test_events_come_while_redis_hangs_and_after(stack: Stack) -> None:
    movie = stack.new_movie()
    with stack.watch(movie) as stream:
        stream.next()
        pid = stack.valkey_pid
        os.kill(pid, signal.SIGSTOP)
        try:
            stack.tell("activate", movie, 1080)
            assert stream.next().id == f"{movie}:2"
        finally:
            os.kill(pid, signal.SIGCONT)
        stack.tell("activate", movie, 720)
        assert stream.next().id == f"{movie}:3"


def test_events_come_while_redis_is_dead_and_at_once_when_it_is_back(stack: Stack) -> None:
    movie = stack.new_movie()
    with stack.watch(movie) as stream:
        stream.next()
        stack.kill_valkey()
        try:
            stack.tell("activate", movie, 1080)
            assert stream.next().id == f"{movie}:2"
        finally:
            stack.start_valkey()
        until(lambda: stack.listeners() == 1, "the subscriber is back")
        stack.tell("activate", movie, 720)
        assert stream.next().id == f"{movie}:3"
    assert "Redis does not answer" in stack.log
    assert "Redis is back" in stack.log


def test_a_web_process_that_starts_without_redis_serves_all_the_same(stack: Stack) -> None:
    movie = stack.new_movie()
    stack.kill_valkey()
    port = servers.free_port()
    try:
        web = stack.start_web(port)
        with stack.watch(movie, port=port) as stream:
            assert stream.next().type == "snapshot"
            stack.tell("activate", movie, 1080)
            assert stream.next().id == f"{movie}:2"
    finally:
        stack.start_valkey()
    until(lambda: stack.listeners() == 2, "both processes listen")
    end(web, (signal.SIGTERM, 5.0))
