"""Probing MP4 and WebM files over HTTP, and what every probe makes of what the network does."""

from __future__ import annotations

import pytest

from providers.errors import (
    ProviderBadResponse,
    ProviderError,
    ProviderPermanent,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTransient,
)
from providers.http import GuardedSession
from providers.messages import Request, Response
from providers.probe import probe
from providers.probe.reader import JUMP, MAX_REQUESTS
from providers.types import Delivery, ProbeOutcome
from tests.providers.media import MediaOrigin, media, pad_before_moov

FILM = Delivery.PROGRESSIVE


def test_a_fast_start_file_takes_one_request(media_origin: MediaOrigin) -> None:
    media_origin.put("/film.mp4", media("moov-first-1920x804.mp4"))
    found = media_origin.probe("/film.mp4", FILM)
    assert found.outcome is ProbeOutcome.OK
    assert (found.width, found.height, found.duration_s) == (1920, 804, 2.0)
    assert found.codecs == "avc1.640032,mp4a.40.2"
    assert found.bitrate_bps == len(media("moov-first-1920x804.mp4")) * 8 // 2
    assert found.evidence == "MP4 file measured 1920x804"
    assert found.bytes_read == len(media("moov-first-1920x804.mp4"))
    assert len(media_origin.asked) == 1


def test_a_header_behind_ten_megabytes_is_jumped_to(media_origin: MediaOrigin) -> None:
    media_origin.put("/film.mp4", pad_before_moov("moov-last-1280x720.mp4", 10_000_000))
    found = media_origin.probe("/film.mp4", FILM)
    assert (found.width, found.height) == (1280, 720)
    assert found.bytes_read < 40_000
    assert len(media_origin.asked) <= 3


def test_little_is_read_after_a_jump(media_origin: MediaOrigin) -> None:
    film = pad_before_moov("moov-last-1280x720.mp4", 100_000)
    media_origin.put("/film.mp4", film + (50_000).to_bytes(4, "big") + b"free" + bytes(49_992))
    assert media_origin.probe("/film.mp4", FILM).width == 1280
    jumps = [asked.removeprefix("bytes=").split("-") for _, asked in media_origin.asked[1:]]
    assert [int(last) - int(first) + 1 for first, last in jumps] == [JUMP]


def test_a_header_behind_media_is_found_without_range_support_in_a_small_file(
    media_origin: MediaOrigin,
) -> None:
    media_origin.put("/film.mp4", pad_before_moov("moov-last-1280x720.mp4", 60_000), ranges=False)
    assert media_origin.probe("/film.mp4", FILM).width == 1280


def test_a_server_without_range_is_not_read_to_its_end(media_origin: MediaOrigin) -> None:
    media_origin.put("/film.mp4", pad_before_moov("moov-last-1280x720.mp4", 3_000_000), ranges=False)
    found = media_origin.probe("/film.mp4", FILM)
    assert found.outcome is ProbeOutcome.INCONCLUSIVE
    assert "ignores Range" in found.evidence
    assert found.bytes_read < 100_000


def test_a_webm_file_is_measured(media_origin: MediaOrigin) -> None:
    media_origin.put("/film.webm", media("vp9-640x360.webm"))
    found = media_origin.probe("/film.webm", FILM)
    assert (found.width, found.height, found.duration_s) == (640, 360, 2.0)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>gone</html>", "an HTML page"),
        (b"", "416"),
        (media("sound.mp4"), "without a video track"),
        (media("segment-1920x1080.ts"), "MPEG-TS, not MP4 or WebM"),
        (bytes(range(256)) * 10, "an unknown format"),
        (media("moov-last-1280x720.mp4")[:1000], "without a header"),
    ],
)
def test_what_no_player_can_show_is_dead(media_origin: MediaOrigin, body: bytes, said: str) -> None:
    media_origin.put("/film.mp4", body, kind="video/mp4")
    found = media_origin.probe("/film.mp4", FILM)
    assert found.outcome is ProbeOutcome.DEAD
    assert said in found.evidence
    assert (found.width, found.height) == (0, 0)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, ProbeOutcome.INCONCLUSIVE),
        (401, ProbeOutcome.FORBIDDEN),
        (403, ProbeOutcome.FORBIDDEN),
        (404, ProbeOutcome.DEAD),
        (408, ProbeOutcome.PROVIDER_DOWN),
        (410, ProbeOutcome.DEAD),
        (429, ProbeOutcome.THROTTLED),
        (451, ProbeOutcome.FORBIDDEN),
        (500, ProbeOutcome.PROVIDER_DOWN),
        (503, ProbeOutcome.PROVIDER_DOWN),
    ],
)
def test_a_status_becomes_an_outcome(media_origin: MediaOrigin, status: int, outcome: ProbeOutcome) -> None:
    media_origin.put("/film.mp4", b"sorry", status=status)
    found = media_origin.probe("/film.mp4", FILM)
    assert found.outcome is outcome
    assert str(status) in found.evidence


