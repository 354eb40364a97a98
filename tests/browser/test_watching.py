"""A viewer watches, the stream gets better, and the picture follows: same document, no jump."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from streaming.quality import Quality
from tests.browser.conftest import Watcher, until
from tests.browser.stack import PASSWORD, Stack

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("browser")]

PLAYING = """() => { const v = document.querySelector('video.showing');
    return v && !v.paused && v.currentTime > 0.5 }"""
STATE = """() => { const v = document.querySelector('video.showing');
    return { at: v.currentTime, height: v.videoHeight, length: v.duration, marker: window.marker } }"""


def playing(page: Page) -> dict[str, Any]:
    """Where the picture is, and how high; the clock of this process with it."""
    until(page, PLAYING)
    return {**page.evaluate(STATE), "clock": time.monotonic()}


def height_is(page: Page, height: int) -> dict[str, Any]:
    until(page, f"() => document.querySelector('video.showing')?.videoHeight === {height}")
    return {**page.evaluate(STATE), "clock": time.monotonic()}


def assert_went_on(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Same document, and the position within a second of where it would be without a switch."""
    assert after["marker"] == "here"
    expected = (before["at"] + after["clock"] - before["clock"]) % before["length"]
    assert abs(after["at"] - expected) < 1


@pytest.mark.parametrize(
    ("film", "first", "better"),
    [
        (10378, ("720p-hls.m3u8", "hls", "720p"), ("1080p-hls.m3u8", "hls", "1080p")),
        (133701, ("720p-dash.mpd", "dash", "720p"), ("1080p-mp4.mp4", "progressive", "1080p")),
    ],
    ids=["hls to hls", "dash to mp4"],
)
def test_a_stream_gets_better_while_it_plays(
    page: Page, stack: Stack, watcher: Watcher, film: int, first: Any, better: Any
) -> None:
    stack.add_film(film, first)
    page.goto(stack.url)
    page.locator(".card", has=page.locator(f"a[href='/watch/{film}']")).click()
    page.evaluate("window.marker = 'here'")
    before = playing(page)
    assert before["height"] == 720
    stack.offer(film, better)
    after = height_is(page, 1080)
    assert_went_on(before, after)
    expect(page.locator("[data-now]")).to_have_text("1080p")
    expect(page.locator("[data-live]")).to_have_text("Now in 1080p.")
    expect(page.locator("#facts")).to_contain_text("Upgraded from 720p to 1080p")
    assert page.locator("video").count() == 1


def test_an_editor_rolls_back_and_the_viewer_follows(page: Page, stack: Stack, watcher: Watcher) -> None:
    film = 358332
    stack.add_film(film, ("720p-mp4.mp4", "progressive", "720p"))
    stack.offer(film, ("1080p-hls.m3u8", "hls", "1080p"))
    page.goto(f"{stack.url}/watch/{film}")
    page.evaluate("window.marker = 'here'")
    before = playing(page)

    office = page.context.new_page()
    Watcher(office).complaints = watcher.complaints
    office.goto(f"{stack.url}/admin/login/?next=/admin/streaming/movie/{film}/change/")
    office.get_by_label("Username").fill("editor")
    office.get_by_label("Password").fill(PASSWORD)
    office.get_by_role("button", name="Log in").click()
    office.get_by_role("link", name="Roll back").click()
    office.get_by_role("button", name="roll back").click()
    expect(office.get_by_text("This field is required.")).to_be_visible()
    office.get_by_label("Reason").fill("The sound is out of step.")
    office.get_by_role("button", name="roll back").click()
    expect(office.get_by_text("Rolled back to")).to_be_visible()
    expect(office.locator(".timeline li").first).to_contain_text("The sound is out of step.")

    page.bring_to_front()
    after = height_is(page, 720)
    assert_went_on(before, after)
    stack.match(film)
    assert stack.run(ACTIVE_QUALITY, film=film) == Quality.P720, "the next refresh brought the stream back"
    assert page.evaluate(STATE)["height"] == 720
    expect(page.locator("#facts")).to_contain_text("Rolled back to 720p")
    expect(page.locator("#facts")).not_to_contain_text("The sound is out of step.")


def test_a_better_stream_that_does_not_start_leaves_the_picture_alone(
    page: Page, stack: Stack, watcher: Watcher
) -> None:
    film = 653
    watcher.allowed = ("net::ERR_FAILED",)
    stack.add_film(film, ("720p-mp4.mp4", "progressive", "720p"))
    page.route("**/1080p-hls*", lambda route: route.abort())
    page.goto(f"{stack.url}/watch/{film}")
    page.evaluate("window.marker = 'here'")
    before = playing(page)
    with page.expect_request("**/playback-reports") as report:
        stack.offer(film, ("1080p-hls.m3u8", "hls", "1080p"))
    assert report.value.post_data_json["code"] == "not_ready"
    after = playing(page)
    assert after["height"] == 720
    assert_went_on(before, after)
    expect(page.locator("[data-now]")).to_have_text("720p")


def test_an_embed_is_framed_in_a_sandbox(page: Page, stack: Stack, watcher: Watcher) -> None:
    film = 9761
    stack.add_film(film)
    origin = stack.env["LIBRARY_URL"].removesuffix("/library")
    stack.run(EMBED, film=film, url=f"{origin}/player")
    stack.library.pages["/player"] = "A player"
    page.goto(f"{stack.url}/watch/{film}")
    frame = page.locator("iframe.showing")
    expect(frame).to_have_attribute("sandbox", "allow-scripts allow-presentation")
    expect(frame).to_have_attribute("referrerpolicy", "no-referrer")
    expect(page.frame_locator("iframe.showing").get_by_role("heading", name="A player")).to_be_visible()
    expect(page.get_by_role("group", name="Player")).to_be_hidden()


EMBED = """
from django.utils import timezone
from streaming import switching
from streaming.models import StreamVersion
at = timezone.now()
key = StreamVersion.key_for(film, "library", "embed", url)
facts = {"movie_id": film, "provider_id": "library", "ref": "embed", "url": url, "delivery": "embed"}
seen = {"first_seen": at, "last_seen": at, "state": "healthy", "claimed_quality": 40}
StreamVersion(id=key, **seen, **facts).save(force_insert=True)
switching.reconsider(film, at=at)
"""
ACTIVE_QUALITY = """
from streaming.models import Movie
result = Movie.objects.get(pk=film).active_quality
"""
