"""Probing as Marquee does, and what a probe says of its provider."""

from __future__ import annotations

from typing import Any

import pytest

from providers import noting, services
from providers.services import Target
from providers.types import ProbeOutcome
from tests.providers.asking import AT, FOUND, PATH, library, search, stored, urls
from tests.providers.media import MediaOrigin, media
from tests.providers.origin import Answer, Origin

pytestmark = pytest.mark.usefixtures("edge")


def test_probes_keep_the_order_of_their_targets(
    media_origin: MediaOrigin, settings: Any, other: Origin
) -> None:
    settings.HTTP_TRUSTED_ORIGINS = [media_origin.url, other.url]
    films, clips = library("films", media_origin.url), library("clips", other.url)
    video = media_origin.put("/video.mp4", media("moov-first-1920x804.mp4"))
    down = other.on("/down.mp4", Answer(503))
    gone = other.on("/gone.mp4", Answer(404))
    targets = [Target(clips, down, "progressive"), Target(films, video, "progressive")] * 5
    targets += [Target(clips, gone, "progressive"), Target(films, video, "betamax")]
    results = services.probe_many(targets, at=AT)
    outcomes = [ProbeOutcome.PROVIDER_DOWN, ProbeOutcome.OK] * 5
    assert [r.outcome for r in results] == [*outcomes, ProbeOutcome.DEAD, ProbeOutcome.INCONCLUSIVE]
    assert (results[1].width, results[1].height) == (1920, 804)


def test_an_outage_that_a_probe_meets_is_told_of_the_provider_and_keeps_nobody_from_searching(
    origin: Origin,
) -> None:
    origin.on(PATH, FOUND)
    films = library("films", origin.url)
    services.probe(films, origin.on("/down.mp4", Answer(503)), "progressive", at=AT)
    assert stored("films").last_error_at == AT
    assert "503" in stored("films").last_error
    assert (stored("films").backoff_until, stored("films").success_rate) == (None, 1.0)
    assert urls(search()["films"])


@pytest.mark.parametrize("status", [404, 403])
def test_a_dead_stream_says_nothing_of_its_provider(origin: Origin, status: int) -> None:
    films = library("films", origin.url)
    services.probe(films, origin.on("/gone.mp4", Answer(status)), "progressive", at=AT)
    assert stored("films").last_error == ""


def test_a_probe_of_a_provider_that_is_set_up_wrongly_is_inconclusive(origin: Origin) -> None:
    films = library("films", origin.url, config={})
    result = services.probe(films, f"{origin.url}/a.mp4", "progressive", at=AT)
    assert result.outcome is ProbeOutcome.INCONCLUSIVE
    assert "base_url is required" in result.evidence


def test_a_mistake_in_one_probe_is_logged_and_loses_no_other(
    origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    films = library("films", origin.url)
    gone = origin.on("/gone.mp4", Answer(404))
    odd, dead = services.probe_many(
        [Target(films, gone, "betamax"), Target(films, gone, "progressive")], at=AT
    )
    assert (odd.outcome, dead.outcome) == (ProbeOutcome.INCONCLUSIVE, ProbeOutcome.DEAD)
    assert "ValueError" in odd.evidence
    assert "'betamax' is not a valid Delivery" in caplog.text


def test_nothing_to_probe_is_no_work() -> None:
    assert services.probe_many([], at=AT) == []


@pytest.mark.parametrize(
    ("claimed", "measured", "honesty"), [(5, 3, 0.96), (3, 3, 1.0), (None, 3, 1.0), (5, None, 1.0)]
)
def test_honesty_is_noted_where_claim_and_measure_can_be_compared(
    origin: Origin, claimed: int | None, measured: int | None, honesty: float
) -> None:
    films = library("films", origin.url)
    noting.measured(films, claimed=claimed, measured=measured, at=AT)
    assert stored("films").honesty == pytest.approx(honesty)
