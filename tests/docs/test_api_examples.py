"""Every example of docs/api.md, in order, against the web application as it is served: what it says is so."""

from __future__ import annotations

import http.client
import json
import re
import shlex
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.db import connections
from django.utils import timezone

from core import tokens
from ingestion.models import IngestRun
from streaming.models import Movie, StreamVersion
from tests import clients, servers
from tests.ingestion.conftest import world
from tests.ingestion.staged import stage
from tests.ingestion.world import World

__all__ = ["world"]

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"^```console\n\$ (curl .*)\n((?:.*\n)*?)```$", PAGE, re.MULTILINE)
FILM = {
    "title": "Sintel",
    "original_title": "Sintel",
    "original_language": "en",
    "imdb_id": "tt1727587",
    "release_date": date(2010, 9, 27),
    "runtime_min": 15,
    "genres": ["Animation", "Fantasy"],
    "overview": "A girl looks for a dragon.",
    "poster_path": "/sintel.jpg",
    "popularity": 12.5,
    "vote_average": 7.4,
    "vote_count": 610,
}
STREAM = {
    "languages": ["en"],
    "licence": "CC BY 3.0",
    "licence_url": "https://creativecommons.org/licenses/by/3.0/",
    "attribution": "Blender Foundation",
}


@pytest.fixture
def port(transactional_db: None, world: World) -> Iterator[int]:
    """The whole web application on a port of its own, with one film, and an editor called ada."""
    clients.user("editor", "ada", id=1)
    stage(world, 45745, film=FILM, stream=STREAM)
    from config.asgi import application

    number = servers.free_port()
    server = uvicorn.Server(uvicorn.Config(application, port=number, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    servers.eventually(lambda: server.started)
    yield number
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()
    connections.close_all()


def test_every_example_answers_as_the_page_says(port: int) -> None:
    known = {"OPERATOR": tokens.begin(clients.user("operator")).access}
    for command, expected in EXAMPLES:
        status, headers, body = run(command, known, port, lines=expected.count("\n"))
        check(command, expected, status, headers, body)
        remember(known, headers, body)
        if "playback-reports" in command:
            assert StreamVersion.objects.due(at=timezone.now()).exists()
    assert len(EXAMPLES) >= 15
    assert IngestRun.objects.get().movie_id == 45745
    assert Movie.objects.get().switch_seq == 7


def run(command: str, known: dict[str, str], port: int, *, lines: int) -> tuple[str, dict[str, str], str]:
    """What curl would do. Of an answer without end, so many lines are read."""
    words = shlex.split(re.sub(r"\$([A-Z]+)", lambda name: known[name[1]].replace('"', '\\"'), command))
    headers, data, method, url = {"Host": "localhost:8000"}, None, "", ""
    rest = iter(words[1:])
    for word in rest:
        if word == "--json":
            data, headers["Content-Type"] = next(rest), "application/json"
        elif word == "-H":
            name, _, headers[name] = next(rest).partition(": ")
        elif word == "-X":
            method = next(rest)
        elif word not in ("-i", "-N"):
            assert not word.startswith("-"), f"{word} is not among the options this test knows"
            url = word.removeprefix("localhost:8000")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request(method or ("POST" if data else "GET"), url, body=data, headers=headers)
    response = connection.getresponse()
    endless = response.getheader("Content-Type", "").startswith("text/event-stream")
    raw = b"".join(response.readline() for _ in range(lines)) if endless else response.read()
    response.close()
    connection.close()
    return f"HTTP/1.1 {response.status} {response.reason}", dict(response.getheaders()), raw.decode()


def check(command: str, expected: str, status: str, headers: dict[str, str], body: str) -> None:
    told = {name.lower(): value for name, value in headers.items()}
    if " -i " in command:
        head, _, expected = expected.partition("\n\n")
        first, *fields = head.strip().splitlines()
        assert first == status, body
        for field in fields:
            name, _, value = field.partition(": ")
            assert matches(value, told[name.lower()]), f"{command}: {field}, not {told}"
    else:
        assert int(status.split()[1]) < 300, body
    if " -N " in command:
        compare_lines(expected, body)
    elif expected.strip():
        assert_like(json.loads(expected), json.loads(body), command)
    else:
        assert body == ""


def compare_lines(expected: str, body: str) -> None:
    for line, answer in zip(expected.splitlines(), body.splitlines(), strict=True):
        if line.startswith("data: "):
            assert_like(json.loads(line[6:]), json.loads(answer[6:]), "stream-events")
        else:
            assert matches(line, answer), answer


def assert_like(expected: Any, answer: Any, where: str) -> None:
    """Equal, where `…` is any text, further members of an object, or further items of a list."""
    if isinstance(expected, dict) and isinstance(answer, dict):
        wanted = {name: value for name, value in expected.items() if name != "…"}
        missing = wanted.keys() ^ answer.keys() if wanted == expected else wanted.keys() - answer.keys()
        assert not missing, f"{where}: {sorted(missing)}"
        for name, value in wanted.items():
            assert_like(value, answer[name], f"{where}: {name}")
    elif isinstance(expected, list) and isinstance(answer, list):
        wanted_items = [item for item in expected if item != "…"]
        assert len(wanted_items) == len(answer) or "…" in expected, where
        for one, other in zip(wanted_items, answer, strict=False):
            assert_like(one, other, where)
    else:
        same = matches(expected, answer) if isinstance(expected, str) else expected == answer
        assert same, f"{where}: {expected!r}, but it is {answer!r}"


def matches(pattern: str, text: object) -> bool:
    return isinstance(text, str) and bool(
        re.fullmatch(re.escape(pattern).replace("…", ".+"), text, re.DOTALL)
    )


def remember(known: dict[str, str], headers: dict[str, str], body: str) -> None:
    """`$ACCESS` is the `access` of an answer, `$ETAG` its header, and so on."""
    answer = json.loads(body) if body.startswith("{") else {}
    known.update({name.upper(): value for name, value in answer.items() if isinstance(value, str)})
    known.update({name.upper(): value for name, value in headers.items() if name.lower() == "etag"})
