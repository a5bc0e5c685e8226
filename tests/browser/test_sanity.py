"""The Sanity page in a browser: a check from its start to its verdicts, and its link."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.compare import LONG_MS
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
    said = table.text_content()
    assert said is not None
    page.goto(page.url)  # its link
    expect(table).to_have_text(said, timeout=LONG_MS)
