"""The Compare page as a visitor uses it: what can be seen and pressed, found by role, label and test id."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

LONG_MS = 240_000
RUN_MS = 900_000  # a whole comparison on a busy machine
_NUMBERS = itertools.count()
STARS, SHAPES = "Star", "Cross and disc"


class Compare:
    """One tab that shows the Compare page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.main = page.get_by_test_id("stMain")
        self.sidebar = page.get_by_role("region", name="Sidebar")

    def open(self, url: str, run: str | None = None) -> None:
        """Open the page, or a run by its link, and wait until it can be used."""
        self.page.goto(url if run is None else f"{url}?run={run}")
        expect(self.sidebar.get_by_text("Measuring and seed")).to_be_visible(timeout=LONG_MS)

    def open_search(self, url: str) -> None:
        """Open the page DE-CAM from the first page, and wait until it can be used."""
        self.open(url)
        self.page.get_by_role("link", name="DE-CAM").click()
        expect(self.page.get_by_role("tab", name="Landscapes")).to_be_attached(timeout=LONG_MS)

    def sample(self, title: str) -> None:
        """Choose a sample from the strip in the sidebar, and wait for what the model says about it."""
        self.sidebar.get_by_role("button", name=title, exact=True).click()
        expect(self.card(title)).to_be_visible(timeout=LONG_MS)

    def upload(self, files: Sequence[Path]) -> None:
        """Give files to the uploader."""
        self.page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files([str(file) for file in files])

    def card(self, name: str) -> Locator:
        """The choice of a target class for a picture."""
        return self.main.get_by_role("combobox", name=f"Target class of {name}")

    def alert(self, text: str | re.Pattern[str]) -> Locator:
        """A sentence set apart from the rest: an error, a warning or a note."""
        return self.page.get_by_role("alert").filter(has_text=text)

    @property
    def explain(self) -> Locator:
        """The button that starts a run."""
        return self.main.get_by_role("button", name="Explain", exact=True)

    @property
    def stop(self) -> Locator:
        """The button that ends it."""
        return self.main.get_by_role("button", name="Stop", exact=True)

    def budget(self, evaluations: int) -> None:
        """Set what a DE-CAM search may cost, in the form in the sidebar."""
        form = self.sidebar.get_by_test_id("stExpander").filter(has_text="DE-CAM")
        field = form.get_by_role("spinbutton", name="Budget")
        if not field.is_visible():
            form.locator("summary").click()
        field.fill(str(evaluations))
        field.press("Enter")
        expect(self.chip("DE-CAM")).to_contain_text(f"{evaluations:,}")

    def new_budget(self, evaluations: int) -> None:
        """About as much as `budget`, and what no test on this server has asked before: no map of it is here already."""
        self.budget(evaluations + 2 * next(_NUMBERS))  # searches cost an even number

    def chip(self, title: str) -> Locator:
        """A method in the line of those compared; those that the line has no room for are not in it."""
        line = self.main.get_by_role("list", name="Methods compared")
        return line.get_by_role("listitem").filter(has=self.page.get_by_label(f"Remove {title}", exact=True))

    def pick(self) -> Locator:
        """Open the window with all methods."""
        self.main.get_by_role("button", name=re.compile("^Methods ")).click()
        window = self.page.get_by_role("dialog", name="Methods")
        expect(window).to_be_visible()
        return window

    def method(self, title: str) -> None:
        """Switch a method on that is off."""
        window = self.pick()
        switch = window.get_by_role("switch", name=title, exact=True)
        expect(switch).not_to_be_checked()
        window.get_by_text(title, exact=True).click()
        expect(switch).to_be_checked()
        window.get_by_role("button", name="Done").click()
        expect(window).not_to_be_visible()
        expect(self.sidebar.get_by_text(title, exact=True)).to_be_visible()

    def start(self) -> str:
        """Press Explain; the link's token of the run that is then shown."""
        expect(self.explain).to_be_enabled(timeout=LONG_MS)
        before = self.run
        self.explain.click()
        self.page.wait_for_url(lambda url: _token(url) not in ("", before), timeout=LONG_MS)
        return self.run

    @property
    def run(self) -> str:
        """The token of the run that the address names; empty where it names none."""
        return _token(self.page.url)

    def status(self, word: str) -> Locator:
        """The line on how the run stands, while it says this."""
        return self.main.get_by_role("strong").filter(has_text=re.compile(rf"{word}\b"))

    def finished(self) -> None:
        """Wait until the run is finished, its curves included."""
        expect(self.status("Finished")).to_be_visible(timeout=RUN_MS)
        expect(self.stop).to_have_count(0)  # the line may know of the end before the rest of the page does

    def cell(self, method: str, picture: str) -> Locator:
        """The grid's cell of a method and a picture."""
        return self.main.get_by_role("gridcell", name=re.compile(rf"^{re.escape(method)} on {re.escape(picture)}"))

    def cells(self) -> Locator:
        """All cells of the grid."""
        return self.main.get_by_role("gridcell")

    def in_state(self, method: str, picture: str, state: str) -> None:
        """Wait until a cell is waiting, running, measuring (map yes, curves not yet), done, failed or stopped."""
        expect(self.cell(method, picture)).to_have_attribute("data-state", state, timeout=LONG_MS)

    def has_map(self, method: str, picture: str, says: str) -> None:
        """Wait until a cell says this of its finished map, and see that the map can be seen and saved."""
        cell = self.cell(method, picture)
        expect(cell).to_have_attribute("aria-label", re.compile(re.escape(says)), timeout=LONG_MS)
        expect(cell.get_by_role("button", name="Save this map as PNG")).to_have_count(1)
        alone = "canvas => new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
        assert cell.locator("canvas").evaluate(alone) > 1, f"{method} on {picture} shows one flat colour"

    def tab(self, title: str) -> Locator:
        """Open one of the tabs below the grid; its panel.

        The page is let come to rest first: the framework takes back a click that crosses its answer to the one before.
        """
        expect(self.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
        self.main.get_by_role("tab", name=title).click()
        return self.main.get_by_role("tabpanel", name=title)

    def drawn(self) -> list[str]:
        """What every picture and map of the grid shows now, as data addresses."""
        grid = self.main.get_by_role("grid", name="Maps, images down and methods across")
        return [canvas.evaluate("canvas => canvas.toDataURL()") for canvas in grid.locator("canvas").all()]

    def overflow(self) -> dict[str, int]:
        """Pixels by which the document and its parts are wider than the room they have; empty where none is.

        What overflows a part that does not cut it off (the handle on the sidebar's edge) counts for the document only.
        """
        return dict(
            self.page.evaluate(
                """() => {
                    const parts = { document: document.documentElement };
                    for (const id of ["stMain", "stSidebar", "stSidebarContent"]) {
                        const part = document.querySelector(`[data-testid="${id}"]`);
                        if (part && getComputedStyle(part).overflowX !== "visible") parts[id] = part;
                    }
                    const wider = ([name, part]) => [name, part.scrollWidth - part.clientWidth];
                    return Object.fromEntries(Object.entries(parts).map(wider).filter(([, pixels]) => pixels > 0));
                }"""
            )
        )


def _token(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("run", [""])[0]
