"""What a viewer is told when the hub cannot serve it. (No test here may reach the database: it is away.)"""

from __future__ import annotations

import asyncio

import pytest

from streaming.live import hub as live
from streaming.live.hub import Hub
from streaming.live.room import Refused, Room
from tests import loops

NO_REDIS = {"unix_socket_path": "/nowhere"}


async def _refusal(hub: Hub) -> Refused:
    with pytest.raises(Refused) as refused:
        async with hub.watch(7):
            pass
    return refused.value


def test_without_a_database_a_viewer_is_asked_to_come_back(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "FIRST_READ_S", 0.2)
    room = Room()

    async def scenario() -> Refused:
        hub = Hub(redis=NO_REDIS, room=room)
        try:
            return await _refusal(hub)
        finally:
            await hub.stop()

    refused = loops.run(scenario())
    assert (refused.status, refused.retry_after_s) == (503, 5)
    assert "cannot read the database" in caplog.text
    assert room.taken == 0


def test_a_viewer_that_waits_while_the_server_ends_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FIRST_READ_S", 30)

    async def scenario() -> Refused:
        hub = Hub(redis=NO_REDIS)
        waiting = asyncio.create_task(_refusal(hub))
        await asyncio.sleep(0)
        hub.drain()
        try:
            async with asyncio.timeout(5):
                return await waiting
        finally:
            await hub.stop()

    assert loops.run(scenario()).status == 503


def test_the_feed_lag_grows_while_no_poll_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "POLL_S", 0.02)
    monkeypatch.setattr(live, "FIRST_READ_S", 0.2)

    async def scenario() -> tuple[float, float]:
        hub = Hub(redis=NO_REDIS)
        try:
            await _refusal(hub)
            failing = hub.feed_lag_s
            async with asyncio.timeout(5):
                while hub.feed_lag_s >= failing:  # nobody watches any more: every poll is complete
                    await asyncio.sleep(0.01)
            return failing, hub.feed_lag_s
        finally:
            await hub.stop()

    failing, idle = loops.run(scenario())
    assert idle < 0.2 <= failing
