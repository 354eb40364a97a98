"""Which origins a page may load from, beyond our own: pictures, and the streams of enabled providers.

The policy itself stands in the settings; here a response's is widened, by as little as the page needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.http import HttpResponse

from providers.types import Delivery
from streaming.models import StreamVersion

_ORIGIN = re.compile(r"(https?://)?(\*\.)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")


def allow(response: HttpResponse, **sources: Iterable[str]) -> None:
    """Widen the response's policy: `allow(response, img_src=["https://image.tmdb.org"])`."""
    update = {name.replace("_", "-"): sorted(set(origins)) for name, origins in sources.items()}
    response._csp_update = {name: origins for name, origins in update.items() if origins}  # type: ignore[attr-defined]


def image_origins() -> set[str]:
    """Where posters and backdrops are."""
    return _only_origins([_origin_of(settings.TMDB_IMAGE_BASE_URL)])


def media_origins(movie_id: int) -> set[str]:
    """Where an enabled provider's streams may be: the hosts it is allowed, and where this movie's are now."""
    providers = apps.get_model("providers", "Provider").objects.filter(enabled=True)
    hosts = [host for provider in providers for host in provider.allowed_hosts]
    return _only_origins([*hosts, *_version_origins(movie_id, embeds=False)])


def frame_origins(movie_id: int) -> set[str]:
    """Where this movie's embeds are, as far as their providers may have some there."""
    return _only_origins(_version_origins(movie_id, embeds=True))


def _version_origins(movie_id: int, *, embeds: bool) -> list[str]:
    versions = StreamVersion.objects.of(movie_id).prefetch_related("provider")
    kind = versions.filter if embeds else versions.exclude
    found = [v for v in kind(delivery=Delivery.EMBED) if v.provider.enabled]
    return [_origin_of(v.url) for v in found if v.provider.may_serve_from(v.url)]


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _only_origins(values: Iterable[object]) -> set[str]:
    """Those that are origins: what an operator typed must not be able to end the directive."""
    return {value for value in values if isinstance(value, str) and _ORIGIN.fullmatch(value)}
