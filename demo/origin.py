"""The demo origin, `python -m demo.origin --state var/demo.json`: TMDB, pictures and a library on one port.

    /3/…                     TMDB's API shape            /t/p/<size>/<name>.svg   posters and backdrops
    /library/movies/<id>.json, /library/media/<id>/<file>   the library, as the timeline has it at this second

It holds no state but its clock, and answers loopback by default.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import threading
from datetime import UTC, datetime
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from demo import art, library, pages, timeline, tmdb
from demo.catalogue import MEDIA, CatalogueError, Film, load
from demo.clock import Clock
from demo.pages import Reply

SHARED = frozenset({"audio.mp4", "audio.m3u8"})
NOTHING = pages.as_json(404, {"detail": "There is nothing at this address."})


class Site:
    """Which answer belongs to which address."""

    def __init__(self, films: tuple[Film, ...], clock: Clock, *, media: Path = MEDIA) -> None:
        self.films, self.clock, self.media = films, clock, media
        self._by_id = {str(film.tmdb_id): film for film in films}

    def reply(self, target: str, headers: dict[str, str], *, origin: str) -> Reply:
        """The answer to a GET of `target` (path and query). `headers` have lower-case names."""
        url = urlsplit(target)
        match unquote(url.path).lstrip("/").split("/", 1):
            case ["3", path]:
                return self._tmdb(path, dict(parse_qsl(url.query)), headers, origin)
            case ["t", path]:
                return self._picture(path)
            case ["library", path]:
                return self._library(path, headers.get("range"))
            case ["healthz"]:
                return pages.as_json(200, {"films": len(self.films), "seconds": round(self.clock.seconds)})
        return NOTHING

    def _tmdb(self, path: str, query: dict[str, str], headers: dict[str, str], origin: str) -> Reply:
        token = headers.get("authorization", "").partition(" ")[2]
        if not (query.get("api_key") or token):
            return pages.as_json(*tmdb.UNAUTHORISED)
        self.clock.begin()
        today = datetime.now(UTC).date()
        return pages.as_json(*tmdb.answer(self.films, path, query, images=f"{origin}/t/p/", today=today))

    def _picture(self, path: str) -> Reply:
        found = re.fullmatch(r"p/(?:[wh]\d{1,4}|original)/(\d+)-(poster|backdrop)\.svg", path, re.ASCII)
        film = self._by_id.get(found[1]) if found else None
        return pages.picture(_drawn(film, found[2])) if found and film else NOTHING

    def _library(self, path: str, asked: str | None) -> Reply:
        if found := re.fullmatch(r"movies/(\d+)\.json", path, re.ASCII):
            return self._listing(found[1])
        if found := re.fullmatch(r"media/(\d+)/([a-z0-9.-]+)", path, re.ASCII):
            return self._media(found[1], found[2], asked)
        shared = path.removeprefix("media/")
        return pages.media(self.media / shared, asked) if shared in SHARED else NOTHING

    def _listing(self, number: str) -> Reply:
        film = self._by_id.get(number)
        if film is None:
            return NOTHING
        seconds = self.clock.seconds
        body = library.listing(film, seconds)
        fresh_for = library.fresh_for(film, seconds)
        if body is None:
            return pages.as_json(
                404, {"detail": f"There is no rendition of {film.title} yet."}, max_age=fresh_for
            )
        return pages.as_json(200, body, max_age=fresh_for)

    def _media(self, number: str, name: str, asked: str | None) -> Reply:
        film = self._by_id.get(number)
        rendition = next((each for each in film.renditions if name in each.files), None) if film else None
        served = timeline.serving(rendition, self.clock.seconds) if rendition else timeline.Serving.MISSING
        if served is timeline.Serving.PAGE:
            return pages.page("This film has moved")
        path = self.media / number / name
        return pages.media(path, asked) if served is timeline.Serving.MEDIA and path.is_file() else NOTHING


@lru_cache(maxsize=128)
def _drawn(film: Film, kind: str) -> str:
    return art.poster(film) if kind == "poster" else art.backdrop(film)


class Server(ThreadingHTTPServer):
    """One thread per connection; none outlives the process."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], site: Site) -> None:
        super().__init__(address, Handler)
        self.site = site

    @property
    def origin(self) -> str:
        """scheme://host:port, as it is reached."""
        host, port = self.server_address[0], self.server_address[1]
        return f"http://{host!s}:{port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no error of ours; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive; GET, HEAD and OPTIONS, from any origin."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "MarqueeDemo"
    sys_version = ""
    timeout = 60
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.site.reply(self.path, headers, origin=self.server.origin))

    do_HEAD = do_GET

    def do_OPTIONS(self) -> None:
        allowed = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "Range"}
        self._send(Reply(204, b"", allowed))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server refuses by itself: JSON too. An unknown method is 405 rather than 501."""
        self.close_connection = True
        status = 405 if code == 501 else code
        self._send(pages.as_json(status, {"detail": message or "The request can't be answered."}))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Expose-Headers", "Accept-Ranges, Content-Length, Content-Range")
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the web server and the worker say what they asked."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit code 0; 1 when it can't start, with the reason."""
    options = _options().parse_args(arguments)
    try:
        server = Server((options.host, options.port), Site(load(), Clock(options.state)))
    except (CatalogueError, OSError, ValueError) as error:
        sys.stderr.write(f"The demo origin can't start: {error}\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown, daemon=True).start())
    sys.stdout.write(f"Demo origin at {server.origin}\n")
    sys.stdout.flush()
    with server:
        server.serve_forever(poll_interval=0.2)
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo.origin", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0, the default, is any free one")
    parser.add_argument(
        "--state", type=Path, required=True, help="file that keeps the demo's clock over restarts"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
