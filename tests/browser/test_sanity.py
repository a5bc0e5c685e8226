"""The Sanity page in a browser: a check from its start to its verdicts, and its link."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.compare import LONG_MS, Compare
from tests.browser.conftest import Finished
from tests.tools.server import Server


def test_a_check_against_shuffled_labels_ends_with_a_verdict_for_each_method(page: Page, common_server: Server) -> None:
    page.goto(common_server.url)
    page.get_by_role("link", name="Sanity").click()
    sidebar = page.get_by_role("region", name="Sidebar")
    sidebar.get_by_role("button", name="Star", exact=True).click()
    sidebar.get_by_text("Random labels", exact=True).click()
    line = page.get_by_role("list", name="Methods compared")
    line.get_by_label("Remove DE-CAM", exact=True).click()
    expect(line.get_by_role("listitem").filter(has_text="DE-CAM")).to_have_count(0)
    page.get_by_role("button", name="Randomise", exact=True).click()
    table = page.get_by_role("region", name="Maps of all methods at each stage")
    finished = page.get_by_role("strong").filter(has_text="Finished")
    expect(finished).to_be_visible(timeout=LONG_MS)
    expect(table.get_by_role("columnheader").filter(has_text="shuffled labels")).to_be_visible()
    for title in ("Grad-CAM", "Guided backpropagation", "Edge detector"):
        expect(table.get_by_role("rowheader").filter(has_text=title).first).to_be_visible()
    expect(table.get_by_text("control", exact=True)).to_be_visible()
    words = table.text_content()
    assert words is not None
    page.goto(page.url)  # its link
    expect(table).to_have_text(words, timeout=LONG_MS)
    for group in ("Similarity", "Values of signed maps"):
        chosen = page.get_by_role("radiogroup", name=group).get_by_role("radio", checked=True)
        expect(chosen).to_have_count(1)


def test_a_check_that_was_stopped_is_continued_from_its_link_and_deleted(page: Page, common_server: Server) -> None:
    page.goto(f"{common_server.url}sanity")
    sidebar = page.get_by_role("region", name="Sidebar")
    sidebar.get_by_role("button", name="Arrow", exact=True).click()
    budget = sidebar.get_by_role("spinbutton", name="Budget of a search")
    budget.fill("5000")
    budget.press("Enter")
    page.get_by_role("button", name="Randomise", exact=True).click()
    maps = page.get_by_role("region", name="Maps of all methods at each stage").get_by_role("img")
    expect(maps.nth(3)).to_be_visible(timeout=LONG_MS)  # maps come into the table while the check runs
    expect(page.get_by_role("strong").filter(has_text="Running")).to_be_visible()
    page.get_by_role("button", name="Stop", exact=True).click()
    stopped = page.get_by_role("strong").filter(has_text="Stopped")
    expect(stopped).to_be_visible(timeout=LONG_MS)
    page.goto(page.url)  # its link
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.get_by_role("strong").filter(has_text="Running")).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(stopped).to_be_visible(timeout=LONG_MS)
    sidebar.get_by_role("button", name=re.compile("^Delete check Arrow")).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(stopped).to_have_count(0)
    expect(sidebar.get_by_role("button", name=re.compile("^Delete check Arrow"))).to_have_count(0)


def test_a_link_to_a_comparison_leads_from_here_to_its_own_page(page: Page, finished: Finished) -> None:
    page.goto(f"{finished.url}sanity?sanity={finished.run}")
    page.get_by_role("button", name="Open on the Compare page", exact=True).click(timeout=LONG_MS)
    compare = Compare(page)
    compare.finished()
    assert compare.run == finished.run
