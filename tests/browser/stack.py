"""A whole Marquee for browser tests: web server, Valkey, database, and a library that tests can change.

Nothing is faked: films come in by a real match, and the viewer's player fetches the library's media.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from config.supervisor.children import end, spawn, tail
from demo import art, pages
from demo.catalogue import Film, load
from demo.origin import Handler
from tests import databases, servers
from tests.browser import backstage
from tests.browser.backstage import Backstage

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "open-sesame-42"


class Library:
    """A library origin in this process. `films` is what it lists, `dead` the files that answer 404."""

    def __init__(self, media: Path) -> None:
        self.media = media
        self.dead: set[str] = set()
        self.films: dict[int, list[dict[str, Any]]] = {}
        self.pictures: dict[str, str] = {}
        self.pages: dict[str, str] = {}

    def offer(self, film: int, rendition: str, path: str, delivery: str, quality: str) -> None:
        """List one more rendition; `path` is under the media folder."""
        row = {"id": rendition, "url": f"../media/{path}", "delivery": delivery, "quality": quality}
        rights = {
            "licence": "CC BY 4.0",
            "attribution": "The Makers",
            "licence_url": "https://example.org/by",
        }
        self.films.setdefault(film, []).append({**row, "languages": ["en"], "rights": rights})

    def reply(self, target: str, headers: dict[str, str], *, origin: str) -> pages.Reply:
        path = urlsplit(target).path
        if path.startswith("/library/movies/"):
            film = int(path.rpartition("/")[2].removesuffix(".json"))
            return pages.as_json(200, {"renditions": self.films.get(film, [])})
        if path.startswith("/t/p/"):
            picture = self.pictures.get(path.rpartition("/")[2])
            return pages.picture(picture) if picture else pages.as_json(404, {})
        if path in self.pages:
            return pages.page(self.pages[path])
        name = path.removeprefix("/library/media/")
        file = self.media / name
        there = file.is_file() and name not in self.dead
        return pages.media(file, headers.get("range")) if there else pages.as_json(404, {})


class Origin(ThreadingHTTPServer):
    """The library on a port, with the demo origin's manners: ranges, CORS, keep-alive."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, site: Library) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.site = site
        self.origin = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Browsers break off downloads all the time."""


class Stack:
    """The running product: `url`, its `library`, and `run()` for code in its own settings."""

    backstage: Backstage

    def __init__(self, data: Path, library: Library, origin: str, where: dict[str, str]) -> None:
        self.data = data
        self.library = library
        self.port = servers.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        # Nothing of the settings under which the tests run may leak in: an empty variable counts as not set.
        self.env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(data)}
        self.env |= {"HTTP_TRUSTED_ORIGINS": origin, "LIBRARY_URL": f"{origin}/library", "REDIS_URL": ""}
        self.env |= {"TMDB_IMAGE_BASE_URL": f"{origin}/t/p/", "TMDB_API_KEY": "test", "PORT": str(self.port)}
        self.env |= {"MIN_QUALITY_TO_PUBLISH": "SD", "LOG_LEVEL": "ERROR", **where}

    def set_up(self) -> None:
        """What `make run` does before it starts the processes."""
        command = [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), "setup"]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=120, cwd=ROOT)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

    def run(self, code: str, **values: Any) -> Any:
        """Run `code` inside the product, with `values` as variables; returns what it left in `result`."""
        return self.backstage.run(code, **values)

    def match(self, film: int) -> None:
        """Search, measure, decide and switch for one film: what `content.match` does."""
        self.run(MATCH, film=film)

    def add_film(self, film: int, *renditions: tuple[str, str, str]) -> None:
        """A film of the demo as discovery would have left it, then matched with these renditions.

        Each is (file, delivery, claimed quality).
        """
        known = next(each for each in load() if each.tmdb_id == film)
        self.library.pictures[f"{film}-poster.svg"] = art.poster(known)
        self.library.pictures[f"{film}-backdrop.svg"] = art.backdrop(known)
        self.run(ADD_FILM, film=film, facts=_facts(known))
        self.offer(film, *renditions)

    def offer(self, film: int, *renditions: tuple[str, str, str]) -> None:
        """List more renditions of a film, and match it."""
        for file, delivery, quality in renditions:
            self.library.offer(film, file.partition(".")[0], f"{film}/{file}", delivery, quality)
        self.match(film)


def _facts(film: Film) -> dict[str, Any]:
    return {
        "title": film.title,
        "overview": film.summary,
        "runtime_min": film.runtime_min,
        "genres": list(film.genres),
        "poster_path": f"/{film.tmdb_id}-poster.svg",
        "backdrop_path": f"/{film.tmdb_id}-backdrop.svg",
    }


ADD_FILM = """
from django.utils import timezone
from streaming.models import Movie
at = timezone.now()
Movie.objects.update_or_create(id=film, defaults={"discovered_at": at, "metadata_at": at, **facts})
"""
MATCH = """
from django.utils import timezone
from ingestion import jobs, runs
from ingestion.models import Job
run, _ = runs.queue(Job.MATCH, at=timezone.now(), trigger="test", movie_id=film, publish=False)
run = jobs.execute(run.pk)
assert run.status == "succeeded", (run.status, run.error)
"""
ACCOUNTS = """
from django.contrib.auth.models import Group, User
for role in ("viewer", "editor", "operator"):
    user = User.objects.create_user(role, password=password, is_staff=True)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
admin = User.objects.get(username="admin")  # made by `setup`
admin.set_password(password)
admin.save()
"""


@contextmanager
def running(data: Path, media: Path) -> Iterator[Stack]:
    """A stack with an empty catalogue and one account for each role."""
    site = Library(media)
    origin = Origin(site)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    try:
        (data / "valkey").mkdir(parents=True)
        with databases.fresh() as where, servers.valkey(data / "valkey") as url:
            stack = Stack(data, site, origin.origin, where)
            stack.env["REDIS_URL"] = url
            stack.set_up()
            with backstage.running(stack.env) as stack.backstage, _web(stack):
                stack.run(ACCOUNTS, password=PASSWORD)
                yield stack
    finally:
        origin.shutdown()
        origin.server_close()


@contextmanager
def _web(stack: Stack) -> Iterator[None]:
    command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "config.asgi:application", "--lifespan", "on"]
    command += ["--host", "127.0.0.1", "--port", str(stack.port), "--timeout-graceful-shutdown", "1"]
    log = stack.data / "web.log"
    with log.open("wb") as output:
        process = spawn(command, env=stack.env, cwd=ROOT, output=output)
    try:
        servers.eventually(lambda: process.poll() is not None or _answers(stack.url))
        assert process.poll() is None, "\n".join(tail(log))
        yield
    finally:
        end(process, (signal.SIGTERM, 10.0))


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
