"""Charts of a study's results that are saved from the page: for paper, light whatever the page's theme is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

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


@pytest.fixture(scope="module")
def results(common_server: Server) -> str:
    """The address of a study that simulated participants took."""
    store, record = made(common_server, short())
    for _ in simulate(Sessions(store), record, PERSONAS[0].name, 4):
        pass
    store.close()
    return f"{common_server.url}studies?study={record.id}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_saved_charts_are_for_paper_in_every_theme(
    results: str, theme: Literal["light", "dark"], page: Page, chromium: Browser, tmp_path: Path
) -> None:
    page.emulate_media(color_scheme=theme)
    page.goto(results)
    main = page.get_by_test_id("stMain")
    main.get_by_role("radiogroup").get_by_text("Results", exact=True).click(timeout=LONG_MS)
    chart = main.locator(".js-plotly-plot").first
    expect(chart.locator(".ytick text").first).to_be_visible(timeout=LONG_MS)
    files = main.locator('[class*="st-key-chart-files-"]').first
    saved = {}
    for kind in ("PNG", "SVG", "PDF"):
        with page.expect_download() as download:
            files.get_by_role("button", name=kind).click()
        saved[kind] = tmp_path / f"chart.{kind.lower()}"
        download.value.save_as(saved[kind])
        assert download.value.suggested_filename.endswith(f".{kind.lower()}")
    with Image.open(saved["PNG"]) as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert saved["PDF"].read_bytes().startswith(b"%PDF-1.")

    # Opened alone, in a browser that has never seen the page, it says what the chart says.
    alone = chromium.new_context(offline=True).new_page()
    alone.goto(saved["SVG"].as_uri())
    written = alone.evaluate('[...document.querySelectorAll("text")].map(text => text.textContent)')
    names = chart.locator(".ytick text").all_text_contents()
    assert names and set(names) <= set(written)
    alone.context.close()
