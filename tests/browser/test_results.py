"""A finished comparison: zoomed, looked through, exported, made again."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.compare import SHAPES, STARS, Compare
from tests.browser.conftest import Finished
from tests.conftest import ROOT


@pytest.fixture
def compare(page: Page, finished: Finished) -> Compare:
    """The finished comparison, opened by its link."""
    opened = Compare(page)
    opened.open(finished.url, finished.run)
    opened.finished()
    expect(opened.cells()).to_have_count(finished.maps)
    return opened


def pixels(image: Locator) -> NDArray[np.uint8]:
    """What an image with a data address shows, H×W×3."""
    address = image.get_attribute("src") or ""
    encoded = address.partition("base64,")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))


def test_all_pictures_and_maps_zoom_and_pan_together(compare: Compare) -> None:
    reset = compare.main.get_by_role("button", name="Reset zoom")
    compare.page.wait_for_function("() => document.readyState === 'complete'")
    settled(compare)
    whole = compare.drawn()
    compare.main.get_by_role("button", name="Zoom in").click()
    expect(reset).to_have_text(re.compile("150"))
    settled(compare)
    zoomed = compare.drawn()
    assert len(zoomed) == len(whole) == 8
    assert all(after != before for after, before in zip(zoomed, whole, strict=True))
    cell = compare.cell("Grad-CAM", STARS).locator("canvas")
    box = cell.bounding_box()
    assert box is not None
    compare.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    compare.page.mouse.down()
    compare.page.mouse.move(box["x"] + box["width"] / 2 + 40, box["y"] + box["height"] / 2 + 40, steps=5)
    compare.page.mouse.up()
    settled(compare)
    panned = compare.drawn()
    assert all(after != before for after, before in zip(panned, zoomed, strict=True))
    reset.click()
    expect(reset).to_have_text(re.compile("100"))
    settled(compare)
    assert compare.drawn() == whole


def settled(compare: Compare) -> None:
    """Wait until two frames in a row have been drawn."""
    compare.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_views_opacity_and_colours_change_the_maps_and_not_the_pictures(compare: Compare) -> None:
    settled(compare)
    before = compare.drawn()
    for change in (
        lambda: compare.main.get_by_role("radio", name="viridis").check(force=True),
        lambda: compare.main.get_by_role("slider", name="Opacity of the map").press("End"),
        lambda: compare.main.get_by_role("radio", name="Masked").check(force=True),
        lambda: compare.main.get_by_role("radio", name="Map", exact=True).check(force=True),
    ):
        change()
        settled(compare)
        after = compare.drawn()
        same = [one == other for one, other in zip(after, before, strict=True)]
        pictures = same[::4]
        assert all(pictures)
        # A signed map keeps its diverging colours when the others change theirs.
        assert not any(same[1::4] + same[2::4])
        before = after


def test_the_generation_slider_goes_back_through_the_search(compare: Compare) -> None:
    panel = compare.tab("Convergence")
    slider = panel.get_by_role("slider", name="Generation")
    mask, saliency = panel.get_by_role("img", name="Best mask"), panel.get_by_role("img", name="Map", exact=True)
    expect(mask).to_be_visible()
    last = (mask.get_attribute("src"), saliency.get_attribute("src"))
    evaluations = panel.get_by_role("row", name=re.compile(r"^Evaluations")).get_by_role("cell").last
    spent = int((evaluations.inner_text()).replace(",", ""))
    slider.press("Home")
    expect(saliency).not_to_have_attribute("src", last[1] or "")
    expect(slider).to_have_attribute("aria-valuetext", "1")
    assert int(evaluations.inner_text().replace(",", "")) < spent
    slider.press("End")
    expect(saliency).to_have_attribute("src", last[1] or "")
    expect(mask).to_have_attribute("src", last[0] or "")


def test_the_step_slider_shows_the_very_pictures_that_the_model_saw(compare: Compare) -> None:
    panel = compare.tab("Curves")
    slider = panel.get_by_role("slider", name="Share of the image")
    shown = panel.get_by_role("img", name=re.compile("what the model saw at"))
    slider.press("Home")
    expect(panel.get_by_role("img", name=re.compile("what the model saw at 0 %"))).to_have_count(2)
    deleted, inserted = pixels(shown.nth(0)), pixels(shown.nth(1))
    assert deleted.std() > 5
    slider.press("End")
    expect(panel.get_by_role("img", name=re.compile("what the model saw at 100 %"))).to_have_count(2)
    hidden, whole = pixels(shown.nth(0)), pixels(shown.nth(1))
    assert np.all(hidden == hidden[0, 0]), "deletion by the mean ends in one colour"
    assert np.array_equal(whole, deleted), "insertion ends where deletion begins: in the image itself"
    assert not np.array_equal(inserted, whole)


def test_the_zip_ends_colours_where_the_grid_does(compare: Compare) -> None:
    def ends() -> list[list[float]]:
        panel = compare.tab("Export")
        with compare.page.expect_download() as arriving:
            panel.get_by_role("button", name="Download ZIP").click()
        with zipfile.ZipFile(arriving.value.path()) as archive:
            return [one["colours"] for one in json.loads(archive.read("settings.json"))["maps"]]

    cell = compare.cell("Integrated Gradients", STARS)
    expect(cell).to_contain_text("top 1 % clipped")
    before = ends()
    compare.main.get_by_role("checkbox", name="Extremes").check()
    expect(cell).not_to_contain_text("clipped")
    expect(compare.tab("Export").get_by_text("to the extremes")).to_be_visible()
    after = ends()
    assert all(wide[1] >= clipped[1] for wide, clipped in zip(after, before, strict=True)) and after != before


def test_one_zip_holds_everything_and_its_maps_are_made_again(compare: Compare, tmp_path: Path) -> None:
    panel = compare.tab("Export")
    with compare.page.expect_download() as arriving:
        panel.get_by_role("button", name="Download ZIP").click()
    arriving.value.save_as(tmp_path / "export.zip")
    folder = tmp_path / "export"
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    settings = next(path for path in files if path.name == "settings.json")
    written = json.loads(settings.read_text(encoding="utf-8"))
    assert "versions" in json.dumps(written)
    maps = [array for path in files if path.suffix == ".npz" for array in np.load(path).values()]
    assert sum(array.shape == (128, 128) and array.dtype == np.float32 for array in maps) == 6
    assert sum(path.suffix == ".png" for path in files) >= 8
    rows = list(csv.DictReader(next(path for path in files if path.name == "metrics.csv").open(encoding="utf-8")))
    assert len(rows) >= 6
    assert any(path.name == "curves.csv" for path in files)
    again = subprocess.run(
        [sys.executable, "-m", "decam", "replay", str(settings)],
        cwd=ROOT,
        env=os.environ | {"DECAM_DATA": str(tmp_path / "other")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stdout + again.stderr
    assert "6 of 6 maps are identical" in again.stdout


def test_a_recent_run_is_a_click_away(page: Page, finished: Finished) -> None:
    compare = Compare(page)
    compare.open(finished.url)
    compare.sidebar.get_by_role("button", name=re.compile(rf"^{SHAPES}|^{STARS} \+1")).last.click()
    compare.finished()
    assert compare.run
