"""The bars of a card in a browser: buttons for mouse and keyboard, which say which class is asked about."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.compare import LONG_MS, Compare
from tests.browser.conftest import Finished
from tests.tools.server import Server


def test_a_bar_that_is_pressed_is_the_class_asked_about(page: Page, common_server: Server) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample("Star")
    bars = page.get_by_role("group", name="Likeliest classes of Star").get_by_role("button")
    expect(bars).to_have_count(5, timeout=LONG_MS)
    expect(bars.first).to_have_attribute("aria-pressed", "true")
    expect(bars.first).to_have_accessible_name(re.compile(r"^star, .+ %, rank 1$"))
    label = (bars.nth(2).get_attribute("aria-label") or "").split(",")[0]
    bars.nth(2).click()
    expect(bars.nth(2)).to_have_attribute("aria-pressed", "true", timeout=LONG_MS)
    expect(bars.first).to_have_attribute("aria-pressed", "false")
    expect(compare.card("Star")).to_have_value(re.compile(rf"^{label} · "))
    bars.nth(2).focus()
    page.keyboard.press("Shift+Tab")
    expect(bars.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(bars.nth(1)).to_have_attribute("aria-pressed", "true", timeout=LONG_MS)
    expect(bars.nth(1)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(compare.card("Star")).to_have_value("star (predicted)", timeout=LONG_MS)


def test_a_class_beyond_the_likeliest_five_has_a_bar_of_its_own_with_its_rank(
    page: Page, common_server: Server
) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample("Star")
    bars = page.get_by_role("group", name="Likeliest classes of Star").get_by_role("button")
    expect(bars).to_have_count(5, timeout=LONG_MS)
    shown = [(bar.get_attribute("aria-label") or "").split(",")[0] for bar in bars.all()]
    compare.card("Star").click()
    options = page.get_by_role("option")
    expect(options).to_have_count(10)
    last = options.last.inner_text().split(" ")[0]
    assert last not in shown
    options.last.click()
    expect(bars).to_have_count(6, timeout=LONG_MS)
    expect(bars.last).to_have_attribute("aria-pressed", "true")
    expect(bars.last).to_have_accessible_name(re.compile(rf"^{last}, .+ %, rank 10$"))


def test_in_a_narrow_window_the_card_begins_below_the_bar_with_the_sidebars_button(
    page: Page, common_server: Server
) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample("Star")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_test_id("stExpandSidebarButton")).to_be_visible()
    tops = """() => [".st-key-card-0", "[data-testid=stHeader]"].map((one) => {
        const box = document.querySelector(one).getBoundingClientRect();
        return one.includes("card") ? box.top : box.bottom;
    })"""
    card, bar = page.evaluate(tops)
    assert card > bar


def test_folded_cards_of_a_run_stand_close_to_each_other(page: Page, finished: Finished) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{finished.url}compare?run={finished.run}")
    cards = page.locator(".st-key-folding .st-key-targets > *")
    expect(cards).to_have_count(2)
    expect(page.get_by_role("button", name="More")).to_be_visible()
    first, second = (cards.nth(place).bounding_box() for place in range(2))
    assert first is not None and second is not None
    assert 0 <= second["x"] - first["x"] - first["width"] <= 12
