"""The button that opens the sidebar: the only way on where the window is narrow."""

from __future__ import annotations

import itertools
import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from decam.ui import nav
from tests.browser.conftest import Finished, Watch
from tests.tools.server import Server

# Between a narrow window and a wide one the framework opens and closes the sidebar by itself: each gets a new page.
NARROW: tuple[ViewportSize, ...] = ({"width": 390, "height": 844},)
WIDE: tuple[ViewportSize, ...] = ({"width": 900, "height": 800}, {"width": 1440, "height": 900})
# Asked until it is true: the sidebar slides out of the window when it closes.
IN_FRONT = """() => {
    const button = document.querySelector('[data-testid="stExpandSidebarButton"]');
    const { left, top, right, bottom } = button.getBoundingClientRect();
    const points = [[left + 3, top + 3], [right - 3, top + 3], [left + 3, bottom - 3], [right - 3, bottom - 3]];
    return [...points, [(left + right) / 2, (top + bottom) / 2]].every(
        ([x, y]) => button.contains(document.elementFromPoint(x, y)));
}"""
# Wholly opaque, for text runs under it while the page is scrolled.
OPAQUE = "button => /^rgb\\(/.test(getComputedStyle(button).backgroundColor)"
UNDER = """button => {
    const box = button.getBoundingClientRect(), words = document.createTreeWalker(
        document.querySelector('[data-testid="stMain"]'), NodeFilter.SHOW_TEXT), found = [];
    while (words.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(words.currentNode);
        for (const line of range.getClientRects())
            if (line.width && line.left < box.right && line.right > box.left && line.top < box.bottom
                && line.bottom > box.top) found.push(words.currentNode.textContent);
    }
    return found;
}"""


def collapsed(page: Page) -> None:
    """Close the sidebar where it is open."""
    sidebar, button = page.get_by_test_id("stSidebar"), page.get_by_test_id("stExpandSidebarButton")
    expect(sidebar).to_have_attribute("data-collapsed", re.compile("true|false"))
    if sidebar.get_attribute("data-collapsed") == "false":
        sidebar.hover()
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
    expect(button).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_button_that_opens_the_sidebar_can_be_seen_and_pressed_on_every_page(
    theme: Literal["light", "dark"], chromium: Browser, common_server: Server, watch: Watch
) -> None:
    context = chromium.new_context(color_scheme=theme)
    context.on("page", watch.attach)
    page = context.new_page()
    paths = ("", *(entry.address for entry in nav.PAGES))
    for path, sizes in itertools.product(paths, (NARROW, WIDE)):
        page.set_viewport_size(sizes[0])
        page.goto(f"{common_server.url}{path}")
        for size in sizes:
            page.set_viewport_size(size)
            collapsed(page)
            expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
            button = page.get_by_role("button", name="Expand sidebar")
            box = button.bounding_box()
            assert box is not None
            assert box["x"] >= 0 and box["y"] >= 0
            assert box["x"] + box["width"] <= size["width"] and box["y"] + box["height"] <= size["height"]
            assert min(box["width"], box["height"]) >= 24
            page.wait_for_function(IN_FRONT)
            assert button.evaluate(OPAQUE)
            assert button.evaluate(UNDER) == [], (path, size)
            button.click()
            expect(page.get_by_role("link", name="Sanity", exact=True)).to_be_in_viewport()
    context.close()


def test_in_a_narrow_window_the_page_scrolls_under_a_bar_and_not_beside_the_button(
    chromium: Browser, finished: Finished, watch: Watch
) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    context.on("page", watch.attach)
    page = context.new_page()
    page.goto(f"{finished.url}?run={finished.run}")
    collapsed(page)
    tab = page.get_by_role("tab", name="Convergence")
    tab.wait_for()
    button = page.get_by_role("button", name="Expand sidebar").bounding_box()
    assert button is not None
    tab.evaluate("tab => tab.scrollIntoView()")
    box = tab.bounding_box()
    assert box is not None
    assert box["y"] >= button["y"] + button["height"], "a tab that is scrolled to is below the button"
    tab.evaluate("(tab, by) => document.querySelector('[data-testid=\"stMain\"]').scrollBy(0, by)", box["y"] - 10)
    covered = """tab => { const { left, right, top, bottom } = tab.getBoundingClientRect();
        return tab.contains(document.elementFromPoint(right - 2, (top + bottom) / 2)); }"""
    assert not tab.evaluate(covered), "what is beside the button is under the bar too"
    context.close()
