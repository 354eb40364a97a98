"""Where one attempt goes on to, and when it has gone far enough. Nothing is sent or allowed here."""

from __future__ import annotations

from urllib.parse import urldefrag, urljoin

import requests

from providers.guard import DestinationRefused

REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Trail:
    """The URLs that one attempt came by; refuses to go on for ever or in circles."""

    def __init__(self, url: str, max_redirects: int) -> None:
        self.url = url
        self._max_redirects = max_redirects
        self._seen: set[str] = set()

    @property
    def redirects(self) -> int:
        return len(self._seen) - 1

    def step(self, url: str) -> str:
        self.url = url
        if url in self._seen:
            raise DestinationRefused("redirects in a loop")
        if len(self._seen) > self._max_redirects:
            raise DestinationRefused(f"more than {self._max_redirects} redirects", ours_alone=True)
        self._seen.add(url)
        return url


def redirect_target(answer: requests.Response) -> str | None:
    if answer.status_code not in REDIRECTS or not answer.headers.get("location"):
        return None
    location = answer.headers["location"].encode("latin-1", "replace").decode("utf-8", "replace")
    return urldefrag(urljoin(answer.url, location)).url
