"""A folder of films as an origin of its own (LIBRARY_DIR), for one machine: files with ranges, nothing else.

Not for a service that many watch: there, any web server or CDN does this better. It runs in a process of its
own because a film is read for hours, and Django's few threads are not for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from a2wsgi import WSGIMiddleware
from whitenoise import WhiteNoise

from config import env

READERS = 32
TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".m4s": "video/iso.segment",
    ".ts": "video/mp2t",
}


def not_found(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """What the folder does not hold."""
    start_response("404 Not Found", [("Content-Type", "text/plain"), ("Access-Control-Allow-Origin", "*")])
    return [b"There is no such file in this library.\n"]


# `autorefresh` looks at the folder at each request: a file that is copied into it is there.
files = WhiteNoise(not_found, env.read()["LIBRARY_DIR"], "library", autorefresh=True, mimetypes=TYPES)
application = WSGIMiddleware(files, workers=READERS)
