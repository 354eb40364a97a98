"""How fast a change of the policy is rehearsed: `python -m benchmarks.rehearsal [movies]`.

A catalogue of three measured streams a movie, one of them active: on SQLite, or on another layout by
`python -m tests.databases mongodb -- python -m benchmarks.rehearsal`. The rehearsal has all the time that it
needs here; a request has ten seconds. Memory is how much the process grew by while it rehearsed, at its peak.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from datetime import UTC, datetime
from typing import Any

import django

from tests import databases, folders

MOVIES = 20_000
BATCH = 2_000
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
CHANGES = (("TARGET_QUALITY", "1080p"), ("MIN_QUALITY_TO_PUBLISH", "1080p"), ("TERRITORY", "DE"))


def main() -> None:
    movies = int(sys.argv[1]) if len(sys.argv) > 1 else MOVIES
    with folders.temporary() as folder, databases.fresh() as where:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(folder), **where}
        django.setup()
        _set_up()
        for first in range(1, movies + 1, BATCH):
            _add(range(first, min(first + BATCH, movies + 1)))
        for name, value in CHANGES:
            _measure(name, value)


def _set_up() -> None:
    from django.core.management import call_command
    from django.db import connections

    from providers.models import Provider

    for alias in connections:
        call_command("migrate", database=alias, verbosity=0)
    Provider.objects.create(slug="bench", label="Bench", adapter="library", enabled=True)


def _add(numbers: range) -> None:
    """Movies whose 720p plays, or whose 1080p does, each with another stream or two."""
    from streaming.models import Movie, StreamVersion
    from streaming.quality import Quality

    movies, versions = [], []
    for number in numbers:
        active = (Quality.P720, Quality.P1080)[number % 2]
        own = [_version(number, quality) for quality in (Quality.SD, Quality.P720, Quality.P1080)]
        own = own[: 2 if active is Quality.P720 else 3]
        pointer = {"active_stream_id": own[-1].pk, "active_quality": active, "switch_seq": 1}
        movies.append(Movie(id=number, title=f"Movie {number}", discovered_at=AT, **pointer))
        versions += own
    plain = [Movie(id=movie.pk, title=movie.title, discovered_at=AT) for movie in movies]
    Movie.objects.bulk_create(plain)
    StreamVersion.objects.bulk_create(versions)
    Movie.objects.bulk_update(movies, ["active_stream", "active_quality", "switch_seq"], batch_size=200)


def _version(movie: int, quality: Any) -> Any:
    from streaming.models import StreamVersion

    url = f"https://cdn.example/{movie}/{quality.label}.m3u8"
    return StreamVersion(
        id=StreamVersion.key_for(movie, "bench", quality.label, url),
        movie_id=movie,
        provider_id="bench",
        ref=quality.label,
        url=url,
        delivery="hls",
        claimed_quality=quality,
        verified_quality=quality,
        state="healthy",
        territories=["DE", "AT"] if movie % 3 else ["US"],
        first_seen=AT,
        last_seen=AT,
    )


def _measure(name: str, value: str) -> None:
    from core import conf
    from streaming.rehearsal import rehearse

    before, began, busy = _peak_mb(), time.perf_counter(), time.process_time()
    held = conf.current()
    found = rehearse(held, conf.with_change(held, name, value), at=AT, within_s=3600)
    took, busy = time.perf_counter() - began, time.process_time() - busy
    effects = {effect.value: count for (effect, _), count in sorted(found.effects.items())}
    sys.stdout.write(
        f"{name}={value}: {found.checked} movies in {took:.1f} s, {found.checked / took:.0f} a second,"
        f" {found.checked / busy:.0f} a second of its own; {_peak_mb() - before:+.0f} MB; {effects}\n"
    )


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
