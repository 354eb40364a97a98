"""Streams are bounded, in all and by address; who gets none is told when to come back."""

from __future__ import annotations

import json
import resource
from contextlib import ExitStack
from typing import Any

import pytest

from streaming.live import http
from streaming.live.app import LiveApp
from streaming.live.hub import Hub
from streaming.live.room import Refused, Room, fit_open_files
from tests import loops


def test_an_address_has_its_share_and_gets_it_back() -> None:
    room = Room(total=10, per_address=2)
    with room.place("10.0.0.1"), room.place("10.0.0.1"), room.place("10.0.0.2"):
        with pytest.raises(Refused, match="from your address") as refused, room.place("10.0.0.1"):
            pass
        assert (refused.value.status, refused.value.retry_after_s > 0) == (429, True)
    assert room.taken == 0
    with room.place("10.0.0.1"):
        assert room.taken == 1


def test_all_places_are_bounded_and_an_unknown_address_counts_to_them_alone() -> None:
    room = Room(total=3, per_address=1)
    with ExitStack() as places:
        for _ in range(3):
            places.enter_context(room.place(""))
        with pytest.raises(Refused, match="taken") as refused, room.place("10.0.0.1"):
            pass
    assert refused.value.status == 503


def test_a_place_is_given_back_when_the_stream_fails() -> None:
    room = Room()
    with pytest.raises(RuntimeError), room.place("10.0.0.1"):
        raise RuntimeError
    assert room.taken == 0


def test_there_are_never_more_places_than_files_that_may_be_open() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert fit_open_files(10) == 10
    if hard != resource.RLIM_INFINITY:
        assert 0 < fit_open_files(hard + 1000) < hard


def test_the_application_says_when_to_come_back() -> None:
    scope: http.Scope = {"type": "http", "method": "GET", "path": "/api/movies/7/stream-events"}
    scope |= {"headers": [(b"host", b"localhost")], "client": ("10.0.0.1", 9), "server": ("127.0.0.1", 8000)}
    sent: list[http.Message] = []

    async def scenario() -> None:
        hub = Hub(redis={"unix_socket_path": "/nowhere"}, room=Room(total=0))
        try:
            await LiveApp(_unreachable, hub)(scope, _unreachable, _collect(sent))
        finally:
            await hub.stop()

    loops.run(scenario())
    head, body = sent
    headers = dict(head["headers"])
    assert (head["status"], headers[b"retry-after"]) == (503, b"10")
    assert json.loads(body["body"])["title"] == "Service Unavailable"


@pytest.mark.parametrize(
    ("path", "root", "movie"),
    [
        ("/api/movies/7/stream-events", "", 7),
        ("/api/movies/7/stream-events/", "", 7),
        ("/site/api/movies/7/stream-events", "/site", 7),
        ("/api/movies/7/stream-events//", "", None),
        ("/api/movies/7/stream-events\n", "", None),
        ("/api/movies/\u0667/stream-events", "", None),
        ("/api/movies/2147483647/stream-events", "", 2147483647),
        ("/api/movies/2147483648/stream-events", "", None),
        ("/api/movies/-7/stream-events", "", None),
        ("/api/movies/7/active-stream", "", None),
    ],
)
def test_which_requests_are_ours(path: str, root: str, movie: int | None) -> None:
    assert http.watched_movie({"path": path, "root_path": root}) == movie


async def _unreachable(*_: Any) -> Any:
    raise AssertionError("not to be called")


def _collect(sent: list[http.Message]) -> http.Send:
    async def send(message: http.Message) -> None:
        sent.append(message)

    return send
