"""A study in a browser: from a finished comparison to a pilot that somebody opens, with nothing typed lost."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.compare import LONG_MS, Compare
from tests.browser.conftest import Finished

CONSENT = "We keep your answers for ten years. Ask ada@example.org."


class Studies:
    """One tab that shows the page on studies."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.main = page.get_by_test_id("stMain")

    def arrive(self, finished: Finished) -> None:
        """Come from the finished comparison, which is then the one that is offered."""
        Compare(self.page).open(finished.url, finished.run)
        self.page.get_by_role("link", name="Studies", exact=True).click()
        expect(self.main.get_by_role("heading", name="New study")).to_be_visible(timeout=LONG_MS)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button of the page."""
        return self.main.get_by_role("button", name=name)

    def part(self, title: str) -> None:
        """Open a part of the study."""
        self.main.get_by_role("radiogroup").get_by_text(title, exact=True).click()

    @property
    def preview(self) -> Locator:
        """What participants see, in its frame."""
        return self.main.frame_locator("iframe[title='What participants see']").get_by_role("main")


def test_a_study_is_made_from_a_comparison_tried_and_piloted(
    page: Page, context: BrowserContext, finished: Finished
) -> None:
    studies = Studies(page)
    studies.arrive(finished)
    name = studies.main.get_by_role("textbox", name="Name", exact=True)
    name.fill("Which map explains a star?")
    name.press("Tab")
    studies.button("Make the study").click()
    expect(studies.main.get_by_text("Still missing:")).to_be_visible(timeout=LONG_MS)
    expect(studies.main.locator(".dc-stimulus")).to_have_count(2)

    studies.part("Blocks")
    text = studies.main.get_by_role("textbox", name="Text", exact=True)
    text.fill(CONSENT)
    text.press("Tab")
    expect(studies.preview.get_by_text(CONSENT)).to_be_visible(timeout=LONG_MS)
    studies.button(re.compile("^3 · Trials")).click()
    expect(studies.preview.get_by_role("heading", name="Which map?")).to_be_visible()
    expect(studies.preview.get_by_role("img")).to_have_count(3)
    page.reload()
    studies.part("Blocks")
    expect(studies.main.get_by_role("textbox", name="Text", exact=True)).to_have_value(CONSENT, timeout=LONG_MS)

    studies.part("Take part")
    link = studies.main.get_by_text(re.compile(r"^http://127\.0\.0\.1:\d+/study/[\w-]+$")).first.inner_text()
    studies.button("Start the pilot").click()
    expect(studies.main.get_by_text("Nothing can be changed while people try it").first).to_be_visible()
    expect(studies.main.get_by_role("textbox", name="Name of the study")).to_be_disabled()

    participant = context.new_page()
    participant.goto(link)
    expect(participant.get_by_text(CONSENT)).to_be_visible(timeout=LONG_MS)
    participant.close()
    studies.part("Results")
    expect(studies.main.get_by_text("Who took part")).to_be_visible()
    expect(studies.main.get_by_text("Nobody has taken part yet")).to_have_count(0)
