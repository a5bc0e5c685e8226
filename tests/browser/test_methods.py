"""The Methods page in a browser: the tree leads to a method at work, and from there to a comparison."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.compare import LONG_MS
from tests.tools.server import Server


def test_a_visitor_follows_the_tree_to_a_method_at_work_and_compares_it(page: Page, common_server: Server) -> None:
    page.goto(common_server.url)
    page.get_by_role("link", name="Methods").click()
    tree = page.get_by_role("navigation", name="Families of methods")
    tree.get_by_role("link", name="Layer-CAM", exact=True).click()
    card = page.locator(".st-key-card-layer-cam")
    expect(card.get_by_role("heading", name="Layer-CAM")).to_be_in_viewport()
    expect(card.get_by_alt_text("Map of Layer-CAM")).to_be_visible(timeout=LONG_MS)
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
    first = strip.locator(".framed").first
    picture, frame = first.locator("img").bounding_box(), first.locator("u").bounding_box()
    assert picture is not None and frame is not None
    assert picture["x"] <= frame["x"] + 1 and frame["x"] + frame["width"] <= picture["x"] + picture["width"] + 1
    assert picture["y"] <= frame["y"] + 1 and frame["y"] + frame["height"] <= picture["y"] + picture["height"] + 1
