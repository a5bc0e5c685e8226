"""The README's picture: what the app looks like, taken anew with every test run and kept by `make screenshot`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from decam.models.catalogue import ENTRIES
from tests.browser.compare import Compare
from tests.conftest import ROOT
from tests.tools.server import Server

WIDTH, MARGIN = 1440, 4
MAX_BYTES = 800_000


def test_the_readme_shows_a_finished_comparison(page: Page, common_server: Server, tmp_path: Path) -> None:
    photographs = ENTRIES["squeezenet1_0"].present()
    title = "Coffee cup" if photographs else "Star"
    page.set_viewport_size({"width": WIDTH, "height": 1600})
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample(title)
    compare.method("Occlusion")
    compare.start()
    compare.finished()
    expect(compare.cells()).to_have_count(4)
    compare.tab("Curves")
    charts = page.get_by_test_id("stPlotlyChart")
    expect(charts).to_have_count(2)
    for place in range(2):  # not of charts.all(): while the page is drawn anew, an outgoing chart may be counted too
        expect(charts.nth(place).locator(".main-svg").first).to_be_visible()
    expect(charts).to_have_count(2)
    page.mouse.move(0, 0)
    taken = tmp_path / "compare.png"
    page.screenshot(path=taken)
    box = charts.last.bounding_box()
    assert box is not None
    with Image.open(taken) as picture:
        shown = picture.convert("RGB").crop((0, 0, WIDTH, round(box["y"] + box["height"]) + MARGIN))
    colours = shown.getcolors(maxcolors=1 << 24)
    assert colours is not None
    assert len(colours) > 5_000, "photos and maps have many colours"
    shown.save(taken, optimize=True)
    assert taken.stat().st_size < MAX_BYTES
    if os.environ.get("DECAM_WRITE_SCREENSHOT") == "1":
        shutil.copy(taken, ROOT / "assets" / "compare.png")
