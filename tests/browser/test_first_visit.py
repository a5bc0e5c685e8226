"""A first visit: two clicks, in any theme and width, with nothing of the framework in sight."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.compare import LONG_MS, Compare
from tests.browser.conftest import Finished, Watch
from tests.tools.server import Server


def test_two_clicks_from_opening_the_page_to_a_finished_comparison(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    page.goto(common_server.url)
    compare.main.get_by_role("button", name="Arrow", exact=True).click(timeout=LONG_MS)
    compare.explain.click(timeout=LONG_MS)
    compare.finished()
    expect(compare.cells()).to_have_count(3)
    for method in ("DE-CAM", "Grad-CAM", "Integrated Gradients"):
        cell = compare.cell(method, "Arrow")
        expect(cell).to_have_attribute("data-state", "done")
        expect(cell).to_have_attribute("aria-label", re.compile(r"Deletion 0\.\d{3}.*Insertion 0\.\d{3}"))


def test_nothing_of_the_framework_is_left_on_the_page(page: Page, common_server: Server) -> None:
    Compare(page).open(common_server.url)
    expect(page.get_by_test_id("stAppDeployButton")).to_have_count(0)
    expect(page.get_by_text("Deploy", exact=True)).to_have_count(0)
    expect(page.get_by_text("Made with Streamlit")).to_have_count(0)
    expect(page).to_have_title(re.compile("DE-CAM"))


def test_any_class_is_found_by_a_part_of_its_name_and_asked_about(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample("Heart and ring")
    chosen = compare.card("Heart and ring")
    predicted = "ring" if "ring" in (chosen.input_value()) else "heart"
    other = "heart" if predicted == "ring" else "ring"
    chosen.click()
    chosen.fill(other[1:])
    page.get_by_role("option", name=re.compile(rf"^{other}")).click()
    compare.start()
    header = compare.main.get_by_role("rowheader", name=re.compile("Heart and ring"))
    expect(header).to_contain_text(other, timeout=LONG_MS)
    compare.finished()


@pytest.mark.parametrize("width", [900, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(
    theme: str, width: int, chromium: Browser, finished: Finished, watch: Watch, request: pytest.FixtureRequest
) -> None:
    context: BrowserContext = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if theme == "dark" else "light"
    )
    context.on("page", watch.attach)
    request.addfinalizer(context.close)
    page = context.new_page()
    compare = Compare(page)
    compare.open(finished.url, finished.run)
    compare.finished()
    expect(compare.cells()).to_have_count(finished.maps)
    for title in ("Convergence", "Curves", "Metrics", "Export"):
        expect(compare.tab(title)).to_be_visible()
        assert compare.overflow() == {}, title
    shade = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", shade)[:3])) / 3
    assert (brightness < 80) == (theme == "dark")
