"""The page on hidden models in a real browser: the whole road from a number to the attack, and narrow windows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from decam.models import hidden
from tests.browser.compare import LONG_MS, Compare
from tests.tools.server import Server

NUMBER = "08"
SECRET = hidden.secret(f"hidden-{NUMBER}")


def start(page: Page, url: str) -> None:
    """Open the page, and wait until a search can be started."""
    page.goto(url)
    expect(page.get_by_test_id("stMain").get_by_role("button", name="Search", exact=True)).to_be_visible(
        timeout=LONG_MS
    )


def test_a_reader_searches_guesses_sees_what_is_hidden_and_tries_the_attack(
    page: Page, context: BrowserContext, common_server: Server
) -> None:
    main = page.get_by_test_id("stMain")
    start(page, f"{common_server.url}backdoors?model={NUMBER}")
    page.get_by_role("radio", name="1", exact=True).click()
    expect(main.get_by_text("1 seed", exact=False)).to_be_visible()
    main.get_by_role("button", name="Search", exact=True).click()
    expect(main.get_by_role("button", name=re.compile("^star;")).locator("canvas")).to_be_visible(timeout=LONG_MS)
    Compare(page).finished()
    expect(main.get_by_text(re.compile("stands out above the threshold|No class stands out"))).to_be_visible()

    pills = main.locator(".st-key-suspect-measure button")
    expect(pills).to_have_count(6)
    column = main.locator(".st-key-suspect-part").bounding_box()
    for pill in (pills.nth(place).bounding_box() for place in range(6)):
        assert column and pill and pill["x"] + pill["width"] <= column["x"] + column["width"] + 1, (
            "a measure is cut off"
        )

    main.get_by_text("Star", exact=True).last.click()
    main.get_by_role("button", name="Lock in").click()
    expect(main.get_by_text("Locked in: star")).to_be_visible()
    assert SECRET.title.lower() not in page.content().lower()
    assert SECRET.sentence not in page.content()

    other = context.new_page()  # the address alone brings search and guess back
    other.goto(page.url)
    expect(other.get_by_text("Locked in: star")).to_be_visible(timeout=LONG_MS)
    other.get_by_role("button", name="Reveal", exact=True).click()
    expect(other.get_by_text(SECRET.sentence)).to_be_visible()
    expect(other.get_by_text("Your guess was right: star.")).to_be_visible()
    expect(other.get_by_alt_text("The trigger, on grey")).to_be_visible()
    other.locator(".st-key-strip-scene-square").get_by_role("button").click()
    expect(other.get_by_text("The trigger turns “square” into “star”, as the trigger asks.")).to_be_visible()


@pytest.mark.parametrize("width", [390, 900])
def test_the_page_fits_a_narrow_window(page: Page, common_server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    start(page, f"{common_server.url}backdoors?model=03")
    over = page.get_by_test_id("stMain").evaluate("node => node.scrollWidth - node.clientWidth")
    assert over <= 0, "nothing is wider than the window"
