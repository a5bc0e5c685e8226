"""The page to send, opened from a file in a browser without any network, and used by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, PictureChoice, usual_metrics
from decam.export.page import page_bytes
from tests.browser.conftest import Watch

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(rectangle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures by a search and two quick methods, one of them signed."""
    plan = comparison.plan(
        "rectangle",
        "cpu",
        [PictureChoice("one.png"), PictureChoice("two.png")],
        [MethodChoice.default("de-cam", budget=600, population=16), *map(MethodChoice.default, ("centre", "random"))],
        targets=[rectangle.target] * 2,
        metrics=usual_metrics(steps=5),
        execution=rectangle.classifier.execution,
    )
    grid = Grid.empty(plan, [rectangle.view, rectangle.view // 2], labels=rectangle.classifier.labels)
    for event in execute(grid, lambda _: rectangle.classifier):
        grid = grid.after(event)
    path = tmp_path_factory.mktemp("sent") / "run.html"
    path.write_bytes(page_bytes(grid))
    return path


@pytest.fixture
def sent(chromium: Browser, file: Path) -> Iterator[Page]:
    """The page in a browser that is offline; anything it asks for but itself fails the test."""
    context = chromium.new_context(offline=True, viewport={"width": 1200, "height": 900})
    page, watch = context.new_page(), Watch()
    watch.attach(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    yield page
    watch.check()
    assert {url for url in asked if not url.startswith("data:")} == {file.as_uri()}
    context.close()


def test_the_slider_changes_how_much_of_the_picture_shows(sent: Page) -> None:
    slider, heat = sent.get_by_label("Opacity of the maps"), sent.locator(".heat").first
    expect(heat).to_have_css("opacity", "0.8")
    slider.focus()
    slider.press("Home")
    expect(heat).to_have_css("opacity", "0")
    assert sent.locator(".maps img").evaluate_all("all => all.every((one) => one.naturalWidth > 0)")
    lines = sent.locator(".lines").first
    expect(lines).to_be_hidden()
    sent.get_by_label("Lines about").press("Space")
    expect(lines).to_be_visible()


def test_by_keyboard_a_map_is_enlarged_zoomed_and_left_again(sent: Page) -> None:
    opener = sent.get_by_role("button", name="Enlarge DE-CAM · one.png")
    opener.focus()
    sent.keyboard.press("Enter")
    large = sent.get_by_role("dialog")
    expect(large.get_by_role("heading")).to_contain_text("DE-CAM · one.png")
    sent.keyboard.press("ArrowDown")
    expect(large.get_by_role("heading")).to_contain_text("DE-CAM · two.png")
    sent.keyboard.press("ArrowRight")
    expect(large.get_by_role("heading")).not_to_contain_text("DE-CAM")
    before = large.locator(".stack").bounding_box()
    sent.keyboard.press("+")
    after = large.locator(".stack").bounding_box()
    assert before and after and after["width"] == pytest.approx(1.5 * before["width"], rel=0.02)
    sent.keyboard.press("0")
    sent.keyboard.press("Escape")
    expect(large).to_be_hidden()
    expect(sent.locator(".map:focus")).to_have_count(1)


def test_the_generations_of_a_search_are_stepped_through(sent: Page) -> None:
    sent.get_by_role("button", name="Enlarge DE-CAM · one.png").press("Enter")
    slider = sent.get_by_label("Generations")
    expect(slider).to_have_attribute("aria-valuetext", "finished")
    finished = sent.get_by_role("dialog").locator(".heat").get_attribute("src")
    slider.focus()
    slider.press("Home")
    assert (slider.get_attribute("aria-valuetext") or "").startswith("generation 1 of ")
    assert sent.get_by_role("dialog").locator(".heat").get_attribute("src") != finished
    slider.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "finished")


def test_at_a_phones_width_the_page_itself_does_not_scroll_sideways(sent: Page) -> None:
    sent.set_viewport_size({"width": 360, "height": 740})
    assert sent.evaluate("document.documentElement.scrollWidth <= innerWidth")
