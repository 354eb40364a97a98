"""Takes the pictures of the documentation from a running `make run`: `make screenshots`.

Uses the system's Chromium and changes nothing but the session it signs in with.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from config import env
from config.supervisor.instance import Running, data_dir, running

FOLDER = Path(__file__).parent / "images"
SIZE = {"width": 1280, "height": 800}
PLAYED_FOR_MS = 3000  # the clip's own fade-in is over by then


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    data = data_dir(env.read()["DATA_DIR"])
    run = running(data)
    if not chromium or not run or not run.url:
        sys.stderr.write(
            "Screenshots need Chromium on PATH and a `make run` that is ready in another terminal.\n"
        )
        return 1
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": SIZE["width"], "height": SIZE["height"]})
        public_pages(page, run)
        admin_pages(page, run, (data / "admin-password").read_text().strip())
        browser.close()
    return 0


def public_pages(page: Page, run: Running) -> None:
    page.goto(f"{run.url}/", wait_until="networkidle")
    keep(page, "catalogue")
    page.locator('a[href^="/watch/"]').first.click()
    page.locator("video").first.wait_for()
    page.evaluate("document.querySelectorAll('video').forEach(video => { video.muted = true; video.play() })")
    page.wait_for_timeout(PLAYED_FOR_MS)
    keep(page, "watch")


def admin_pages(page: Page, run: Running, password: str) -> None:
    page.goto(f"{run.url}/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state("networkidle")
    keep(page, "admin")


def keep(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"{name}.png")
    sys.stdout.write(f"docs/images/{name}.png\n")


if __name__ == "__main__":
    sys.exit(main())
