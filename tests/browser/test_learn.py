"""Lessons as a class meets them: predict, reveal, paint, answer; on a projector, on a phone, and without a network."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, ViewportSize, expect

from decam.lessons import LESSONS, Lesson
from decam.lessons.base import Curves
from decam.lessons.prose import plain
from tests.browser.looks import faults
from tests.tools.server import Server

LOCAL = ("127.0.0.1", "localhost")
PROJECTOR: ViewportSize = {"width": 1280, "height": 720}
LOOKED_AT: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = (
    (PROJECTOR, "light"),
    ({"width": 390, "height": 844}, "dark"),
)
# The value above a slider stands on the page, but lies within its thumb, whose colour is taken for the ground.
ABOVE_A_SLIDER = re.compile(r'^p "\d+ %" has a contrast of 1\.00$')


def _open(page: Page, server: Server, lesson: str, step: int) -> None:
    page.goto(f"{server.url}learn?lesson={lesson}&step={step}")
    expect(page.get_by_text(f"Step {step} of {len(LESSONS[lesson].steps)}")).to_be_visible()


def _on(page: Page, name: str = "Next") -> None:
    page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True).click()


def _drawn(page: Page) -> None:
    """Wait until all pictures of the page have come."""
    page.wait_for_function("[...document.querySelectorAll('.dc-lesson-row img')].every((one) => one.naturalWidth > 0)")


def _centre(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_visitor_goes_through_a_lesson(page: Page, common_server: Server) -> None:
    page.set_viewport_size(PROJECTOR)
    page.goto(f"{common_server.url}learn")
    page.locator(".st-key-lesson-card-saliency-map").get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="An answer without a reason")).to_be_visible()
    _on(page)
    page.get_by_role("button", name=re.compile("Click a place")).click()
    _on(page, "Reveal")
    expect(page.get_by_text("Your place has a ring.")).to_be_visible()
    expect(page.locator(".dc-mark").first).to_be_visible()
    _on(page)
    page.get_by_text("Still star, but less sure").click()
    _on(page, "Reveal")
    expect(page.get_by_text("It is: It no longer answers star.")).to_be_visible()
    _drawn(page)
    _on(page)
    page.get_by_text("The model cannot recognise cows").click()
    expect(page.get_by_text("Not quite.")).to_be_visible()
    page.get_by_text("If the map is right, the model uses the grass").click()
    expect(page.get_by_text("Yes.")).to_be_visible()
    _on(page, "All lessons")
    expect(page.get_by_role("heading", name="Learn", exact=True)).to_be_visible()


def test_the_model_answers_while_one_paints(page: Page, common_server: Server) -> None:
    page.set_viewport_size(PROJECTOR)
    _open(page, common_server, "covering", 3)
    said, canvas = page.locator(".decam-brush [role=status]"), page.locator(".decam-brush .stage canvas")
    expect(said).to_have_text(re.compile(r"You cover 0 %: star has 99 %\."))
    x, y = _centre(canvas)
    page.mouse.move(x - 60, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 20, steps=8)
    # Answers come before the stroke has ended.
    expect(said).not_to_have_text(re.compile("You cover 0 %"))
    page.mouse.move(x, y + 60, steps=8)
    page.mouse.up()
    expect(page.locator(".decam-brush .rival")).to_contain_text(
        re.compile(r"DE-CAM covers [1-9]\d? %: star has \d+ %\.")
    )
    page.get_by_role("button", name="Undo").click()
    expect(said).to_have_text(re.compile("You cover 0 %"))
    # The same by keyboard.
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(said).to_have_text(re.compile("You cover [1-9] %"))
    page.get_by_role("radio", name="noise").or_(page.get_by_role("button", name="noise")).first.click()
    expect(said).to_have_text(re.compile("You cover [1-9] %"))
    page.get_by_role("button", name="Clear").click()
    expect(said).to_have_text(re.compile("You cover 0 %"))


def test_a_place_is_taken_by_keyboard(page: Page, common_server: Server) -> None:
    _open(page, common_server, "contrast", 2)
    picture = page.get_by_role("button", name=re.compile("Click a place"))
    picture.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    _on(page, "Reveal")
    mark = page.locator(".dc-mark").first
    expect(mark).to_be_visible()
    assert mark.evaluate("one => one.style.left") == "30%"


def test_a_term_is_explained_under_the_pointer_and_by_keyboard(page: Page, common_server: Server) -> None:
    _open(page, common_server, "saliency-map", 1)
    term = page.locator(".dc-term").first
    tooltip = term.get_by_role("tooltip", include_hidden=True)
    expect(tooltip).to_be_hidden()
    term.hover()
    expect(tooltip).to_be_visible()
    page.mouse.move(0, 0)
    expect(tooltip).to_be_hidden()
    term.locator("[tabindex]").focus()
    expect(tooltip).to_be_visible()
    expect(tooltip).to_contain_text("A function, learned from examples")


@pytest.mark.parametrize("width", [1440, 1280, 900, 390])
def test_a_meaning_near_the_right_edge_stays_within_the_text(page: Page, common_server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    _open(page, common_server, "clever-hans", 4)
    term = page.get_by_text("shortcut", exact=True)
    term.hover()
    meaning = page.get_by_role("tooltip")
    expect(meaning).to_be_visible()
    of_term, of_meaning = term.bounding_box(), meaning.bounding_box()
    assert of_term is not None and of_meaning is not None
    assert 0 <= of_meaning["y"] - of_term["y"] - of_term["height"] < 6, "it is right below the word"
    assert of_meaning["x"] - 1 <= of_term["x"] and of_meaning["x"] + of_meaning["width"] <= width
    over = page.get_by_test_id("stMain").evaluate("node => node.scrollWidth - node.clientWidth")
    assert over <= 0, "nothing is wider than the window"


def test_a_presenters_keys_go_on_and_back(page: Page, common_server: Server) -> None:
    _open(page, common_server, "sanity", 1)
    buttons = page.get_by_test_id("stMain")  # they hear the keys, and are drawn last
    expect(buttons.get_by_role("button", name="Next", exact=True)).to_be_visible()
    page.keyboard.press("PageDown")
    expect(page.get_by_text("Step 2 of")).to_be_visible()
    expect(buttons.get_by_role("button", name="Back", exact=True)).to_be_enabled()
    page.keyboard.press("PageUp")
    expect(page.get_by_text("Step 1 of")).to_be_visible()


def test_the_printed_page_needs_nothing_and_the_code_leads_to_the_lesson(
    page: Page, common_server: Server, chromium_context: Callable[[], BrowserContext], tmp_path: Path
) -> None:
    _open(page, common_server, "sanity", 1)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Print").click()
    paper = tmp_path / coming.value.suggested_filename
    coming.value.save_as(paper)
    context = chromium_context()
    context.set_offline(True)
    offline = context.new_page()
    offline.goto(paper.as_uri())
    expect(offline.get_by_role("heading", name="Answers and notes: A map that ignores the model")).to_be_visible()
    assert offline.evaluate("[...document.images].every((one) => one.naturalWidth > 0)")
    page.get_by_role("button", name="QR code").click()
    expect(page.get_by_alt_text(f"QR code of {common_server.url}learn?lesson=sanity")).to_be_visible()
    expect(page.get_by_text("means each device itself")).to_be_visible()
    base = page.get_by_role("textbox", name="Address of this server")
    base.fill("http://school.lan:8501/")
    base.press("Enter")
    expect(page.get_by_alt_text("QR code of http://school.lan:8501/learn?lesson=sanity")).to_be_visible()
    expect(page.get_by_text("means each device itself")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)
def test_every_step_reads_well_on_a_projector_and_on_a_phone_without_a_network(
    page: Page, common_server: Server, lesson: Lesson
) -> None:
    """The `watch` of each page fails on any request to anywhere but this machine, and none is let out."""
    page.route(lambda url: urlsplit(url).hostname not in LOCAL, lambda route: route.abort())
    for size, scheme in LOOKED_AT:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        _open(page, common_server, lesson.name, 1)
        for number, step in enumerate(lesson.steps, start=1):
            expect(page.get_by_role("heading", name=plain(step.title, lesson.facts), exact=True)).to_be_visible()
            if isinstance(step, Curves):
                expect(page.locator(".js-plotly-plot .legend")).to_be_visible()
            _drawn(page)
            assert [fault for fault in faults(page) if not ABOVE_A_SLIDER.match(fault)] == [], (number, size)
            page.locator(".st-key-lesson-next").get_by_role("button").click()
            page.mouse.move(size["width"] - 3, size["height"] - 3)  # what is under the pointer has colours of its own
