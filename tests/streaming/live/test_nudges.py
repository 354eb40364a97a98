"""The subscriber hears what django-eventstream publishes, and survives whatever breaks its connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
import redis
from django.conf import settings
from django_eventstream import send_event

from streaming import events
from streaming.live import nudges
from tests import loops

pytestmark = pytest.mark.servers
WATCHDOG_S = 10


class Heard:
    def __init__(self) -> None:
        self.movies: asyncio.Queue[int] = asyncio.Queue()
        self.starts: asyncio.Queue[None] = asyncio.Queue()

    def look_at(self, movie_id: int) -> None:
        self.movies.put_nowait(movie_id)

    def look_at_all(self) -> None:
        self.starts.put_nowait(None)


def _while_listening(scenario: Callable[[Heard], Awaitable[None]]) -> None:
    async def run() -> None:
        heard = Heard()
        listening = asyncio.create_task(nudges.listen(settings.EVENTSTREAM_REDIS, heard))
        try:
            async with asyncio.timeout(WATCHDOG_S):
                await heard.starts.get()
                await scenario(heard)
        finally:
            listening.cancel()

    loops.run(run())


def _publish(movie_id: int) -> None:
    send_event(events.channel(movie_id), "stream.upgraded", {"movie": movie_id, "seq": 1})


def test_a_published_switch_is_heard_and_everything_else_passed_over(valkey: redis.Redis) -> None:
    async def scenario(heard: Heard) -> None:
        for noise in (
            b"\xff",
            b"{}",
            b"[1]",
            b'{"data": "{}"}',
            b'{"data": "{\\"movie\\": \\"7\\"}"}',
            b"null",
        ):
            valkey.publish(nudges.CHANNEL, noise)
        _publish(7)
        assert await heard.movies.get() == 7

    _while_listening(scenario)


def test_after_a_broken_connection_everything_is_looked_at_and_nudges_are_heard_again(
    valkey: redis.Redis,
) -> None:
    async def scenario(heard: Heard) -> None:
        valkey.execute_command("CLIENT", "KILL", "TYPE", "PUBSUB")
        await heard.starts.get()
        _publish(8)
        assert await heard.movies.get() == 8

    _while_listening(scenario)


def test_a_server_that_falls_silent_is_given_up(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudges, "QUIET_S", 0.05)
    monkeypatch.setattr(nudges, "ANSWER_S", 0.2)

    async def scenario(heard: Heard) -> None:
        valkey.execute_command("CLIENT", "PAUSE", "1000", "ALL")
        await heard.starts.get()

    _while_listening(scenario)


def test_a_quiet_server_is_kept(valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nudges, "QUIET_S", 0.01)

    async def scenario(heard: Heard) -> None:
        pings = _pings(valkey)
        while _pings(valkey) < pings + 3:
            await asyncio.sleep(0.01)
        _publish(9)
        assert await heard.movies.get() == 9
        assert heard.starts.empty()

    _while_listening(scenario)


def test_an_unforeseen_error_is_logged_and_tried_again(
    valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    subscribe, failures = nudges._subscribe, [ValueError("what is this?")]

    async def fails_once(*args: object) -> None:
        if failures:
            raise failures.pop()
        await subscribe(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(nudges, "_subscribe", fails_once)

    async def scenario(heard: Heard) -> None:
        _publish(10)
        assert await heard.movies.get() == 10

    _while_listening(scenario)
    assert "what is this?" in caplog.text


def test_a_nudge_names_a_movie() -> None:
    data = json.dumps({"channel": "movie-7", "data": json.dumps({"movie": 7, "seq": 2})}).encode()
    assert nudges.movie_of({"type": "message", "data": data}) == 7
    assert nudges.movie_of({"type": "pong", "data": b""}) is None
    assert nudges.movie_of({"type": "subscribe", "data": 1}) is None


def _pings(client: redis.Redis) -> int:
    return int(client.info("commandstats").get("cmdstat_ping", {"calls": 0})["calls"])
