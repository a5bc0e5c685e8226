"""Uploads in a browser: they go along from page to page, are listed once, and every label can be read aloud."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from decam.images.scenes import scene
from tests.browser.compare import LONG_MS, Compare
from tests.tools.server import Server

TRICKY = "my_cat_*1* [a](b) $x$ `c`.png"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two pictures and a file that is none."""
    made = [tmp_path / name for name in (TRICKY, "second.png", "letter.png")]
    for number, path in enumerate(made[:2]):
        Image.fromarray(scene.scene(number).image).save(path)
    made[2].write_text("Dear Sir or Madam")
    return made


def test_uploads_go_along_from_page_to_page_until_they_are_removed(
    page: Page, common_server: Server, files: list[Path]
) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.upload(files)
    for file in files[:2]:
        expect(compare.card(file.name)).to_be_visible(timeout=LONG_MS)
    uploader = page.get_by_role("region", name="Images")
    expect(compare.alert("letter.png")).to_have_count(1)
    for file in files:
        expect(uploader.get_by_text(file.name)).to_be_hidden()
    for name in ("Sanity", "DE-CAM"):
        compare.sidebar.get_by_role("link", name=name, exact=True).click()
        expect(compare.card(TRICKY)).to_be_visible(timeout=LONG_MS)
        expect(compare.sidebar.get_by_role("button", name="second.png", exact=True)).to_be_visible()
        expect(compare.alert("letter.png")).to_have_count(0)
    compare.sidebar.get_by_role("button", name=f"Remove {TRICKY}", exact=True).click()
    expect(compare.card("second.png")).to_be_visible(timeout=LONG_MS)
    compare.sidebar.get_by_role("link", name="Compare", exact=True).click()
    expect(compare.card("second.png")).to_be_visible(timeout=LONG_MS)
    expect(compare.card(TRICKY)).to_have_count(0)


def test_no_name_that_is_read_aloud_holds_marks_of_markdown(
    page: Page, common_server: Server, files: list[Path]
) -> None:
    compare = Compare(page)
    compare.open(common_server.url)
    compare.upload(files[:2])
    expect(compare.card("second.png")).to_be_visible(timeout=LONG_MS)
    main = compare.main
    for part in ("Ground truth of", "Remove"):
        expect(main.get_by_role("button", name=f"{part} {TRICKY}", exact=True)).to_be_visible()
    for place in ("Compare", "DE-CAM", "Metrics", "Sanity"):
        compare.sidebar.get_by_role("link", name=place, exact=True).click()
        expect(page.get_by_role("combobox").first).to_be_visible()
        expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        # The snapshot writes a backslash as two.
        assert "\\\\" not in page.locator("body").aria_snapshot(), place


def test_a_file_over_the_limit_is_refused_in_words_beside_one_that_is_taken(
    page: Page, common_server: Server, files: list[Path], tmp_path: Path
) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(b"\x89PNG" + bytes(21 * 2**20))
    compare = Compare(page)
    compare.open(common_server.url)
    compare.upload([large, files[1]])
    expect(compare.card("second.png")).to_be_visible(timeout=LONG_MS)
    sentence = compare.sidebar.get_by_role("alert").filter(has_text="or smaller")
    expect(sentence).to_be_visible()
    box = sentence.bounding_box()
    assert box is not None and box["width"] > 100, "the reason can be seen, not only heard"
