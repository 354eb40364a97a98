"""Another process of Marquee, as the worker and the admin are: it switches streams when it is told to.

Reads one JSON list of words a line, answers each with one line of JSON. Ends with its input.
"""

import json
import os
import sys
import uuid
from datetime import UTC, datetime
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402

from providers.models import Provider  # noqa: E402
from streaming import switching  # noqa: E402
from streaming.models import Movie, StreamSwitch, StreamVersion  # noqa: E402
from streaming.quality import Quality  # noqa: E402

SHAPES = {Quality.P720: (1280, 720), Quality.P1080: (1920, 1080)}
BY = {"actor": switching.SYSTEM, "comment": "a test"}


def migrate() -> None:
    call_command("migrate", verbosity=0)
    Provider.objects.create(slug="house", label="House", adapter="library", enabled=True)


def movie(movie_id: int) -> None:
    """A movie with one healthy version of each shape, none of them active yet."""
    now = datetime.now(UTC)
    Movie.objects.create(id=movie_id, title=f"Film {movie_id}", discovered_at=now)
    for quality, (width, height) in SHAPES.items():
        StreamVersion(
            id=_version(movie_id, height),
            movie_id=movie_id,
            provider_id="house",
            ref=str(height),
            url=f"https://films.example/{movie_id}/{height}.m3u8",
            delivery="hls",
            claimed_quality=quality,
            verified_quality=quality,
            width=width,
            height=height,
            state=StreamVersion.State.HEALTHY,
            first_seen=now,
            last_seen=now,
        ).save(force_insert=True)


def activate(movie_id: int, height: int) -> int:
    row = switching.activate(movie_id, _version(movie_id, height), at=datetime.now(UTC), **BY)
    return row.seq


def swing(movie_id: int, times: int) -> int:
    """Switch up and down so often, from 720p."""
    return [activate(movie_id, (1080, 720)[turn % 2]) for turn in range(times)][-1]


def decide(movie_id: int) -> int:
    return switching.reconsider(movie_id, at=datetime.now(UTC)).seq


def rollback(movie_id: int) -> int:
    return switching.rollback(movie_id, at=datetime.now(UTC), suppress="none", **BY).seq


def observe(movie_id: int, height: int, columns: dict[str, Any]) -> None:
    switching.observe(_version(movie_id, height), columns=columns, at=datetime.now(UTC))


def withdraw(movie_id: int) -> int:
    return switching.withdraw(movie_id, at=datetime.now(UTC), **BY).seq


def hide(movie_id: int) -> int:
    return switching.edit(movie_id, hidden=True, at=datetime.now(UTC), **BY).seq


def half_made(movie_id: int) -> int:
    """A turn whose process was killed right after it had written the log."""
    last = StreamSwitch.objects.of(movie_id).first()
    last.seq += 1
    last.pk = StreamSwitch.key_for(movie_id, last.seq)
    last.attempt = uuid.uuid4()
    last.save(force_insert=True)
    return last.seq


def _version(movie_id: int, height: int) -> uuid.UUID:
    return StreamVersion.key_for(movie_id, "house", str(height), "")


if __name__ == "__main__":
    known = (migrate, movie, activate, swing, decide, rollback, observe, withdraw, hide, half_made)
    verbs = {verb.__name__: verb for verb in known}
    for line in sys.stdin:
        name, *words = json.loads(line)
        answer = verbs[name](*words)
        connections.close_all()
        print(json.dumps(answer), flush=True)  # noqa: T201
