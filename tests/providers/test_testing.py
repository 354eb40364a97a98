"""Trying a provider out: each step says what was asked, what came and what it means; nothing is written."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from providers import registry, secrets, testing
from providers.adapters.library import Library
from providers.base import Capability, LicensedProvider
from providers.messages import Request, Response
from providers.models import Provider
from providers.options import ConfigField, ConfigKind
from providers.testing import Report
from providers.types import Delivery, MovieRef, SearchAnswer, StreamCandidate
from tests.providers.media import MEDIA, media
from tests.providers.origin import Answer, Origin, raw_server
from tests.servers import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("valkey")]

BUNNY = MovieRef(tmdb_id=10378, title="Big Buck Bunny", imdb_id="tt1254207", year=2008)
PATH = "/movies/10378.json"
FILM = next(name for name in MEDIA if name.endswith(".mp4"))
ROW = {"id": "a", "url": f"../{FILM}", "delivery": "progressive", "quality": "1080p"}
LISTED = Answer(body=json.dumps({"renditions": [ROW]}).encode(), headers={"Content-Type": "application/json"})
TOKEN = "s3cret-Token-42"


class Keyed(LicensedProvider):
    """Finds films by IMDb id alone, and signs in with a token that ends up in its streams' addresses."""

    slug = "keyed"
    label = "Keyed"
    capabilities = frozenset({Capability.BY_IMDB_ID, Capability.PROGRESSIVE})
    config_fields = (
        ConfigField(name="base_url", label="Base URL", help="Where.", kind=ConfigKind.URL, required=True),
        ConfigField(name="token", label="Token", help="The key.", secret=True, required=True),
    )

    def build_search(self, movie: MovieRef) -> tuple[Request, ...]:
        if movie.imdb_id is None:
            return ()
        return (Request(url=f"{self.config['base_url']}/{self.config['token']}/{movie.imdb_id}"),)

    def parse_search(self, movie: MovieRef, responses: Sequence[Response]) -> SearchAnswer:
        url = f"{self.config['base_url']}/{self.config['token']}/film.mp4"
        if "bug" in responses[0].text():
            raise RuntimeError(f"over {url}")
        return SearchAnswer(candidates=(StreamCandidate(url=url, delivery=Delivery.PROGRESSIVE),))


