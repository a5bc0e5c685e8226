"""What a visitor may rely on: the page says whose maps are shown, loses nothing, and does not move by itself."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.compare import LONG_MS, STARS, Compare
from tests.tools.server import Server

BOTH_AT_ONCE = """() => {
    window.both = false;
    const look = () => {
        const cards = document.querySelector(".st-key-targets");
        if (cards && document.querySelector("[class*=st-key-welcome-scene]")) window.both = true;
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
}"""
OPACITY = "cell => Number(getComputedStyle(cell.querySelector('.frame')).opacity)"


@pytest.mark.parametrize("path", ["", "sanity", "de_cam"])
def test_the_welcome_is_gone_before_the_first_card_comes(page: Page, common_server: Server, path: str) -> None:
    compare = Compare(page)
    page.goto(common_server.url + path)
    welcome = compare.main.get_by_role("button", name="Arrow", exact=True)
    expect(welcome).to_be_visible(timeout=LONG_MS)
    page.evaluate(BOTH_AT_ONCE)
    welcome.click()
    expect(compare.card("Arrow")).to_be_visible(timeout=LONG_MS)
    assert page.evaluate("window.both") is False


def test_maps_of_another_class_are_named_and_dimmed_until_that_class_is_chosen_again(
    page: Page, common_server: Server
) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample(STARS)
    compare.budget(200)
    compare.start()
    compare.finished()
    cell = compare.cell("Grad-CAM", STARS)
    assert cell.evaluate(OPACITY) == 1
    compare.card(STARS).click()
    page.get_by_role("option", name=re.compile("^heart")).click()
    sentence = compare.main.get_by_text("These maps are for star. Explain again for heart.")
    expect(sentence).to_be_visible(timeout=LONG_MS)
    expect(cell).to_have_class(re.compile("outdated"))
    assert cell.evaluate(OPACITY) < 0.6
    compare.card(STARS).click()
    page.get_by_role("option", name=re.compile("predicted")).click()
    expect(sentence).to_have_count(0, timeout=LONG_MS)
    expect(cell).not_to_have_class(re.compile("outdated"))
    expect(compare.main.get_by_text("3 of 3 maps are here already")).to_be_visible()


def test_a_box_drawn_after_the_run_is_measured_and_the_run_stays_where_it_is(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample(STARS)
    compare.budget(300)
    run = compare.start()
    compare.finished()
    table = compare.tab("Metrics")
    before = table.get_by_role("table").first.inner_text()
    compare.main.get_by_role("button", name=f"Ground truth of {STARS}").click()
    window = page.get_by_role("dialog", name="Where is the object?")
    window.get_by_text("Drawn", exact=True).click()
    expect(window.get_by_role("toolbar", name="Drawing")).to_be_visible()
    drawing = window.get_by_role("img", name="The image as the model sees it")
    expect(drawing).to_be_visible()
    box = drawing.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"], steps=5)
    page.mouse.up()
    use = window.get_by_role("button", name="Use this")
    expect(use).to_be_enabled()
    use.click()
    expect(window).to_have_count(0)
    expect(compare.main.get_by_role("table").first).not_to_have_text(before, timeout=LONG_MS)
    compare.finished()
    assert compare.run == run


def test_nothing_moves_when_a_run_ends(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample(STARS)
    compare.new_budget(3000)
    compare.start()
    compare.in_state("DE-CAM", STARS, "running")
    grid = compare.main.get_by_role("grid", name="Maps, images down and methods across")
    running = grid.bounding_box()
    compare.finished()
    expect(compare.explain).to_be_visible()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    ended = grid.bounding_box()
    assert running is not None and ended is not None
    assert abs(running["y"] - ended["y"]) <= 1
