"""Covering a picture of a run by hand: strokes, regions, the top of a map, undo and redo, by pointer and keyboard."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.compare import STARS, Compare
from tests.browser.conftest import Finished


def centre(place: Locator) -> tuple[float, float]:
    """The middle of something on the page, in pixels of the window."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def share_of(said: Locator) -> int:
    """The share that is covered, in whole per cent."""
    found = re.search(r"You cover (\d+) %", said.inner_text())
    assert found is not None
    return int(found[1])


def test_a_picture_of_a_run_is_covered_by_hand_and_a_map_predicts_the_drop(page: Page, finished: Finished) -> None:
    compare = Compare(page)
    compare.open(finished.url, finished.run)
    panel = compare.tab("Cover by hand")
    said, canvas = panel.locator(".decam-brush [role=status]"), panel.locator(".decam-brush .stage canvas")
    notes = panel.locator(".decam-brush .notes")
    expect(said).to_have_text(re.compile(r"You cover 0 %: star has 9\d %\."))
    expect(panel.locator(".decam-brush .bar")).to_have_count(5)
    expect(notes).to_contain_text(re.compile(r"Predicted by .+: 0 % of its positive values are covered\."))

    panel.get_by_role("button", name="Hide the top 20 % of this map").click()
    expect(said).to_have_text(re.compile("You cover 20 %"))
    expect(panel.locator(".decam-brush .rival")).to_contain_text("covers 20 %")
    alike = re.compile(r"star has ([\d.]+) %")
    mine, theirs = (alike.search(one.inner_text()) for one in (said, panel.locator(".decam-brush .rival")))
    assert mine and theirs and mine[1] == theirs[1], "the top of the map is what the map covers"
    expect(notes).not_to_contain_text(": 0 % of its positive")

    panel.get_by_role("button", name="Undo").click()
    expect(said).to_have_text(re.compile("You cover 0 %"))
    panel.get_by_role("button", name="Redo").click()
    expect(said).to_have_text(re.compile("You cover 20 %"))
    panel.get_by_role("button", name="Clear").click()
    expect(said).to_have_text(re.compile("You cover 0 %"))
    expect(panel.get_by_role("button", name="Redo")).to_be_disabled()

    x, y = centre(canvas)
    page.mouse.move(x - 50, y)
    page.mouse.down()
    page.mouse.move(x + 50, y + 10, steps=12)
    expect(said).not_to_have_text(re.compile("You cover 0 %"))  # before the stroke has ended
    page.mouse.up()
    expect(said).to_have_text(re.compile("You cover [1-9]"))

    panel.get_by_role("button", name="Clear").click()
    expect(said).to_have_text(re.compile("You cover 0 %"))
    panel.get_by_role("button", name="Region").click()
    page.mouse.click(x, y)
    expect(said).to_have_text(re.compile("You cover [1-9]"))
    once = share_of(said)
    page.mouse.click(x, y)  # the same region again
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    for _ in range(6):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    expect(said).not_to_have_text(re.compile(f"You cover {once} %"))
    assert share_of(said) > once
    page.keyboard.press("Control+z")
    expect(said).to_have_text(re.compile(f"You cover {once} %"))
    page.keyboard.press("Control+y")
    expect(said).not_to_have_text(re.compile(f"You cover {once} %"))

    more = share_of(said)
    compare.tab("Curves")
    compare.tab("Cover by hand")  # what was painted, and what can be undone, are still there
    expect(said).to_have_text(re.compile(f"You cover {more} %"))
    panel.get_by_role("button", name="Undo").click()
    expect(said).to_have_text(re.compile(f"You cover {once} %"))


def test_a_hand_plays_against_the_evolution_and_its_model_calls_are_counted(page: Page, finished: Finished) -> None:
    page.goto(f"{finished.url}de_cam?run={finished.run}")
    page.get_by_text("Beat the evolution by hand").click()
    match = page.get_by_test_id("stExpander").filter(has_text="Beat the evolution by hand")
    judge = match.get_by_role("button", name="Judge my cover")
    expect(match.get_by_text("Your evaluations: 0")).to_be_visible()
    expect(judge).to_be_disabled()
    match.get_by_role("button", name="Hide the top 20 % of this map").click()
    expect(match.get_by_text("Your evaluations: 1")).to_be_visible()
    judge.click()
    expect(match.get_by_text("Your evaluations: 21")).to_be_visible()
    expect(match.get_by_text("After 21 evaluations there is nothing to compare yet")).to_be_visible()
    judge.click()
    expect(match.get_by_text("Your fitness")).to_be_visible()  # in the table of several attempts
    expect(match.get_by_text("Your evaluations: 21")).to_be_visible()  # the same cover costs nothing again
    match.get_by_role("button", name="Region").click()
    for number, down in enumerate((-120, 0, 120), start=1):
        x, y = centre(match.locator(".decam-brush .stage canvas"))  # the page moves when a button is pressed
        page.mouse.click(x - 120, y + down)
        expect(match.get_by_text(f"Your evaluations: {21 * number + 1}")).to_be_visible()
        judge.click()
        expect(match.get_by_text(f"Your evaluations: {21 * number + 21}")).to_be_visible()
    leader = re.compile("After 84 evaluations (you lead|DE-CAM leads|you and DE-CAM)")
    expect(match.get_by_text(leader)).to_be_visible()
    expect(match.get_by_text("DE-CAM at its end, after 1,000")).to_be_visible()
    for _ in range(3):
        match.get_by_role("button", name="Undo").click()  # a cover that was asked before costs nothing again
    expect(match.locator(".decam-brush [role=status]")).to_have_text(re.compile("You cover 20 %"))
    expect(match.get_by_text("Your evaluations: 84")).to_be_visible()
    match.get_by_role("button", name="Start over").click()
    expect(match.get_by_text("Your evaluations: 1")).to_be_visible()


def test_the_masked_pictures_behind_a_value_follow_the_place_clicked_in_the_grid(
    page: Page, finished: Finished
) -> None:
    compare = Compare(page)
    compare.open(finished.url, finished.run)
    panel = compare.tab("Behind a value")
    expect(panel.get_by_text(re.compile("No masked images for: .*Grad-CAM"))).to_be_visible()
    box = compare.cell("DE-CAM", STARS).locator("canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"]
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    page.keyboard.press("Escape")
    expect(compare.cell("DE-CAM", STARS)).to_have_attribute("aria-selected", "true")
    ring = panel.locator(".decam-point .ring")
    expect(ring).to_have_attribute("style", re.compile(r"left: (39|40|41)[.\d]*%; top: (59|60|61)[.\d]*%"))
    panel.get_by_role("button", name="Show the masked images").click()
    expect(panel.get_by_text("This map comes from 1,000 masked images. The first 500 are made again")).to_be_visible()
    pictures = panel.get_by_role("img", name=re.compile(r"^Masked image \d+$"))
    expect(pictures).to_have_count(8)
    hidden = panel.get_by_text(re.compile(r"Place hidden in \d+ images"))
    expect(hidden).to_be_visible()
    before = hidden.inner_text()
    shown = panel.get_by_role("button", name=re.compile("Point at a place"))
    shown.focus()
    for _ in range(7):
        page.keyboard.press("ArrowUp")
    expect(hidden).not_to_have_text(before)
    expect(pictures).to_have_count(8)
    before = hidden.inner_text()
    shown.hover(position={"x": 12, "y": 12})  # no click
    expect(ring).to_have_attribute("style", re.compile(r"left: \d\.?\d*%; top: \d\.?\d*%"))
    expect(hidden).not_to_have_text(before)