class Failing:
    """A session whose every request fails in one way."""

    def __init__(self, error: ProviderError) -> None:
        self.error = error

    def fetch(self, request: Request) -> Response:
        raise self.error


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ProviderTransient("no answer in time"), ProbeOutcome.PROVIDER_DOWN),
        (ProviderTransient("did not resolve", unreachable=True), ProbeOutcome.PROVIDER_DOWN),
        (ProviderRateLimited("slow down"), ProbeOutcome.THROTTLED),
        (ProviderPermanent("not a request that can be sent"), ProbeOutcome.DEAD),
        (ProviderRefused("the guard refuses it"), ProbeOutcome.DEAD),
        (ProviderRefused("the guard refuses it", ours_alone=True), ProbeOutcome.INCONCLUSIVE),
        (ProviderBadResponse("the answer's compression is broken"), ProbeOutcome.INCONCLUSIVE),
        (ProviderError("something else"), ProbeOutcome.INCONCLUSIVE),
    ],
)
@pytest.mark.parametrize("delivery", Delivery)
def test_no_failure_of_the_network_is_raised(
    delivery: Delivery, error: ProviderError, outcome: ProbeOutcome
) -> None:
    found = probe("https://media.example.org/film", delivery, Failing(error))
    assert found.outcome is outcome
    assert found.evidence.removeprefix("not looked at: ") == error.message


def test_a_server_that_is_not_there_is_the_providers_trouble() -> None:
    with MediaOrigin().running() as gone:
        pass
    found = gone.probe("/film.mp4", FILM)
    assert found.outcome is ProbeOutcome.PROVIDER_DOWN


def test_the_guard_refuses_a_private_address(media_origin: MediaOrigin) -> None:
    url = media_origin.put("/film.mp4", media("moov-first-1920x804.mp4"))
    with GuardedSession(provider="test", max_retries=0) as session:
        assert probe("http://127.0.0.1/film.mp4", FILM, session).outcome is ProbeOutcome.DEAD
        of_our_caution = probe(url, FILM, session)
    assert of_our_caution.outcome is ProbeOutcome.INCONCLUSIVE
    assert "is not allowed, only 80 and 443" in of_our_caution.evidence
    assert media_origin.asked == []


def test_evidence_holds_no_token(media_origin: MediaOrigin) -> None:
    found = media_origin.probe("/film.mp4?token=hush", FILM)
    assert "hush" not in found.evidence
    assert "film.mp4 answers 404" in found.evidence


class Endless:
    """A server whose every block of the file says "look further on"."""

    def __init__(self, elapsed_ms: int) -> None:
        self.requests = 0
        self.elapsed_ms = elapsed_ms

    def fetch(self, request: Request) -> Response:
        self.requests += 1
        assert request.range
        start = request.range[0]
        box = (20_000).to_bytes(4, "big") + b"free" + bytes(64)
        return Response(
            status=206,
            headers={"Content-Range": f"bytes {start}-{start + len(box) - 1}/999999999"},
            body=box,
            url=request.url,
            elapsed_ms=self.elapsed_ms,
        )


def test_a_file_that_leads_on_for_ever_is_given_up() -> None:
    server = Endless(elapsed_ms=1)
    found = probe("https://media.example.org/film.mp4", FILM, server)
    assert found.outcome is ProbeOutcome.INCONCLUSIVE
    assert server.requests <= MAX_REQUESTS


def test_a_server_that_takes_its_time_is_given_up() -> None:
    server = Endless(elapsed_ms=9_000)
    found = probe("https://media.example.org/film.mp4", FILM, server)
    assert found.outcome is ProbeOutcome.PROVIDER_DOWN
    assert server.requests == 4
    assert found.latency_ms == 9_000
