"""The origin as a client meets it: real sockets, real processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.catalogue import MEDIA, load
from demo.clock import Clock
from demo.origin import Server, Site
from demo.pages import parse_range

ROOT = Path(__file__).resolve().parents[2]
CLIP = "/library/media/10378/720p-hls.mp4"
BYTES = (MEDIA / "10378" / "720p-hls.mp4").read_bytes()


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def server(tmp_path: Path, now: Now) -> Iterator[Server]:
    server = Server(("127.0.0.1", 0), Site(load(), Clock(tmp_path / "demo.json", now=now)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    yield connection
    connection.close()


Answer = tuple[int, http.client.HTTPMessage, bytes]


def ask(client: http.client.HTTPConnection, path: str, *, method: str = "GET", **headers: str) -> Answer:
    client.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = client.getresponse()
    return answer.status, answer.headers, answer.read()


def begin(client: http.client.HTTPConnection) -> None:
    assert ask(client, "/3/configuration?api_key=demo")[0] == 200


def test_a_range_answers_206_with_just_those_bytes(client: http.client.HTTPConnection) -> None:
    status, headers, body = ask(client, CLIP, Range="bytes=100-199")
    assert (status, body) == (206, BYTES[100:200])
    assert headers["Content-Range"] == f"bytes 100-199/{len(BYTES)}"


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ("bytes=-50", 206, BYTES[-50:]),
        (f"bytes={len(BYTES) - 5}-", 206, BYTES[-5:]),
        (f"bytes=0-{len(BYTES) * 2}", 206, BYTES),
        (f"bytes={len(BYTES)}-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=5-2", 200, BYTES),
        ("bytes=0-1,5-6", 200, BYTES),
        ("lines=0-1", 200, BYTES),
    ],
)
def test_ranges_follow_rfc_9110(
    client: http.client.HTTPConnection, asked: str, status: int, body: bytes
) -> None:
    assert ask(client, CLIP, Range=asked)[::2] == (status, body)


@given(st.text() | st.from_regex(r"\s*bytes=\d{0,20}-\d{0,20}", fullmatch=True), st.integers(1, 10**9))
def test_no_range_header_is_too_strange(asked: str, size: int) -> None:
    wanted = parse_range(asked, size)
    if wanted is not None and wanted[0] <= wanted[1]:
        assert 0 <= wanted[0] <= wanted[1] < size


def test_head_says_what_get_would_send(client: http.client.HTTPConnection) -> None:
    status, headers, body = ask(client, CLIP, method="HEAD")
    assert (status, body, headers["Content-Length"]) == (200, b"", str(len(BYTES)))
    assert ask(client, CLIP)[0] == 200


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (CLIP, "video/mp4"),
        ("/library/media/10378/720p-hls.m3u8", "application/vnd.apple.mpegurl"),
        ("/library/media/9761/720p-dash.mpd", "application/dash+xml"),
        ("/library/media/653/1080p-hls.m3u8?take=1", "application/vnd.apple.mpegurl"),
        ("/library/media/audio.mp4", "video/mp4"),
        ("/library/media/audio.m3u8", "application/vnd.apple.mpegurl"),
        ("/t/p/w500/10378-poster.svg", "image/svg+xml"),
        ("/t/p/original/10378-backdrop.svg", "image/svg+xml"),
        ("/library/movies/10378.json", "application/json; charset=utf-8"),
    ],
)
def test_everything_has_its_type_and_is_open_to_players(
    client: http.client.HTTPConnection, path: str, kind: str
) -> None:
    status, headers, _ = ask(client, path)
    assert (status, headers["Content-Type"], headers["Access-Control-Allow-Origin"]) == (200, kind, "*")


def test_a_player_may_ask_first_whether_it_may_ask_for_a_range(client: http.client.HTTPConnection) -> None:
    status, headers, body = ask(
        client, CLIP, method="OPTIONS", Origin="http://localhost", Access_Control_Request_Headers="range"
    )
    assert (status, body, headers["Access-Control-Allow-Headers"]) == (204, b"", "Range")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/library/",
        "/library/media/",
        "/library/media/10378/",
        "/library/media/10378/..",
        "/library/media/1/720p-hls.mp4",
        "/library/media/10378/../../films.json",
        "/library/media/10378/..%2f..%2ffilms.json",
        "/library/media/%2e%2e/films.json",
        "/library/media/../films.json",
        "/library/../films.json",
        "/library/media//etc/passwd",
        "//etc/passwd",
        "/library/media/10378/720p-hls.mp4%00.svg",
        "/t/p/w500/../../films.json",
        "/t/p/w500/10378-poster.svg/..",
        "/t/p/w500/1-poster.svg",
        "/library/movies/10378.json/",
        "/library/movies/..%2f10378.json",
    ],
)
def test_what_is_not_named_is_not_there(client: http.client.HTTPConnection, path: str) -> None:
    status, headers, body = ask(client, path)
    assert (status, headers["Content-Type"]) == (404, "application/json; charset=utf-8")
    assert "detail" in json.loads(body)


def test_other_methods_are_refused_as_json(client: http.client.HTTPConnection) -> None:
    status, headers, body = ask(client, CLIP, method="POST")
    assert (status, headers["Connection"]) == (405, "close")
    assert "detail" in json.loads(body)


def test_a_request_that_is_none_gets_an_answer_and_the_server_lives_on(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10) as wire:
        wire.sendall(b"GET /%ff\xff HTTP/1.1\r\nBroken\r\n\r\n")
        assert wire.recv(100).startswith(b"HTTP/1.1 4")
    with socket.create_connection(("127.0.0.1", server.server_address[1]), timeout=10) as wire:
        wire.sendall(f"GET {CLIP} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    assert ask(connection, "/healthz")[0] == 200
    connection.close()


def test_tmdb_wants_a_key(client: http.client.HTTPConnection) -> None:
    for path in ("/3/movie/popular", "/3/movie/popular?api_key="):
        status, _, body = ask(client, path)
        assert (status, json.loads(body)["status_code"]) == (401, 7)
    assert ask(client, "/3/movie/popular", Authorization="Bearer token")[0] == 200


@pytest.mark.parametrize("kind", ["now_playing", "popular", "top_rated", "upcoming"])
def test_a_list_is_a_page_of_films_and_ends(client: http.client.HTTPConnection, kind: str) -> None:
    page = json.loads(ask(client, f"/3/movie/{kind}?api_key=k&page=1")[2])
    assert page["page"] == page["total_pages"] == 1
    assert len(page["results"]) == page["total_results"] > 0
    assert {"id", "title", "release_date", "poster_path", "genre_ids"} <= set(page["results"][0])
    for beyond in ("2", "0", "-1", "x", "501", ""):
        path = f"/3/movie/{kind}?api_key=k&page={beyond}"
        assert ask(client, path)[0] == (422 if beyond else 200)


def test_a_film_stands_in_several_lists(client: http.client.HTTPConnection) -> None:
    lists = [
        json.loads(ask(client, f"/3/movie/{kind}?api_key=k")[2])
        for kind in ("now_playing", "popular", "top_rated")
    ]
    assert [10378 in {film["id"] for film in page["results"]} for page in lists] == [True, True, True]


def test_details_bring_what_was_asked_to_be_appended(client: http.client.HTTPConnection) -> None:
    film = json.loads(
        ask(client, "/3/movie/10378?api_key=k&append_to_response=external_ids,release_dates")[2]
    )
    assert (film["title"], film["runtime"], film["imdb_id"]) == ("Big Buck Bunny", 10, "tt1254207")
    assert film["external_ids"]["imdb_id"] == "tt1254207"
    assert film["release_dates"]["results"][0]["release_dates"][0]["release_date"].startswith("2008-04-10")
    assert "external_ids" not in json.loads(ask(client, "/3/movie/10378?api_key=k")[2])


@pytest.mark.parametrize(
    "path", ["/3/movie/1", "/3/movie/x", "/3/tv/popular", "/3/", f"/3/movie/{'9' * 4000}"]
)
def test_what_tmdb_does_not_know_is_its_404(client: http.client.HTTPConnection, path: str) -> None:
    status, _, body = ask(client, f"{path}?api_key=k")
    assert (status, json.loads(body)["status_code"]) == (404, 34)


def test_configuration_leads_to_pictures_here(client: http.client.HTTPConnection, server: Server) -> None:
    images = json.loads(ask(client, "/3/configuration?api_key=k")[2])["images"]
    assert images["secure_base_url"] == f"{server.origin}/t/p/"
    assert "w500" in images["poster_sizes"]


def test_the_clock_waits_for_the_first_question(client: http.client.HTTPConnection, now: Now) -> None:
    now.seconds += 500
    assert len(json.loads(ask(client, "/library/movies/10378.json")[2])["renditions"]) == 1
    begin(client)
    now.seconds += 76
    assert len(json.loads(ask(client, "/library/movies/10378.json")[2])["renditions"]) == 2


def test_a_listing_says_until_when_it_holds(client: http.client.HTTPConnection, now: Now) -> None:
    begin(client)
    now.seconds += 70.5
    assert ask(client, "/library/movies/10378.json")[1]["Cache-Control"] == "max-age=5"
    now.seconds += 300
    assert ask(client, "/library/movies/10378.json")[1]["Cache-Control"] == "max-age=21600"


def test_a_film_without_renditions_is_404_and_says_when_to_ask_again(tmp_path: Path) -> None:
    films = tuple(film for film in load() if film.tmdb_id == 10378)
    late = replace(films[0], renditions=tuple(replace(each, starts=45) for each in films[0].renditions))
    reply = Site((late,), Clock(tmp_path / "s.json")).reply("/library/movies/10378.json", {}, origin="")
    assert (reply.status, reply.headers["Cache-Control"]) == (404, "max-age=45")


def test_a_broken_stream_is_404_in_every_file(client: http.client.HTTPConnection, now: Now) -> None:
    begin(client)
    files = [f"/library/media/133701/1080p-hls{end}" for end in (".mp4", ".m3u8", ".video.m3u8")]
    assert [ask(client, path)[0] for path in files] == [200, 200, 200]
    now.seconds += 51
    assert [ask(client, path)[0] for path in files] == [404, 404, 404]


def test_one_stream_is_a_web_page(client: http.client.HTTPConnection) -> None:
    status, headers, body = ask(client, "/library/media/20529/2160p-mp4.mp4")
    assert (status, headers["Content-Type"]) == (200, "text/html")
    assert body.startswith(b"<!doctype html>")


def test_what_is_not_released_yet_is_not_served(client: http.client.HTTPConnection, now: Now) -> None:
    begin(client)
    assert ask(client, "/library/media/10378/2160p-hls.mp4", method="HEAD")[0] == 404
    now.seconds += 171
    assert ask(client, "/library/media/10378/2160p-hls.mp4", method="HEAD")[0] == 200


# -- the process


def start(state: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.origin", "--port", "0", "--state", str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline().rpartition(":")[2])


def stop(process: subprocess.Popen[str], number: signal.Signals) -> int:
    process.send_signal(number)
    process.communicate(timeout=20)
    return process.returncode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    process, port = start(tmp_path / "demo.json")
    keeps_open = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    assert ask(keeps_open, "/healthz")[0] == 200
    assert stop(process, number) == 0
    keeps_open.close()


def test_the_clock_goes_on_after_a_kill(tmp_path: Path) -> None:
    state = tmp_path / "folder" / "demo.json"
    process, port = start(state)
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    begin(client)
    client.close()
    stop(process, signal.SIGKILL)
    epoch = json.loads(state.read_text())["epoch"]
    state.write_text(json.dumps({"epoch": epoch - 100}))
    process, port = start(state)
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    begin(client)
    assert json.loads(ask(client, "/healthz")[2])["seconds"] >= 100
    client.close()
    stop(process, signal.SIGTERM)
    assert json.loads(state.read_text())["epoch"] == epoch - 100


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"epoch": "x"}', '{"epoch": []}'])
def test_a_state_file_of_somebody_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "demo.json").write_text(text)
    with pytest.raises(ValueError, match="delete it to start over"):
        Clock(tmp_path / "demo.json")


def test_a_port_in_use_is_said(tmp_path: Path, server: Server) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "demo.origin",
            "--port",
            str(server.server_address[1]),
            "--state",
            str(tmp_path / "x"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The demo origin can't start: ")
