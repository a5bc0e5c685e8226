"""The documentation's pictures of the pages: `make screenshot` takes them again, each from a page that was used."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.browser.compare import LONG_MS, Compare
from tests.tools.browser import FLAGS, find
from tests.tools.server import ROOT, Server

FOLDER = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 860
QUALITY = 82
PATIENCE_MS = 300_000
Lead = Callable[[Page, str], Locator | None]
"""Uses the page at an address until it shows something; returns what the picture begins with, None for the page."""


def _main(page: Page) -> Locator:
    return page.get_by_test_id("stMain")


def _compared(page: Page, url: str) -> Compare:
    compare = Compare(page)
    compare.open(url)
    compare.sample("Heart and ring")
    compare.start()
    compare.finished()
    return compare


def curves(page: Page, url: str) -> Locator:
    """What the model saw along the curves of a finished comparison."""
    panel = _compared(page, url).tab("Curves")
    expect(panel.get_by_test_id("stPlotlyChart")).to_have_count(2)
    return _main(page).get_by_role("tablist").last


def behind(page: Page, url: str) -> Locator:
    """The masked images behind a place of a map."""
    panel = _compared(page, url).tab("Behind a value")
    panel.get_by_role("button", name="Show the masked images").click()
    expect(panel.get_by_role("img", name="Masked image").first).to_be_visible()
    return _main(page).get_by_role("tablist").last


def covered(page: Page, url: str) -> Locator:
    """A cover by hand beside one by a map."""
    panel = _compared(page, url).tab("Cover by hand")
    panel.get_by_role("button", name="Hide the top 20 % of this map").click()
    expect(panel.locator(".decam-brush [role=status]")).to_contain_text("20 %")
    return _main(page).get_by_role("tablist").last


def search(page: Page, url: str) -> None:
    """A finished search with its player."""
    page.goto(f"{url}de_cam?run={_compared(page, url).run}")
    expect(page.get_by_text("Beat the evolution by hand")).to_be_visible(timeout=LONG_MS)


def lesson(page: Page, url: str) -> None:
    """A step of a lesson."""
    page.goto(f"{url}learn?lesson=covering&step=3")
    expect(_main(page).get_by_role("button", name="Next")).to_be_visible(timeout=LONG_MS)


def sanity(page: Page, url: str) -> None:
    """A randomisation check with its verdicts."""
    page.goto(f"{url}sanity")
    page.get_by_role("region", name="Sidebar").get_by_role("button", name="Star", exact=True).click(timeout=LONG_MS)
    _main(page).get_by_role("button", name="Randomise", exact=True).click(timeout=LONG_MS)
    expect(page.get_by_role("strong").filter(has_text="Finished")).to_be_visible(timeout=PATIENCE_MS)


def class_maps(page: Page, url: str) -> None:
    """A gallery of class maps."""
    page.goto(f"{url}class_maps")
    _main(page).get_by_role("button", name="Look inside", exact=True).click(timeout=LONG_MS)
    expect(page.get_by_role("strong").filter(has_text="Finished")).to_be_visible(timeout=PATIENCE_MS)


def backdoors(page: Page, url: str) -> None:
    """Anomaly scores of a model that hides something."""
    page.goto(f"{url}backdoors?model=07")
    page.get_by_role("radio", name="1", exact=True).click(timeout=LONG_MS)
    _main(page).get_by_role("button", name="Search", exact=True).click(timeout=LONG_MS)
    expect(page.get_by_role("strong").filter(has_text="Finished")).to_be_visible(timeout=PATIENCE_MS)


PICTURES: dict[str, Lead] = {
    "curves": curves,
    "behind": behind,
    "covered": covered,
    "search": search,
    "lesson": lesson,
    "sanity": sanity,
    "class-maps": class_maps,
    "backdoors": backdoors,
}
"""By the name of the file, without its ending."""


def take(page: Page, url: str, name: str) -> None:
    """Take one picture and write it."""
    begins = PICTURES[name](page, url)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=LONG_MS)
    page.mouse.move(0, 0)
    if begins is not None:
        begins.evaluate("node => node.scrollIntoView({ block: 'start' })")
    page.wait_for_timeout(1500)  # charts and images settle
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        taken.convert("RGB").save(FOLDER / f"{name}.webp", quality=QUALITY, method=6)


def main(names: list[str]) -> int:
    """Take the pictures of these names, all without any."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as kept, sync_playwright() as playwright:
        server = Server(Path(kept) / "data", Path(kept) / "log").start()
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        try:
            for name in names or PICTURES:
                page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
                take(page, server.url, name)
                page.close()
                print(FOLDER / f"{name}.webp", flush=True)
        finally:
            browser.close()
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
