"""Curves and metrics that are measured after a run: shown at once, without a click more."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.compare import STARS, Compare
from tests.tools.server import Server


@pytest.fixture
def compare(page: Page, common_server: Server) -> Compare:
    """A finished run of one picture, cheap to measure again."""
    opened = Compare(page)
    opened.open(common_server.url)
    opened.sample(STARS)
    opened.budget(200)
    opened.start()
    opened.finished()
    return opened


def more(compare: Compare, panel: Locator, what: str) -> Locator:
    """Open the choice of what else is measured."""
    panel.get_by_role("button", name=f"More {what}").click()
    opened = compare.page.get_by_test_id("stPopoverBody")
    expect(opened).to_be_visible()
    return opened


def test_curves_with_another_fill_are_drawn_and_chosen_as_soon_as_they_are_measured(compare: Compare) -> None:
    panel = compare.tab("Curves")
    charts = panel.get_by_test_id("stPlotlyChart")
    expect(charts).to_have_count(2)
    opened = more(compare, panel, "curves")
    expect(opened.get_by_text("The run has these curves")).to_be_visible()
    expect(opened.get_by_role("button", name="Measure")).to_be_disabled()
    opened.get_by_role("combobox", name="Fill").click()
    compare.page.get_by_role("option", name="noise").click()
    opened.get_by_role("button", name="Measure").click()
    expect(opened).to_have_count(0)
    expect(charts).to_have_count(3)
    expect(charts.last).to_contain_text("Deletion · noise fill")
    expect(panel.get_by_role("button", name="Deletion · noise fill", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(panel.get_by_role("img", name="Deletion · noise fill: what the model saw at 20 %")).to_be_visible()
    compare.finished()


def test_a_metric_asked_for_later_gets_its_column_and_its_curves(compare: Compare) -> None:
    panel = compare.tab("Metrics")
    opened = more(compare, panel, "metrics")
    opened.get_by_role("combobox", name="Metrics").fill("ROAD")
    compare.page.get_by_role("option", name="ROAD").click()
    expect(opened.get_by_text("18 evaluations a map")).to_be_visible()
    compare.page.keyboard.press("Escape")  # closes the list, which lies over the button
    opened.get_by_role("button", name="Measure").click()
    expect(opened).to_have_count(0)
    heads = panel.get_by_role("columnheader", name="ROAD")
    expect(heads).to_have_count(1)
    compare.finished()
    compare.tab("Curves").get_by_role("button", name="ROAD").click()
    expect(compare.main.get_by_test_id("stPlotlyChart").last).to_contain_text("Half of what the order changes")
