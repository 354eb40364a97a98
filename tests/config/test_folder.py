"""A folder of films, served: what a player and a probe need of it, and nothing beside it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest

from config.env import BASE_DIR
from config.supervisor import processes
from config.supervisor.children import end, spawn
from tests.servers import eventually, free_port

pytestmark = pytest.mark.servers
Get = tuple[HTTPResponse, bytes]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    root = tmp_path_factory.mktemp("served")
    library = root / "library"
    (library / "movies").mkdir(parents=True)
    (library / "movies" / "961.json").write_text('{"renditions": []}')
    (library / "film.mp4").write_bytes(bytes(range(256)) * 100)
    (library / "film.mpd").write_text("<MPD/>")
    (root / "secret").write_text("not for you")
    port = free_port()
    environment = os.environ | {"LIBRARY_DIR": str(library)}
    process = spawn(processes.folder(port), env=environment, cwd=BASE_DIR)
    try:
        eventually(lambda: answers(port))
        yield port
    finally:
        end(process, (signal.SIGTERM, 10.0))


def answers(port: int) -> bool:
    try:
        return get(port, "/")[0].status == 404
    except OSError:
        return False


def get(port: int, path: str, **headers: str) -> Get:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    return response, response.read()


def test_a_films_file_says_how_long_it_is_fresh(port: int) -> None:
    response, body = get(port, "/library/movies/961.json")
    assert (response.status, body) == (200, b'{"renditions": []}')
    assert response.headers["Cache-Control"] == "max-age=60, public"


def test_a_range_of_a_film_is_that_range_for_a_player_of_any_page(port: int) -> None:
    response, body = get(port, "/library/film.mp4", Range="bytes=256-259")
    assert (response.status, body) == (206, bytes([0, 1, 2, 3]))
    assert response.headers["Content-Type"] == "video/mp4"
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_manifests_have_their_types(port: int) -> None:
    assert get(port, "/library/film.mpd")[0].headers["Content-Type"].startswith("application/dash+xml")


@pytest.mark.parametrize(
    "path", ["/secret", "/library/../secret", "/library/%2e%2e/secret", "/library//etc/passwd", "/library/"]
)
def test_nothing_outside_the_folder_is_served(port: int, path: str) -> None:
    response, body = get(port, path)
    assert response.status == 404
    assert b"not for you" not in body