@pytest.fixture
def site(origin: Origin, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Origin:
    settings.HTTP_TRUSTED_ORIGINS = [origin.url]
    monkeypatch.setattr(registry, "ADAPTERS", {"library": Library, "keyed": Keyed})
    return origin


def library(url: str, **columns: Any) -> Provider:
    config = {"base_url": url}
    return Provider.objects.create(slug="films", label="Films", adapter="library", config=config, **columns)


def keyed(url: str) -> Provider:
    token = secrets.seal("films", "token", TOKEN)
    made = {"config": {"base_url": url}, "secrets": {"token": token}}
    return Provider.objects.create(slug="films", label="Films", adapter="keyed", **made)


def states(report: Report) -> str:
    return " ".join(f"{step.name}:{step.state}" for step in report.steps if step.state != "not_reached")


def test_what_works_is_said_step_by_step_even_before_it_is_switched_on(site: Origin) -> None:
    site.on(PATH, LISTED)
    site.on(f"/{FILM}", Answer(body=media(FILM), headers={"Content-Type": "video/mp4"}))
    report = testing.try_out(library(site.url, enabled=False), BUNNY)
    assert states(report) == "settings:ok connection:ok answer:ok streams:ok playable:ok"
    assert report.works
    _, connection, answer, streams, playable = report.steps
    assert connection.asked == f"GET {site.url}{PATH}"
    assert answer.came == f"HTTP 200, {len(LISTED.body)} bytes of application/json"
    assert (streams.asked, streams.came) == ("Big Buck Bunny (2008), TMDB 10378, tt1254207", "1 stream")
    assert playable.asked == f"{site.url}/{FILM}"
    assert report.probe is not None
    assert min(report.probe.width, report.probe.height, report.probe.bytes_read) > 0
    assert [each.claimed for each in report.candidates] == ["1080p"]


@pytest.mark.parametrize(
    ("answer", "as_far_as", "came", "means"),
    [
        (Answer(401, b"no such key"), "answer", "no such key", "key or token again"),
        (Answer(403), "answer", "HTTP 403", "licence does not cover"),
        (Answer(429), "answer", "HTTP 429", "lower its requests per second"),
        (Answer(429, headers={"Retry-After": "2"}), "answer", "HTTP 429", "lower its requests per second"),
        (Answer(500), "answer", "HTTP 500", "may pass"),
        (Answer(body=b"<html>"), "answer", "not JSON", "cannot read"),
        (Answer(404), "streams", "no streams", "has nothing of this film"),
        (
            Answer(body=b'{"renditions": [{}]}'),
            "streams",
            "no streams; 1 row could",
            "has nothing of this film",
        ),
        (LISTED, "playable", "404", "has to mend it"),
    ],
    ids=["401", "403", "429", "retry-after", "500", "malformed", "unknown", "unreadable", "dead"],
)
def test_what_fails_is_as_far_as_it_goes(
    site: Origin, answer: Answer, as_far_as: str, came: str, means: str
) -> None:
    site.on(PATH, answer)
    provider = library(site.url, enabled=True)
    before = Provider.objects.values().get()
    report = testing.try_out(provider, BUNNY)
    assert report.failed is not None
    assert report.failed.name == as_far_as
    assert came in report.failed.came
    assert means in report.failed.means
    assert len([each for each in site.paths() if each == PATH]) == 1, "it was retried"
    assert Provider.objects.values().get() == before, "a test is no finding"


def test_where_nobody_listens_the_connection_fails(site: Origin, settings: Any) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings.HTTP_TRUSTED_ORIGINS = [nowhere]
    report = testing.try_out(library(nowhere), BUNNY)
    assert states(report) == "settings:ok connection:failed"
    assert "no connection to 127.0.0.1" in report.steps[1].came
    assert "check the address for a slip" in report.steps[1].means


def test_where_the_guard_forbids_it_nothing_is_sent(site: Origin, settings: Any) -> None:
    settings.HTTP_TRUSTED_ORIGINS = []
    report = testing.try_out(library(site.url), BUNNY)
    assert states(report) == "settings:ok connection:failed"
    assert "HTTP_TRUSTED_ORIGINS" in report.steps[1].means
    assert site.asked == []


@pytest.mark.parametrize(
    ("columns", "came"),
    [
        ({"config": {}}, "base_url is required"),
        ({"adapter": "long-gone"}, "unknown adapter"),
        ({"rate_limit_rps": 0.0}, "requests per second"),
        ({"secrets": {"token": "gAAAA"}}, "token cannot be read with PROVIDER_SECRET_KEYS"),
    ],
)
def test_settings_that_are_wrong_come_first(site: Origin, columns: dict[str, Any], came: str) -> None:
    provider = library(site.url)
    for name, value in columns.items():
        setattr(provider, name, value)
    report = testing.try_out(provider, BUNNY)
    assert states(report) == "settings:failed"
    assert came in report.steps[0].came
    assert site.asked == []


def test_a_film_that_it_cannot_be_asked_for_is_the_operators_turn(site: Origin) -> None:
    report = testing.try_out(keyed(site.url), MovieRef(tmdb_id=1, title="Nameless"))
    assert states(report) == "settings:ok connection:failed"
    assert "such as an IMDb id" in report.steps[1].means


@pytest.mark.parametrize(
    "answer",
    [Answer(401, f"{TOKEN} is not ours".encode()), Answer(body=b"bug"), Answer(body=TOKEN.encode())],
    ids=["refused", "our mistake", "listed"],
)
def test_no_secret_is_in_what_is_said(site: Origin, caplog: pytest.LogCaptureFixture, answer: Answer) -> None:
    site.on(f"/{TOKEN}/tt1254207", answer)
    report = testing.try_out(keyed(site.url), BUNNY)
    assert not report.works
    assert "***" in str(report)
    assert TOKEN not in f"{report} {caplog.text}"


def test_what_signs_a_streams_address_is_masked(site: Origin) -> None:
    row = {**ROW, "url": f"../{FILM}?Signature=a1b2c3d4e5"}
    site.on(PATH, Answer(body=json.dumps({"renditions": [row]}).encode()))
    site.on(f"/{FILM}", Answer(body=media(FILM), headers={"Content-Type": "video/mp4"}))
    report = testing.try_out(library(site.url), BUNNY)
    assert report.works, "the stream itself is asked for with it"
    assert report.candidates[0].url == report.steps[-1].asked == f"{site.url}/{FILM}?Signature=***"


def test_a_mistake_of_ours_is_said_to_be_one(site: Origin) -> None:
    site.on(f"/{TOKEN}/tt1254207", Answer(body=b"bug"))
    report = testing.try_out(keyed(site.url), BUNNY)
    assert report.failed is not None
    assert "our own test of it failed (RuntimeError)" in report.failed.came
    assert "mistake in Marquee" in report.failed.means


def test_one_that_hangs_is_given_up(site: Origin, settings: Any) -> None:
    end = threading.Event()
    with raw_server(lambda stream: end.wait(30) and None) as port:
        url = f"http://127.0.0.1:{port}"
        settings.HTTP_TRUSTED_ORIGINS = [url]
        report = testing.try_out(library(url), BUNNY, within_s=0.3)
        end.set()
    assert report.failed is not None
    assert report.failed.name in {"connection", "answer"}
    assert "in time" in report.failed.came or "within 0.3 s" in report.failed.came
    assert report.failed.means
