from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.tools.server import Server


def test_a_visitor_follows_the_tree_to_a_metric_and_sees_it_at_work(page: Page, common_server: Server) -> None:
    page.goto(common_server.url)
    page.get_by_role("link", name="Metrics").click()
    values = page.locator(".dc-value")
    expect(values).to_have_count(1)
    expect(page.get_by_alt_text("0 % hidden", exact=True)).to_be_visible()
    expect(page.locator(".st-key-metric-effective-pixels").get_by_text("At work on this map")).to_be_attached()
    tree = page.get_by_role("navigation", name="All metrics by family")
    tree.get_by_role("link", name="Pointing game").click()
    card = page.locator(".st-key-metric-pointing-game")
    expect(card.get_by_role("heading", name="Pointing game")).to_be_in_viewport()
    card.get_by_text("At work on this map").click()
    expect(card.get_by_alt_text("Its highest point")).to_be_visible()
    expect(values).to_have_count(2)
    page.get_by_role("navigation", name="Metrics of this page").get_by_role("link", name="ADCC").click()
    expect(page.locator(".st-key-metric-adcc").get_by_role("heading", name="ADCC")).to_be_in_viewport()


def test_each_value_stands_beside_its_name_on_a_phone(page: Page, common_server: Server) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{common_server.url}metrics")
    values = page.locator(".dc-value")
    expect(values.get_by_text("a random map")).to_be_visible()
    for name in ("this map", "a random map"):
        label = values.locator("span").filter(has_text=name)
        parts = label.evaluate(
            "label => [label, label.previousSibling].map(part => part.getBoundingClientRect().bottom)"
        )
        assert abs(parts[0] - parts[1]) < 6, name
