"""An operator adds a provider, tests it, sees why it does not work, corrects it, and sees that it does."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import audit
from tests.browser.conftest import Watcher
from tests.browser.stack import Stack
from tests.browser.test_every_page import faults_of, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.servers, pytest.mark.xdist_group("browser")]

PAGES = ["add/", "add/?adapter=catalogue", "add/?adapter=autoembed", "library/test/", "library/history/"]
SECRET = "a-token-that-nobody-sees"


def test_their_pages(page: Page, stack: Stack, watcher: Watcher) -> None:
    sign_in(page, stack, "operator")
    assert faults_of(page, f"{stack.url}/admin/providers/provider/", PAGES) == {}


def test_a_provider_is_added_tested_corrected_and_works(page: Page, stack: Stack, watcher: Watcher) -> None:
    library = stack.env["LIBRARY_URL"]
    wrong = library.replace("/library", "/elsewhere")
    stack.library.pages["/elsewhere/movies/10378.json"] = "A page about something else"
    stack.library.offer(10378, "720p-hls", "10378/720p-hls.m3u8", "hls", "720p")
    sign_in(page, stack, "operator")
    page.goto(f"{stack.url}/admin/providers/provider/")
    page.get_by_role("link", name="Add provider").click()
    page.get_by_role("link", name="Library A folder behind a web server").click()
    page.get_by_label("Slug").fill("second")
    page.get_by_label("Label").fill("Second library")
    page.get_by_label("Base URL").fill(wrong)
    page.get_by_role("button", name="Save and test").click()

    expect(page.get_by_text("Second library is added, and off until you enable it.")).to_be_visible()
    page.get_by_role("button", name="Test it").click()
    expect(page.get_by_text("It stops at “answer”.")).to_be_visible()
    expect(page.get_by_text("This adapter cannot read what answers there")).to_be_visible()
    expect(page.locator(".step-not_reached")).to_have_count(2)
    assert audit.faults(page) == {}

    page.get_by_role("link", name="Change its settings").click()
    page.get_by_label("Base URL").fill(library)
    page.get_by_role("button", name="Save and test").click()
    page.get_by_role("button", name="Test it").click()
    expect(page.get_by_text("It works.")).to_be_visible()
    expect(page.locator(".step-ok")).to_have_count(5)
    expect(page.locator(".facts")).to_contain_text("720")
    assert audit.faults(page) == {}


def test_a_secret_is_entered_and_never_shown(page: Page, stack: Stack, watcher: Watcher) -> None:
    sign_in(page, stack, "operator")
    page.goto(f"{stack.url}/admin/providers/provider/add/?adapter=catalogue")
    page.get_by_label("API token").fill(SECRET)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Before it can be asked for anything")).to_be_visible()
    expect(page.get_by_text("Set just now; it is not shown again.")).to_be_visible()
    assert SECRET not in page.content()
    assert audit.faults(page) == {}
    page.get_by_label("Forget: API token").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Not set.")).to_be_visible()
