"""Providers as rows, and the search of a movie with them, as the tests of `providers.services` ask."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import redis

from core import conf
from providers import services
from providers.base import LicensedProvider
from providers.messages import Request, Response
from providers.models import Provider
from providers.options import ConfigField, ConfigKind
from providers.services import ProviderAnswer
from providers.types import Delivery, MovieRef, SearchAnswer, StreamCandidate
from tests.providers.origin import Answer

AT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
BUNNY = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207")
NAMELESS = MovieRef(tmdb_id=10378, title="Big Buck Bunny")
PATH = "/movies/10378.json"
RENDITION = {"id": "a", "url": "a.mp4", "delivery": "progressive", "quality": "1080p"}
FOUND = Answer(body=json.dumps({"renditions": [RENDITION]}).encode())
TOKEN = "s3cret-Token/42"


class Keyed(LicensedProvider):
    """An adapter with a key and little patience, which finds films by their IMDb id alone."""

    slug = "keyed"
    label = "Keyed"
    config_fields = (
        ConfigField(name="base_url", label="Base URL", help="Where.", kind=ConfigKind.URL, required=True),
        ConfigField(name="code", label="Code", help="The key.", secret=True, default=TOKEN),
    )
    asked_in: ClassVar[list[str]] = []

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        if movie.imdb_id is None:
            return ()
        url = f"{self.config['base_url']}/{movie.imdb_id}"
        return (Request(url=url, params={"c": str(self.config["code"])}, deadline_s=0.3),)

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        self.asked_in.append(threading.current_thread().name)
        found = []
        for response in responses:
            if not isinstance(rows := response.json(), list):
                raise response.bad("expected a list")
            found += [StreamCandidate(url=row["url"], delivery=Delivery(row["by"])) for row in rows]
        return SearchAnswer(candidates=tuple(found))


def setting(name: str, value: object) -> None:
    conf.change(name, value, by="test", at=AT)


def library(slug: str, url: str, **columns: Any) -> Provider:
    return _provider(slug, "library", url, **columns)


def keyed(slug: str, url: str, **columns: Any) -> Provider:
    return _provider(slug, "keyed", url, **columns)


def _provider(slug: str, adapter: str, url: str, **columns: Any) -> Provider:
    made = {"label": slug, "adapter": adapter, "enabled": True, "config": {"base_url": url}, **columns}
    return Provider.objects.create(slug=slug, **made)


def search(movie: MovieRef = BUNNY, *, at: datetime = AT) -> dict[str, ProviderAnswer]:
    return {answer.provider.slug: answer for answer in services.search_all(movie, at=at)}


def stored(slug: str) -> Provider:
    return Provider.objects.get(pk=slug)


def urls(answer: ProviderAnswer) -> list[str]:
    assert answer.error is None
    assert answer.answer is not None
    return [candidate.url for candidate in answer.answer.candidates]


def next_slot_s(valkey: redis.Redis, name: str) -> float:
    seconds, microseconds = valkey.time()
    return (int(valkey.get(f"marquee:throttle:{name}") or 0) - seconds * 1e6 - microseconds) / 1e6
