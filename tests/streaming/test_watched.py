"""Which movies are watched: said by web processes, asked by jobs, forgotten soon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Any

import pytest
import redis

from streaming import watched
from streaming.live import reads
from streaming.live.hub import Hub
from streaming.live.news import Frame, News
from streaming.watched import KEY
from tests import loops


def note(movies: Collection[int], settings: Any) -> None:
    loops.run(watched.note(settings.EVENTSTREAM_REDIS, movies))


def test_what_any_process_says_is_known_to_all(valkey: redis.Redis, settings: Any) -> None:
    note([7, 9], settings)
    note([9, 11], settings)
    assert watched.now(limit=10) == {7, 9, 11}


def test_what_was_said_last_is_known_where_there_is_no_room_for_all(
    valkey: redis.Redis, settings: Any
) -> None:
    note([7, 9], settings)
    valkey.zadd(KEY, {"7": valkey.time()[0] - 10})
    assert watched.now(limit=1) == {9}


def test_what_nobody_has_said_for_a_while_is_forgotten_and_so_is_all_of_it(
    valkey: redis.Redis, settings: Any
) -> None:
    note([7, 9], settings)
    valkey.zadd(KEY, {"7": valkey.time()[0] - watched.FORGOTTEN_AFTER_S - 1})
    assert watched.now(limit=10) == {9}
    note([9], settings)
    assert valkey.zrange(KEY, 0, -1) == [b"9"]
    assert 0 < valkey.ttl(KEY) <= watched.FORGOTTEN_AFTER_S


def test_it_is_bounded(valkey: redis.Redis, settings: Any) -> None:
    note(range(watched.MOST), settings)
    note(range(watched.MOST, watched.MOST + 20), settings)
    assert valkey.zcard(KEY) == watched.MOST


def test_without_redis_nobody_is_known_to_watch_anything(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.REDIS_URL = "unix:///nowhere"
    assert watched.now(limit=10) == frozenset()
    assert "nobody is known to watch" in caplog.text


def test_it_goes_on_telling_when_redis_is_back(
    valkey: redis.Redis, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Twice away, said once; then it is told."""
    monkeypatch.setattr(watched, "EVERY_S", 0.0)
    nowhere = {**settings.EVENTSTREAM_REDIS, "unix_socket_path": "/nowhere"}
    asked = 0

    def movies() -> list[int]:
        nonlocal asked
        asked += 1
        if asked == 3:
            nowhere.update(settings.EVENTSTREAM_REDIS)
        return [7]

    async def until_told() -> None:
        telling = asyncio.create_task(watched.tell(nowhere, movies))
        async with asyncio.timeout(20):
            while not watched.now(limit=1):
                await asyncio.sleep(0.01)
        telling.cancel()

    with caplog.at_level(logging.WARNING):
        loops.run(until_told())
    assert caplog.text.count("jobs do not know what is watched") == 1


def test_where_nobody_watches_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched, "EVERY_S", 0.0)
    asked = asyncio.Event()

    def movies() -> list[int]:
        asked.set()
        return []

    async def refuse(*_: Any) -> None:
        raise AssertionError("nothing is to be said")

    monkeypatch.setattr(watched, "note", refuse)

    async def a_while() -> None:
        telling = asyncio.create_task(watched.tell({}, movies))
        await asyncio.wait_for(asked.wait(), 20)
        await asyncio.sleep(0)
        assert not telling.done()
        telling.cancel()

    loops.run(a_while())


def test_a_web_process_says_what_its_viewers_watch_and_nothing_once_they_left(
    valkey: redis.Redis, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "EVERY_S", 0.01)
    monkeypatch.setattr(reads, "read_news", lambda known: [News(i, Frame(1, b"")) for i in known])
    hub = Hub(redis=settings.EVENTSTREAM_REDIS)

    async def scenario() -> None:
        try:
            async with hub.watch(7), hub.watch(9), hub.watch(9), asyncio.timeout(20):
                while valkey.zcard(KEY) < 2:
                    await asyncio.sleep(0.01)
            assert hub.watched() == []
        finally:
            await hub.stop()

    loops.run(scenario())
    assert watched.now(limit=10) == {7, 9}
