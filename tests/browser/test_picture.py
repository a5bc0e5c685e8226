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


def test_the_readme_shows_a_finished_comparison(page: Page, common_server: Server, tmp_path: Path) -> None:
    photographs = ENTRIES["squeezenet1_0"].present()
    titles = ("Chelsea the cat", "Coffee cup") if photographs else ("Star", "Cross and disc")
    page.set_viewport_size({"width": 1440, "height": 1180})
    compare = Compare(page)
    compare.open(common_server.url)
    for title in titles:
        compare.sample(title)
    compare.start()
    compare.finished()
    expect(compare.cells()).to_have_count(6)
    compare.tab("Faithfulness")
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(2)
    page.mouse.move(0, 0)
    taken = tmp_path / "compare.png"
    page.screenshot(path=taken)
    with Image.open(taken) as picture:
        assert picture.size == (1440, 1180)
        colours = picture.convert("RGB").getcolors(maxcolors=1 << 24)
    assert colours is not None
    assert len(colours) > 5_000, "photographs and maps have many colours"
    if os.environ.get("DECAM_WRITE_SCREENSHOT") == "1":
        shutil.copy(taken, ROOT / "assets" / "compare.png")
