"""No page breaks its policy, its layout or the basics of accessibility, in either colour scheme."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import audit, pages
from tests.browser.conftest import Watcher, until
from tests.browser.stack import PASSWORD, Stack

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("browser")]

FILM = 775
WATCH = f"/watch/{FILM}"
LEFT_VERSION = """
from streaming.models import Movie, StreamVersion
active = Movie.objects.get(pk=film).active_stream_id
result = str(StreamVersion.objects.filter(movie_id=film).exclude(pk=active).get().pk)
"""
AUDITED = """
from core import audit
with audit.act(audit.Action.PROVIDER_CHANGE, "library", name="The library", why="They have moved.") as deed:
    deed.changed({"base_url": "https://old.example/" + "x" * 90}, {"base_url": "https://new.example/"})
from core.models import AuditEntry
result = str(AuditEntry.objects.filter(outcome="done", action="provider.change").latest("id").pk)
"""
RUN = """
from django.utils import timezone
from ingestion.models import IngestLog, IngestRun
now = timezone.now()
facts = {"job": "content.refresh", "status": STATUS, "queued_at": now, "started_at": now}
facts |= {"progress_done": 20, "progress_total": 40, "correlation_id": "seen-7", "trigger": "test"}
facts |= {"error": "ValueError: no", "traceback": "Traceback " + "x" * 400, "summary": {"queued": 20}}
run = IngestRun.objects.create(**facts)
line = {"at": now, "run_id": run.pk, "job": run.job, "status": "ERROR", "message": "No.", "error": "y" * 400}
log = IngestLog.objects.create(**line)
result = [str(run.pk), str(log.pk)]
"""


@pytest.fixture(scope="module")
def film(stack: Stack) -> int:
    """A film with an upgrade behind it, so that every page has something to show."""
    stack.add_film(FILM, ("480p-mp4.mp4", "progressive", "480p"))
    stack.offer(FILM, ("720p-hls.m3u8", "hls", "720p"))
    return FILM


Look = Callable[[Page], dict[str, list[str]]]


def faults_of(
    page: Page, url: str, paths: Sequence[str], look: Look = audit.faults, status: int = 200
) -> dict[str, Any]:
    found = {}
    for path in paths:
        answer = page.goto(url + path)
        assert answer is not None
        assert answer.status == status, path
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "script-src 'self';" in policy + ";"
        if path == WATCH:
            expect(page.get_by_role("group", name="Player")).to_be_visible()
        if faults := look(page):
            found[path] = faults
    return found


@pytest.fixture(scope="module")
def known(stack: Stack, film: int) -> dict[str, str]:
    """What stands for the names in pages.py."""
    (running, _), (failed, log) = (stack.run(RUN.replace("STATUS", repr(s))) for s in ("running", "failed"))
    left, entry = stack.run(LEFT_VERSION, film=film), stack.run(AUDITED)
    runs = {"running": running, "failed": failed, "log": log}
    return {"film": str(film), "left": left, "entry": entry, **runs}


def test_the_docs_of_the_api(page: Page, stack: Stack, watcher: Watcher) -> None:
    watcher.allowed = ("status of 401",)  # what the call answers
    page.goto(f"{stack.url}/api/docs/")
    page.get_by_role("button", name="/api/movies/{movie_id}/rollback").first.click()
    expect(page.get_by_text("Where it leads is probed first.")).to_be_visible()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.get_by_text("Authentication credentials were not provided.").first).to_be_visible()
    # Its widgets are Swagger UI's. The policy holds all the same, and the colours are ours to answer for.
    assert audit.colour_faults(page) == {}


def filled(paths: Iterable[str], known: dict[str, str]) -> list[str]:
    return [path.format(**known) for path in paths]


def nothing(page: Page) -> dict[str, list[str]]:
    """Looks at nothing: the watcher hears what the page complains of."""
    return {}


def test_public_pages(page: Page, stack: Stack, known: dict[str, str], watcher: Watcher) -> None:
    assert faults_of(page, stack.url, filled(pages.PUBLIC, known)) == {}


def test_the_page_of_the_contract(page: Page, stack: Stack, watcher: Watcher) -> None:
    for path in pages.DOCS:
        assert faults_of(page, stack.url, [path], nothing) == {}
        expect(page.get_by_text("/api/movies", exact=True).first).to_be_visible()


def test_the_back_office(page: Page, stack: Stack, known: dict[str, str], watcher: Watcher) -> None:
    sign_in(page, stack, "admin")
    assert faults_of(page, stack.url, filled(pages.OFFICE, known)) == {}


def test_pages_that_are_djangos_own(
    page: Page, stack: Stack, known: dict[str, str], watcher: Watcher
) -> None:
    sign_in(page, stack, "admin")
    assert faults_of(page, stack.url, filled(pages.DJANGOS_OWN, known), audit.colour_faults) == {}


def test_pages_that_refuse(page: Page, stack: Stack, known: dict[str, str], watcher: Watcher) -> None:
    watcher.allowed = ("the server responded with a status of 40",)
    sign_in(page, stack, "admin")
    for status in (403, 404):
        paths = [path for path, answered in pages.REFUSED.items() if answered == status]
        # They are one template each: the first is looked at, all are loaded.
        first, *others = filled(paths, known)
        assert faults_of(page, stack.url, [first], status=status) == {}
        assert faults_of(page, stack.url, others, nothing, status=status) == {}


def test_forms_that_are_refused(page: Page, stack: Stack, film: int, watcher: Watcher) -> None:
    sign_in(page, stack, "editor", "not this one")
    assert audit.faults(page) == {}
    sign_in(page, stack, "editor")
    page.goto(f"{stack.url}/admin/streaming/movie/{film}/do/rollback/")
    page.get_by_role("button", name="roll back").click()
    expect(page.get_by_text("This field is required.")).to_be_visible()
    assert audit.faults(page) == {}


def sign_in(page: Page, stack: Stack, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{stack.url}/admin/login/?next=/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_fresh_catalogue_fills_by_itself(page: Page, stack: Stack, film: int, watcher: Watcher) -> None:
    stack.run("from streaming.models import Movie\nMovie.objects.update(hidden=True)")
    assert faults_of(page, stack.url, ["/"]) == {}
    page.evaluate("window.marker = 'here'")
    expect(page.get_by_role("heading", name="The first films arrive within a minute")).to_be_visible()
    stack.run("from streaming.models import Movie\nMovie.objects.update(hidden=False)")
    expect(page.get_by_role("link", name="A Trip to the Moon").first).to_be_visible(timeout=20_000)
    assert page.evaluate("window.marker") == "here"


def test_a_player_reports_a_stream_that_dies_under_it(page: Page, stack: Stack, watcher: Watcher) -> None:
    watcher.allowed = ("404",)
    stack.add_film(961, ("720p-mp4.mp4", "progressive", "720p"))
    stack.library.dead.add("961/720p-mp4.mp4")
    with page.expect_request("**/playback-reports") as report:
        page.goto(f"{stack.url}/watch/961")
    version = stack.run(
        "from streaming.models import Movie\nresult = Movie.objects.get(pk=961).active_stream_id"
    )
    assert report.value.post_data_json["version"] == version
    expect(page.get_by_text("Looking for another one")).to_be_visible()
    stack.library.dead.clear()
    until(page, "() => document.querySelector('video.showing')?.currentTime > 0.3")


def test_an_unknown_film_is_said_kindly(page: Page, stack: Stack, watcher: Watcher) -> None:
    watcher.allowed = ("404",)
    answer = page.goto(f"{stack.url}/watch/999999")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="Nothing is showing here")).to_be_visible()
    assert audit.faults(page) == {}


CLOCK = """async () => {
    const c = await import('/static/streaming/player/clock.js');
    const agreement = new c.Agreement();
    return {
        wrapped: c.within(61.5, 60), before: c.within(-1, 60),
        film: c.within(9000, 7200), unknown: c.within(5, NaN),
        behind: c.trimmed(-0.05, 1), ahead: c.trimmed(9, 2), level: c.trimmed(0, 1.5),
        at: c.positionAt({ media: 10, shown: 1000 }, 1500, 2),
        agreed: [0.05, 0.01, -0.011, 0.2, 0.001].map((drift) => agreement.add(drift)),
        texts: [0, 65, 3725, NaN].map(c.clockText), loops: [c.loops(60), c.loops(5400), c.loops(NaN)],
    };
}"""


def test_the_players_arithmetic(page: Page, stack: Stack, watcher: Watcher) -> None:
    page.goto(stack.url)
    told = page.evaluate(CLOCK)
    assert [told["wrapped"], told["before"], told["film"], told["unknown"]] == [1.5, 59, 7200, 5]
    assert told["behind"] == pytest.approx(1.075)
    assert told["ahead"] == pytest.approx(1.7), "within 15 % of its rate"
    assert told["level"] == 1.5
    assert told["at"] == 11
    assert told["agreed"] == [False, False, True, False, False]
    assert told["texts"] == ["0:00", "1:05", "1:02:05", "0:00"]
    assert told["loops"] == [True, False, False]
