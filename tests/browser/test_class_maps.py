"""A gallery of class maps in a browser: it grows without reruns, is replayed, opens by its link and is exported."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.compare import LONG_MS, Compare
from tests.browser.test_watching import Talk
from tests.tools.server import Server

WORTH = re.compile(r"[\d.]+ with the map, [\d.]+ without, [\d.]+ with a random map of the same size")


class Gallery:
    """One tab that shows the page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.main = page.get_by_test_id("stMain")
        self.cards = self.main.get_by_role("region")
        self.slider = self.main.get_by_role("slider", name="Moment", exact=True)

    def open(self, url: str) -> None:
        """Open the page or a run by its link, and wait until it can be used."""
        self.page.goto(url)
        expect(self.start).to_be_visible(timeout=LONG_MS)

    @property
    def start(self) -> Locator:
        """The button that starts a run."""
        return self.main.get_by_role("button", name="Look inside", exact=True)

    def picture(self, label: str) -> Locator:
        """The first map of a class, as a button that chooses it."""
        return self.main.get_by_role("button", name=re.compile(f"^{label};"))

    def drawn(self, label: str) -> str:
        """The pixels of that map as they are on the screen."""
        return str(self.picture(label).locator("canvas").evaluate("canvas => canvas.toDataURL()"))

    def fidelity(self, label: str) -> Locator:
        """The number under a map."""
        return self.main.get_by_label(label, exact=True).locator(".fidelity")

    def finished(self) -> None:
        """Wait until the run has ended well."""
        Compare(self.page).finished()

    def move(self, share: float) -> None:
        """Put the slider at a share of the way."""
        self.slider.evaluate(
            "(slider, share) => {slider.value = Math.round(share * slider.max);"
            "slider.dispatchEvent(new Event('input', {bubbles: true}));}",
            share,
        )


def test_a_gallery_grows_without_reruns_is_replayed_opened_by_its_link_and_exported(
    page: Page, context: BrowserContext, common_server: Server, tmp_path: Path
) -> None:
    talk = Talk(page)
    gallery = Gallery(page)
    gallery.open(f"{common_server.url}class_maps")
    gallery.start.click()
    expect(gallery.picture("star").locator("canvas")).to_be_visible(timeout=LONG_MS)
    page.wait_for_timeout(500)  # what pressing the button still had to ask for
    asked, before = talk.count, gallery.drawn("star")
    number = gallery.fidelity("star")
    expect(number).not_to_have_text(number.inner_text())
    assert talk.count == asked, "nothing is drawn again while the maps grow"
    gallery.finished()
    expect(gallery.picture("star")).to_have_attribute("aria-label", WORTH, timeout=LONG_MS)
    whole = gallery.drawn("star")
    assert whole != before

    asked = talk.count
    gallery.move(0)
    expect(gallery.main.get_by_text("0 % of the way")).to_be_visible()
    expect(gallery.picture("star")).to_have_attribute("aria-label", re.compile("[0-9,]+ eval[.]"))
    page.wait_for_timeout(1500)  # the moments are fetched when they are wanted
    assert gallery.drawn("star") != whole
    gallery.main.get_by_role("radio", name="Magnitude").check()
    gallery.main.get_by_role("radio", name="Signed colours").check()
    gallery.move(1)
    assert gallery.drawn("star") == whole
    gallery.picture("disc").focus()
    page.keyboard.press("End")
    assert gallery.picture("star").evaluate("node => node.matches(':focus')"), "the arrows go from map to map"
    assert talk.count == asked, "looking asks the server for nothing"

    other = Gallery(context.new_page())
    other.open(page.url)
    other.finished()
    label = gallery.picture("star").get_attribute("aria-label")
    expect(other.picture("star")).to_have_attribute("aria-label", label or "")
    other.page.wait_for_timeout(1500)
    assert other.drawn("star") == whole

    with other.page.expect_download() as coming:
        other.main.get_by_role("button", name="Download ZIP").click()
    file = tmp_path / "gallery.zip"
    coming.value.save_as(file)
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    assert len([name for name in names if name.startswith("patterns/")]) == 4


@pytest.mark.parametrize("width", [390, 900])
def test_the_page_fits_a_narrow_window(page: Page, common_server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    Gallery(page).open(f"{common_server.url}class_maps")
    over = page.get_by_test_id("stMain").evaluate("node => node.scrollWidth - node.clientWidth")
    assert over <= 0, "nothing is wider than the window"


@pytest.mark.parametrize("width", [1280, 900, 390])
def test_all_classes_chosen_can_be_read_at_every_width(page: Page, common_server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{common_server.url}class_maps")
    chosen = page.get_by_test_id("stMultiSelectTagsContainer").last
    expect(chosen.get_by_text("star · 3")).to_be_visible()
    assert chosen.evaluate("box => box.scrollWidth <= box.clientWidth")
