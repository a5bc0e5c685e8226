"""One class rather than another in a browser: chosen and cleared; the folded strip shows it where it was chosen."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.compare import LONG_MS, Compare
from tests.tools.server import Server


def test_a_second_class_is_chosen_and_cleared_again(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample("Heart and ring")
    other = compare.main.get_by_role("combobox", name="Class to tell the target of Heart and ring from")
    other.click()
    page.get_by_role("option", name="rather than cross", exact=True).click()
    expect(other).to_have_value("rather than cross")
    compare.new_budget(200)
    compare.start()
    header = compare.main.get_by_role("rowheader", name=re.compile("Heart and ring"))
    expect(header).to_contain_text(" rather than cross", timeout=LONG_MS)
    compare.finished()
    expect(other).to_be_visible()  # in the folded strip too, for it was chosen
    assert not compare.overflow()
    compare.main.get_by_role("button", name="More").click()
    expect(other).to_have_value("rather than cross")
    other.click()
    page.get_by_role("option", name="rather than any other class").click()
    expect(compare.main.get_by_text(re.compile("These maps are for .+ rather than cross"))).to_be_visible(
        timeout=LONG_MS
    )
    expect(other).to_have_value("rather than any other class")
    compare.main.get_by_role("button", name="Less").click()
    expect(other).not_to_be_visible()
    assert not compare.overflow()
