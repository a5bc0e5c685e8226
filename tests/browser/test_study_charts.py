"""Charts of a study's results that are saved from the page: the same letters in the same places, wherever opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from decam.studies.sessions import Sessions
from decam.studies.simulated import PERSONAS, simulate
from tests.browser.compare import LONG_MS
from tests.browser.study_taking import made
from tests.tools.server import Server
from tests.web.studies.participants import short

pytestmark = pytest.mark.browser
WIDTHS = """drawn => [...drawn.querySelectorAll("text")].filter(text => text.textContent.trim()).map(text => {
    text.removeAttribute("textLength");
    return [text.textContent, Math.round(10 * text.getComputedTextLength()) / 10];
})"""


@pytest.fixture(scope="module")
def results(common_server: Server) -> str:
    """The address of a study that simulated participants took."""
    store, record = made(common_server, short())
    for _ in simulate(Sessions(store), record, PERSONAS[0].name, 4):
        pass
    store.close()
    return f"{common_server.url}studies?study={record.id}"


def test_saved_charts_have_the_letters_of_the_page(results: str, page: Page, chromium: Browser, tmp_path: Path) -> None:
    page.goto(results)
    main = page.get_by_test_id("stMain")
    main.get_by_role("radiogroup").get_by_text("Results", exact=True).click(timeout=LONG_MS)
    chart = main.locator(".js-plotly-plot").first
    expect(chart.locator(".ytick text").first).to_be_visible(timeout=LONG_MS)
    box = chart.locator(".svg-container").bounding_box()
    assert box is not None
    for kind in ("SVG", "PNG"):
        with page.expect_download() as download:
            main.get_by_role("button", name=f"as {kind}").first.click()
        download.value.save_as(tmp_path / f"chart.{kind}")
    with Image.open(tmp_path / "chart.PNG") as picture:
        assert picture.size == (3 * round(box["width"]), 3 * round(box["height"]))

    # Opened alone, in a browser that has never seen the page, each text is as wide as it was there.
    alone = chromium.new_context(offline=True).new_page()
    (tmp_path / "chart.SVG").rename(tmp_path / "chart.svg")
    alone.goto((tmp_path / "chart.svg").as_uri())
    alone.evaluate("document.fonts.ready")
    lengths = alone.evaluate('[...document.querySelectorAll("text")].map(text => text.getAttribute("textLength"))')
    assert lengths and all(lengths)
    drawn = alone.locator("svg").first.evaluate(WIDTHS)
    assert drawn and drawn == chart.locator(".svg-container").evaluate(WIDTHS)
    alone.context.close()
