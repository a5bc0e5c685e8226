"""Maps looked at: by rank, behind a legend, masked with the model's answer, enlarged beside each other."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.compare import STARS, Compare
from tests.browser.conftest import Finished
from tests.browser.looks import faults

MASKED = re.compile(r"Top (\d+) %: \S.* \d")


@pytest.fixture
def compare(page: Page, finished: Finished) -> Compare:
    """The finished run."""
    shown = Compare(page)
    shown.open(finished.url, finished.run)
    shown.has_map("Integrated Gradients", STARS, "eval")
    return shown


def test_the_legend_says_what_colours_mean_for_the_class_and_a_value_which_part_of_the_map_is_as_high(
    compare: Compare,
) -> None:
    row = compare.main.get_by_role("rowheader").first
    expect(row).to_contain_text(re.compile("Pale yellow speaks most for .+, the bare image least"))
    expect(row).to_contain_text(re.compile("Orange speaks for .+, blue against it"))
    compare.main.get_by_role("radio", name="viridis").check(force=True)
    expect(row).to_contain_text(re.compile("Yellow speaks most for .+, the bare image least"))
    compare.main.get_by_role("radio", name="Map", exact=True).check(force=True)
    expect(row).to_contain_text(re.compile("Yellow speaks most for .+, violet least"))
    compare.cell("Grad-CAM", STARS).locator("canvas").hover()
    expect(compare.cell("Grad-CAM", STARS)).to_contain_text(re.compile(r" · top \d+ %"))


def test_by_rank_all_maps_have_one_scale_and_the_zip_follows_with_contours(compare: Compare) -> None:
    before = compare.drawn()
    compare.main.get_by_label("Scaling of the maps").select_option("rank")
    expect(compare.cell("Grad-CAM", STARS)).to_contain_text("by rank: 0 to 100 %")
    expect(compare.cell("Integrated Gradients", STARS)).to_contain_text("by rank of |value|: ±100 %")
    ranked = compare.drawn()
    compare.main.get_by_role("checkbox", name="Contours").check()
    expect(compare.tab("Export").get_by_text(re.compile("by rank, contours"))).to_be_visible()
    lined = compare.drawn()
    assert all(one != other for at, (one, other) in enumerate(zip(ranked, before, strict=True)) if at % 4)
    assert all((one == other) == (at % 4 == 0) for at, (one, other) in enumerate(zip(lined, ranked, strict=True)))
    with compare.page.expect_download() as arriving:
        compare.tab("Export").get_by_role("button", name="Download ZIP").click()
    with zipfile.ZipFile(arriving.value.path()) as archive:
        maps = json.loads(archive.read("settings.json"))["maps"]
        assert {tuple(one["colours"]) for one in maps} <= {(0.0, 1.0), (-1.0, 1.0), (0.0, 0.0)}
        name = next(name for name in archive.namelist() if name.startswith("overlays/") and "grad-cam" in name)
        pixels = np.asarray(Image.open(io.BytesIO(archive.read(name))))
        assert (pixels == (127, 255, 212)).all(axis=-1).any()
        assert b"speaks most for" in archive.read("legend.csv")


def test_a_masked_picture_shows_its_share_and_what_the_model_says_to_it(compare: Compare) -> None:
    compare.main.get_by_role("radio", name="Masked").check(force=True)
    cell = compare.cell("Grad-CAM", STARS)
    expect(cell).to_contain_text(MASKED)
    slider = compare.main.get_by_role("slider", name="Share of the image that is shown")
    slider.press("End")
    expect(cell).to_contain_text("Top 100 %: ")
    row = compare.main.get_by_role("rowheader").first
    whole = re.search(r"([\d.]+) %", row.inner_text())
    answer = re.search(r"Top 100 %: .*? ([\d.]+) %", cell.inner_text())
    assert whole is not None and answer is not None
    assert float(answer[1]) == pytest.approx(float(whole[1]), abs=2), "all of the image is the image itself"
    grey = "canvas => { const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
    grey += " let n = 0; for (let i = 0; i < data.length; i += 4) n += data[i] === 128 && data[i + 1] === 128;"
    grey += " return (4 * n) / data.length; }"
    slider.press("Home")
    expect(cell).to_contain_text("Top 1 %: ")
    assert cell.locator("canvas").evaluate(grey) > 0.9


def test_a_click_enlarges_and_arrows_lead_through_methods_and_pictures(compare: Compare) -> None:
    compare.cell("DE-CAM", STARS).click()
    box = compare.page.get_by_role("dialog", name="Map enlarged")
    expect(box).to_contain_text("method 1 of 3, image 1 of 2")
    large = box.get_by_role("img").first
    assert (large.bounding_box() or {})["width"] > 400
    expect(box).to_contain_text(re.compile("Deletion"))
    compare.page.keyboard.press("ArrowRight")
    expect(box.get_by_role("heading", name="Grad-CAM", exact=True)).to_be_visible()
    compare.page.keyboard.press("ArrowDown")
    expect(box).to_contain_text("method 2 of 3, image 2 of 2")
    expect(box.get_by_role("button", name="Next image")).to_be_disabled()
    box.get_by_label("Map beside").select_option(label="Integrated Gradients")
    expect(box.get_by_role("heading", name="Integrated Gradients")).to_be_visible()
    maps = box.get_by_role("img")
    expect(maps).to_have_count(2)
    apart = [one.evaluate("canvas => canvas.toDataURL()") for one in maps.all()]
    box.get_by_role("slider", name="Wipe between map and image").fill("100")
    wiped = [one.evaluate("canvas => canvas.toDataURL()") for one in maps.all()]
    assert apart[0] != apart[1] and wiped[0] == wiped[1] != apart[0], "both show the image alone"
    compare.page.keyboard.press("Escape")
    expect(box).not_to_be_visible()
    selected = compare.main.locator('[role="gridcell"][aria-selected="true"]')
    expect(selected).to_have_attribute("aria-label", re.compile("^Grad-CAM on "))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_map_enlarged_looks_well_at_every_width(compare: Compare, scheme: Literal["light", "dark"]) -> None:
    compare.page.emulate_media(color_scheme=scheme)
    for width, height in ((1440, 900), (1280, 720), (900, 800), (390, 844)):
        compare.page.set_viewport_size({"width": width, "height": height})
        compare.cell("Grad-CAM", STARS).click()
        box = compare.page.get_by_role("dialog", name="Map enlarged")
        expect(box).to_be_visible()
        bounds = box.bounding_box() or {}
        assert bounds["x"] >= 0 and bounds["x"] + bounds["width"] <= width
        assert not [fault for fault in faults(compare.page) if "pixels wide" in fault]
        compare.page.keyboard.press("Escape")
        expect(box).not_to_be_visible()


def test_one_row_of_maps_fits_a_small_window_and_the_cards_come_back(compare: Compare) -> None:
    compare.page.set_viewport_size({"width": 1280, "height": 720})
    cell = compare.cell("Integrated Gradients", STARS)
    expect(cell).to_be_in_viewport(ratio=1)
    bounds = cell.bounding_box() or {}
    assert bounds["y"] + bounds["height"] <= 720, "the maps, their scale and their values"
    expect(compare.card(STARS)).to_be_visible()
    first = compare.main.get_by_text("star", exact=True).first
    expect(first).not_to_be_visible()
    compare.main.get_by_role("button", name="More", exact=True).click()
    expect(compare.main.get_by_role("button", name="Less")).to_be_visible()


def test_presenting_leaves_the_maps_alone_larger_and_arrows_lead_through_them(compare: Compare) -> None:
    compare.page.set_viewport_size({"width": 1280, "height": 720})
    width = (compare.cell("Grad-CAM", STARS).bounding_box() or {})["width"]
    compare.main.get_by_role("button", name="Present").click()
    expect(compare.explain).not_to_be_visible()
    expect(compare.sidebar).not_to_be_visible()
    expect(compare.main.get_by_role("tab").first).not_to_be_visible()
    expect(compare.main.get_by_role("radio", name="Masked")).to_be_in_viewport()
    assert (compare.cell("Grad-CAM", STARS).bounding_box() or {})["width"] > 1.2 * width
    assert not [fault for fault in faults(compare.page) if "pixels wide" in fault]
    expect(compare.cell("DE-CAM", STARS)).to_be_focused()
    compare.page.keyboard.press("ArrowRight")
    expect(compare.cell("Grad-CAM", STARS)).to_be_focused()
    compare.page.keyboard.press("Escape")
    expect(compare.explain).to_be_visible()
    expect(compare.sidebar).to_be_visible()
