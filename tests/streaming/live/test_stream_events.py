"""GET /api/movies/<id>/stream-events on a real web process, with switches made by another process."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from streaming.live.hub import POLL_S
from streaming.live.room import MAX_STREAMS_PER_ADDRESS
from tests import servers
from tests.streaming.live.stack import Stack, until

pytestmark = [pytest.mark.servers, pytest.mark.rows]

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc, and has all of 127/8 for itself"
)


def test_a_stream_begins_with_a_snapshot_of_what_is_active(stack: Stack) -> None:
    movie = stack.new_movie(height=720)
    with stack.watch(movie) as stream:
        snapshot = stream.next()
    assert (snapshot.type, snapshot.id) == ("snapshot", f"{movie}:1")
    assert {key: snapshot.data[key] for key in ("movie", "seq", "quality", "delivery", "url")} == {
        "movie": movie,
        "seq": 1,
        "quality": "720p",
        "delivery": "hls",
        "url": f"https://films.example/{movie}/720.m3u8",
    }


def test_a_movie_without_a_stream_has_a_snapshot_that_says_so(stack: Stack) -> None:
    movie = stack.new_movie(height=0)
    with stack.watch(movie) as stream:
        assert stream.next().data == {"movie": movie, "seq": 0, "switched_at": None, "stream": None}
        stack.tell("activate", movie, 720)
        assert stream.next().id == f"{movie}:1"


def test_nothing_on_the_way_may_keep_or_hold_back_a_stream(stack: Stack) -> None:
    with stack.watch(stack.new_movie()) as stream:
        headers = stream.response.headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store, no-transform"
    assert headers["x-accel-buffering"] == "no"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_switch_in_another_process_is_told_to_everyone_who_watches_the_movie(stack: Stack) -> None:
    movie, other = stack.new_movie(), stack.new_movie()
    with stack.watch(movie) as first, stack.watch(movie) as second, stack.watch(other) as elsewhere:
        assert {stream.next().type for stream in (first, second, elsewhere)} == {"snapshot"}
        stack.tell("activate", movie, 1080)
        stack.tell("activate", other, 1080)
        told = first.next()
        assert told == second.next()
        assert elsewhere.next().id == f"{other}:2"
    assert (told.type, told.id) == ("stream.activated", f"{movie}:2")
    assert (told.data["from"]["quality"], told.data["to"]["quality"]) == ("720p", "1080p")


def test_every_turn_of_a_burst_is_told_in_order(stack: Stack) -> None:
    movie = stack.new_movie()
    with stack.watch(movie) as stream:
        assert stream.next().data["seq"] == 1
        last = stack.tell("swing", movie, 9)
        assert [stream.next().data["seq"] for _ in range(2, last + 1)] == list(range(2, last + 1))


def test_with_redis_an_event_does_not_wait_for_the_poll(stack: Stack) -> None:
    movie, turns = stack.new_movie(), 6
    with stack.watch(movie) as stream:
        stream.next()
        until(lambda: stack.listeners() == 1, "the process listens")
        begun = time.monotonic()
        for turn in range(turns):
            stack.tell("activate", movie, (1080, 720)[turn % 2])
            stream.next()
        # By poll alone, each but the first would take a whole interval.
        assert time.monotonic() - begun < (turns - 1) * POLL_S / 2


def test_a_turn_that_is_only_half_made_is_not_told(stack: Stack) -> None:
    movie = stack.new_movie()
    half = stack.tell("half_made", movie)
    with stack.watch(movie, last_event_id=f"{movie}:{half - 2}") as stream:
        assert stream.next().data["seq"] == half - 1
    with stack.watch(movie) as stream:
        assert stream.next().data["seq"] == half - 1


def test_last_event_id_brings_what_was_missed_and_nothing_twice(stack: Stack) -> None:
    movie = stack.new_movie()
    last = stack.tell("swing", movie, 5)
    with stack.watch(movie, last_event_id=f"{movie}:{last - 2}") as stream:
        assert [stream.next().id for _ in range(2)] == [f"{movie}:{last - 1}", f"{movie}:{last}"]
    with stack.watch(movie, last_event_id=f"{movie}:{last}") as stream:
        newest = stack.tell("activate", movie, 720)
        assert stream.next().id == f"{movie}:{newest}"


@pytest.mark.parametrize(
    "last_event_id", ["{other}:1", "{movie}:99", "{movie}:0", "error", "1:2:3", "{movie}:x"]
)
def test_a_last_event_id_that_leads_nowhere_brings_a_snapshot(stack: Stack, last_event_id: str) -> None:
    movie = stack.new_movie()
    stack.tell("swing", movie, 21)
    with stack.watch(movie, last_event_id=last_event_id.format(movie=movie, other=movie + 1)) as stream:
        assert stream.next().type == "snapshot"


def test_hiding_a_movie_ends_its_streams_and_opens_no_more(stack: Stack) -> None:
    movie = stack.new_movie()
    with stack.watch(movie) as stream:
        stream.next()
        stack.tell("hide", movie)
        last = stream.next()
        assert (last.type, last.data) == ("gone", {"movie": movie})
        assert stream.next() is None
    connection, response = stack.request("GET", f"/api/movies/{movie}/stream-events")
    assert response.status == 404
    connection.close()


def test_a_path_that_is_not_quite_ours_is_djangos(stack: Stack) -> None:
    for path in (
        "/api/movies/0/stream-events",
        "/api/movies/007/stream-events",
        f"/api/movies/{2**31}/stream-events",
    ):
        connection, response = stack.request("GET", path)
        assert response.status == 404
        assert response.headers["x-frame-options"] == "DENY", path
        connection.close()


def test_an_unknown_movie_is_a_problem(stack: Stack) -> None:
    connection, response = stack.request("GET", "/api/movies/999999/stream-events/")
    assert response.headers["content-type"] == "application/problem+json"
    assert json.load(response)["status"] == response.status == 404
    connection.close()


def test_head_options_and_other_methods(stack: Stack) -> None:
    path = f"/api/movies/{stack.new_movie()}/stream-events/"
    expected = {"HEAD": 200, "OPTIONS": 204, "POST": 405, "DELETE": 405}
    for method, status in expected.items():
        connection, response = stack.request(method, path)
        body = response.read()
        assert response.status == status
        assert (response.headers["allow"] == "GET, HEAD, OPTIONS") is (method != "HEAD")
        assert bool(body) is (status == 405)
        connection.close()


def test_a_host_that_is_not_ours_is_refused(stack: Stack) -> None:
    path = f"/api/movies/{stack.new_movie()}/stream-events"
    connection, response = stack.request("GET", path, host="evil.example")
    assert response.status == 400
    connection.close()


@linux_only
def test_viewers_hold_neither_threads_nor_database_connections(stack: Stack) -> None:
    movie = stack.new_movie()
    with stack.watch(movie) as warm:
        warm.next()
        stack.tell("activate", movie, 1080)
        warm.next()
    before = _threads(stack.web.pid)
    with ExitStack() as streams:
        sources = [f"127.0.{1 + number // 50}.1" for number in range(200)]
        viewers = [streams.enter_context(stack.watch(movie, source=source)) for source in sources]
        for viewer in viewers:
            viewer.next()
        last = stack.tell("activate", movie, 720)
        assert {viewer.next().id for viewer in viewers} == {f"{movie}:{last}"}
        assert _threads(stack.web.pid) <= before + 1  # the second of the hub's two threads
        assert stack.database_connections() <= 10


def test_a_client_that_leaves_gives_its_place_back(stack: Stack) -> None:
    movie = stack.new_movie()
    for _ in range(MAX_STREAMS_PER_ADDRESS + 20):
        with stack.watch(movie) as stream:
            assert stream.next().type == "snapshot"


@linux_only
def test_places_are_counted_by_address_whatever_a_client_says_of_it(stack: Stack) -> None:
    movie, source = stack.new_movie(), "127.9.9.9"
    path = f"/api/movies/{movie}/stream-events"
    with ExitStack() as streams:
        for number in range(MAX_STREAMS_PER_ADDRESS):
            said = {"x_forwarded_for": f"203.0.113.{number}", "forwarded": f"for=203.0.113.{number}"}
            streams.enter_context(stack.watch(movie, source=source, **said))
        connection, response = stack.request(
            "GET", path, source=source, x_forwarded_for="203.0.113.200", x_real_ip="203.0.113.200"
        )
        assert (response.status, response.headers["retry-after"]) == (429, "30")
        connection.close()


def test_with_the_database_away_streams_stay_and_then_go_on(stack: Stack) -> None:
    if not stack.on_sqlite:
        pytest.skip("the server is shared with other tests; tests/faults takes one of its own away")
    movie = stack.new_movie()
    database, away = stack.folder / "marquee.sqlite3", stack.folder / "away.sqlite3"
    with stack.watch(movie) as stream:
        stream.next()
        database.rename(away)
        database.mkdir()
        try:
            until(lambda: "cannot read the database" in stack.log, "the outage is noticed")
        finally:
            database.rmdir()
            away.rename(database)
        stack.tell("activate", movie, 1080)
        assert stream.next().id == f"{movie}:2"
    assert stack.log.count("cannot read the database") == 1
    until(lambda: "reads the database again" in stack.log, "the end of the outage is noticed")


def test_sigterm_ends_the_process_at_once_and_every_stream_properly(stack: Stack) -> None:
    movie, port = stack.new_movie(), servers.free_port()
    web = stack.start_web(port)
    with ExitStack() as streams:
        viewers = [streams.enter_context(stack.watch(movie, port=port)) for _ in range(20)]
        for viewer in viewers:
            viewer.next()
        os.kill(web.pid, signal.SIGTERM)
        assert [viewer.next() for viewer in viewers] == [None] * 20
        web.wait(5)
    assert "Traceback" not in (stack.folder / f"web-{port}.log").read_text()


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
