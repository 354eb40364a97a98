"""How fast many streams are probed, and how little of each is read: `python -m benchmarks.probing [streams]`.

A real Valkey, whose throttle is set too high to matter, and an origin of another process that answers after
50 ms. The ratio is to the time that latency and concurrency alone would take. Read ratios, not times.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

from benchmarks import delayed_origin, films

LATENCY_S = 0.05
MOST_RATIO, MOST_BYTES = 1.5, 40_000
EACH = 24
"""Streams of each kind whose bytes are counted."""
FILMS: Mapping[str, tuple[str, str, Callable[[], Mapping[str, bytes]]]] = {
    "HLS, CMAF and sound apart": ("hls", "master.m3u8", films.hls_cmaf),
    "HLS, transport streams": ("hls", "master.m3u8", films.hls_ts),
    "DASH": ("dash", "manifest.mpd", films.dash),
    "MP4, header first": ("progressive", "film.mp4", films.mp4_moov_first),
    "MP4, header last": ("progressive", "film.mp4", films.mp4_moov_last),
    "WebM": ("progressive", "film.webm", films.webm),
}


def pages() -> dict[str, bytes]:
    """Every film under a folder of its number."""
    return {
        f"/{number}/{path}": body
        for number, (_, _, make) in enumerate(FILMS.values())
        for path, body in make().items()
    }


@contextmanager
def marquee(origin: str) -> Iterator[None]:
    """Marquee's settings, an empty database and a Valkey, in a folder that is gone afterwards."""
    os.environ["HTTP_TRUSTED_ORIGINS"] = origin
    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from tests import servers

    settings.HTTP_TRUSTED_ORIGINS = [origin]
    folder = Path(settings.DATA_DIR) / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0)
    with servers.valkey(folder):
        yield


def counts(origin: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{origin}/counts", timeout=10) as answer:
        told: dict[str, int] = json.load(answer)
    return told


def probe(origin: str, numbers: Sequence[int]) -> tuple[float, list[int], int]:
    """Probe the films of these numbers: seconds, bytes of each, and requests in all."""
    from django.utils import timezone

    from providers.models import Provider
    from providers.services import Target, probe_many

    provider = Provider(
        slug="library", adapter="library", enabled=True, config={"base_url": origin}, rate_limit_rps=100_000
    )
    kinds = list(FILMS.values())
    targets = [Target(provider, f"{origin}/{n}/{kinds[n][1]}", kinds[n][0]) for n in numbers]
    asked, began = counts(origin)["requests"], time.monotonic()
    results = probe_many(targets, at=timezone.now())
    took = time.monotonic() - began
    for result in results:
        assert (result.outcome, result.height > 0) == ("ok", True), result
    return took, [result.bytes_read for result in results], counts(origin)["requests"] - asked


def report(*cells: str) -> None:
    print("{:<28}{:>12}{:>12}{:>16}".format(*cells), flush=True)  # noqa: T201


def main(streams: int = 1000) -> None:
    from_films = pages()
    with delayed_origin.running(from_films, delay_s=LATENCY_S) as origin, marquee(origin):
        from providers import calls

        report("kind", "requests", "median kB", "of 40 kB")
        for number, name in enumerate(FILMS):
            _, sizes, requests = probe(origin, [number] * EACH)
            median = statistics.median(sizes)
            report(name, f"{requests / EACH:.1f}", f"{median / 1000:.1f}", f"{median / MOST_BYTES:.2f}")
        cpu = time.process_time()
        took, sizes, requests = probe(origin, [number % 2 for number in range(streams)])
        cpu = time.process_time() - cpu
    alone = requests * LATENCY_S / calls.POOL
    print(  # noqa: T201
        f"\n{streams} HLS streams, {requests} requests, {calls.POOL} at once: {took:.1f} s, "
        f"{took / alone:.2f} times the {alone:.1f} s of latency and concurrency alone "
        f"(at most {MOST_RATIO})\n"
        f"median read {statistics.median(sizes) / 1000:.1f} kB; CPU {1000 * cpu / streams:.1f} ms a probe; "
        f"{os.getloadavg()[0]:.1f} processes wanted {os.cpu_count()} cores meanwhile"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
