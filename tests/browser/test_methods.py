"""The Methods page in a browser: the tree leads to a method at work, and from there to a comparison."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.compare import LONG_MS
from tests.tools.server import Server

# Asked at once and again until it is true: the page is drawn anew between two questions while other cards come.
FRAMES_LIE_IN_THEIR_PICTURES = """label => {
    const framed = [...document.querySelectorAll(`.st-key-card-prototypes [aria-label="${label}"] .framed`)];
    const box = (one, part) => one.querySelector(part).getBoundingClientRect();
    return framed.length === 6 && framed.every(one => {
        const picture = box(one, "img"), frame = box(one, "u");
        return frame.width > 0 && picture.left <= frame.left + 1 && frame.right <= picture.right + 1
            && frame.height > 0 && picture.top <= frame.top + 1 && frame.bottom <= picture.bottom + 1;
    });
}"""


def test_a_visitor_follows_the_tree_to_a_method_at_work_and_compares_it(page: Page, common_server: Server) -> None:
    page.goto(common_server.url)
    page.get_by_role("link", name="Methods").click()
    tree = page.get_by_role("navigation", name="Families of methods")
    tree.get_by_role("link", name="Layer-CAM", exact=True).click()
    card = page.locator(".st-key-card-layer-cam")
    expect(card.get_by_role("heading", name="Layer-CAM")).to_be_in_viewport()
    expect(card.get_by_role("img", name="Map of Layer-CAM")).to_be_visible(timeout=LONG_MS)
    card.get_by_role("button", name="Compare").click()
    chosen = page.get_by_role("list", name="Methods compared")
    expect(chosen.get_by_role("listitem").filter(has_text="Layer-CAM")).to_be_visible()
    expect(page.get_by_role("combobox", name="Target class of Star")).to_be_visible(timeout=LONG_MS)


def test_a_network_of_prototypes_shows_what_looks_like_what(page: Page, common_server: Server) -> None:
    page.goto(f"{common_server.url}methods")
    model = page.get_by_role("combobox", name="Model")
    model.click()
    page.get_by_role("option", name=re.compile("^Prototype")).click()
    strip = page.locator(".st-key-card-prototypes").get_by_label("This looks like that")
    expect(strip.locator(".framed")).to_have_count(6, timeout=LONG_MS)
    page.wait_for_function(FRAMES_LIE_IN_THEIR_PICTURES, arg="This looks like that", timeout=LONG_MS)


@pytest.mark.parametrize("width", [1440, 1280, 900, 820, 390])
def test_the_likeliest_classes_are_named_in_full_at_every_width(page: Page, common_server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{common_server.url}methods")
    names = page.locator(".dc-card .dc-bar span")
    expect(names).to_have_count(5)
    cut = names.evaluate_all("names => names.filter(name => name.scrollWidth > name.clientWidth).length")
    assert cut == 0
