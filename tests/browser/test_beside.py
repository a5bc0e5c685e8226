"""Two runs on one page: the second is chosen from a list, stands below the first, and the address names both."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.compare import LONG_MS, RUN_MS, STARS, Compare
from tests.browser.conftest import Finished

pytestmark = pytest.mark.browser
SIZES = [(1440, 900), (1280, 720), (900, 900), (390, 844)]


def searched(page: Page, url: str) -> Compare:
    """A short search of the star on the page DE-CAM."""
    compare = Compare(page)
    compare.open_search(url)
    compare.sample(STARS)
    budget = page.get_by_role("spinbutton", name="Budget")
    budget.fill("300")
    budget.press("Enter")
    expect(page.get_by_role("button", name="Seeded 300")).to_be_visible()  # the map may be here from another test
    compare.start()
    expect(compare.status("Finished")).to_be_visible(timeout=RUN_MS)
    return compare


def choose(page: Page, name: str) -> None:
    """Choose a run to stand below the one that is shown."""
    page.get_by_role("button", name="Beside another run").click()
    box = page.get_by_role("combobox", name="Another run")
    box.fill(name)  # other tests' runs are in the list too
    page.get_by_role("option").filter(has_text=name).first.click()
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_visible(timeout=LONG_MS)


def test_two_searches_stand_below_each_other_at_every_width(page: Page, finished: Finished) -> None:
    compare = searched(page, finished.url)
    choose(page, f"{STARS} +1 · 3 methods")
    where = page.locator("output.where")
    expect(where).to_have_count(2, timeout=LONG_MS)
    expect(compare.main.get_by_role("heading", name=re.compile(rf"^{STARS} \+1, "))).to_be_visible()
    assert "beside=" in page.url
    page.reload()
    expect(where).to_have_count(2, timeout=LONG_MS)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.reload()
        expect(where).to_have_count(2, timeout=LONG_MS)
        second = page.get_by_role("button", name="Play").last
        second.scroll_into_view_if_needed()
        wide = compare.overflow()
        assert not {"document", "stMain"} & set(wide), f"wider than the window: {wide}"
        inside = """node => {
            const box = node.getBoundingClientRect();
            let at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            while (at?.shadowRoot) {
                const deeper = at.shadowRoot.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                if (!deeper || deeper === at) break;
                at = deeper;
            }
            return node.contains(at);
        }"""
        assert second.evaluate(inside), f"nothing lies over the second player at {width}"
    page.get_by_role("button", name="Close", exact=True).click()
    expect(where).to_have_count(1, timeout=LONG_MS)
    assert "beside=" not in page.url
