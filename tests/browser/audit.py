"""What a page may not do wrong, whatever it is about: axe's rules and a few of our own.

It looks at a page that is already loaded, wide and narrow, in both colour schemes. It navigates nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
WIDTHS = [1440, 390]
REFLOW = 320  # WCAG 1.4.10: down to here nothing may ask for scrolling sideways
HEIGHT = 800
WCAG_22_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]  # all that another colour scheme can change
# What axe does not ask: one h1, a language, a title, no id twice, no sideways scrolling, nothing inline.
OURS = """() => {
    const named = (e) => e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.labels?.length
        || e.textContent.trim() || e.title || (e.type === 'submit' && e.value);
    const shown = (e) => e.checkVisibility({ visibilityProperty: true });
    const controls = 'a[href], button, input:not([type=hidden]), select, textarea';
    const faults = [...document.querySelectorAll(controls)]
        .filter((e) => shown(e) && !named(e)).map((e) => 'no name: ' + e.outerHTML.slice(0, 120));
    document.querySelectorAll('img:not([alt])').forEach((e) => faults.push('no alt: ' + e.src));
    const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
    new Set(ids.filter((id, i) => ids.indexOf(id) !== i)).forEach((id) => faults.push('id twice: ' + id));
    if (document.querySelectorAll('h1').length !== 1) faults.push('not one h1');
    if (!document.documentElement.lang || !document.title.trim()) faults.push('no language or title');
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide > 0) faults.push(`wider than the window by ${wide} px`);
    const inline = document.querySelectorAll('[style], style, script:not([src])');
    inline.forEach((e) => faults.push('inline: ' + e.outerHTML.slice(0, 80)));
    return faults;
}"""
# The page has just been given another look: its transitions end now, or axe would measure colours half way.
# Preloading is for one experimental rule, and writes styles that our policy forbids.
AXE = """async (runOnly) => {
    const turning = document.getAnimations().filter((each) => each instanceof CSSTransition);
    turning.forEach((each) => each.finish());
    const { violations } = await axe.run(document, { runOnly, resultTypes: ['violations'], preload: false });
    return violations.flatMap(({ id, nodes }) => nodes.map((node) =>
        `${id}: ${node.html.slice(0, 120)}: ${[...node.any, ...node.all, ...node.none][0]?.message}`));
}"""


def faults(page: Page) -> dict[str, list[str]]:
    """What is wrong with the page as it stands, by how it is looked at. Nothing wrong: empty."""

    def look(scheme: str) -> list[str]:
        return [*page.evaluate(OURS), *page.evaluate(AXE, WCAG_22_AA if scheme == "light" else COLOURS)]

    found = _by_look(page, look)
    page.set_viewport_size({"width": REFLOW, "height": HEIGHT})
    if wrong := page.evaluate(OURS):
        found[f"{REFLOW} px"] = wrong
    return found


def colour_faults(page: Page) -> dict[str, list[str]]:
    """The same for a page whose widgets are not ours while its colours are."""
    return _by_look(page, lambda scheme: page.evaluate(AXE, COLOURS))


def _by_look(page: Page, look: Callable[[str], list[str]]) -> dict[str, list[str]]:
    page.evaluate(AXE_SCRIPT)  # the debugger's way in, which no content security policy closes
    found = {}
    for scheme, width in product(SCHEMES, WIDTHS):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": HEIGHT})
        if wrong := look(scheme):
            found[f"{scheme}, {width} px"] = wrong
    return found
