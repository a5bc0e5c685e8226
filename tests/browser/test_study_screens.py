"""The screens of a study as people see them: read with ease in both themes, and true in what they say."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from decam.studies.design import Entrance, Stage
from decam.studies.responses import StudyRecord, StudyStore
from tests.browser.compare import LONG_MS
from tests.browser.conftest import Finished
from tests.browser.looks import faults
from tests.browser.study_taking import Taking, everything, made
from tests.browser.test_studies import Studies
from tests.studies.studies import block, study
from tests.tools.server import Server
from tests.web.studies.participants import short

pytestmark = pytest.mark.slow
SETTLED_MS = 300  # what changes its colour does so within this time
PARTS = {
    "Images": "How maps are drawn",
    "Blocks": "What participants see",
    "Assignment": "Who sees what",
    "People": "Where people come from",
    "Wording": "Single texts",
    "Plan": "Preregistration",
    "Take part": "The participants' link",
    "Results": "Everything in one file",
}
"""The parts of a study, and what each shows."""


@pytest.fixture
def walk(common_server: Server, page: Page) -> Iterator[Taking]:
    """Somebody who has just come to a study with every task."""
    store, record = made(common_server, everything())
    taking = Taking(page, record)
    taking.open(common_server)
    yield taking
    store.close()


def test_every_screen_is_read_and_pressed_with_ease_on_a_phone_in_both_themes(walk: Taking) -> None:
    walk.page.set_viewport_size({"width": 390, "height": 844})
    for step in walk.steps:
        form = walk.at(step)
        walk.fill(step, form)
        for scheme in ("light", "dark"):
            walk.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            walk.page.wait_for_timeout(SETTLED_MS)
            assert faults(walk.page) == [], f"{step.id}, {scheme}"
        walk.go_on(step, form)
    walk.finished()
    assert faults(walk.page) == []


def test_a_slider_says_how_it_is_answered_until_it_is(walk: Taking) -> None:
    walk.answer(walk.steps[0])
    form = walk.at(walk.steps[1])
    hint = form.get_by_text("Choose a place on the line")
    expect(hint).to_be_visible()
    line, last = form.get_by_role("slider").bounding_box(), form.get_by_text("very", exact=True).bounding_box()
    assert line and last and abs(line["x"] + line["width"] - last["x"] - last["width"]) < 2
    form.get_by_role("slider").press("ArrowRight")
    expect(hint).to_have_count(0)


@pytest.mark.parametrize("touch", [False, True])
def test_keys_are_spoken_of_only_where_there_are_keys(common_server: Server, chromium: Browser, touch: bool) -> None:
    store, record = made(common_server, study(block("trials", task="clicks"), count=1))
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=touch, is_mobile=touch)
    taking = Taking(context.new_page(), record)
    taking.open(common_server)
    taking.answer(taking.steps[0])
    form = taking.at(taking.steps[1])
    expect(form.get_by_text("Click or tap in the image.")).to_be_visible()
    expect(form.get_by_text("With the keyboard")).to_be_visible(visible=not touch)
    context.close()
    store.close()


def test_who_has_finished_can_delete_and_is_not_told_to_go_on(common_server: Server, page: Page) -> None:
    store, record = made(common_server, short())
    taking = Taking(page, record)
    taking.open(common_server)
    taking.take(taking.steps)
    taking.finished()
    page.get_by_role("button", name="My participation").click()
    window = page.get_by_role("dialog")
    expect(window.get_by_role("textbox", name="Your personal code:")).to_be_visible()
    expect(window.get_by_role("button", name="Delete everything of mine")).to_be_visible()
    expect(window.get_by_text("to go on")).to_have_count(0)
    expect(window.get_by_text("I have a code already")).to_have_count(0)
    window.get_by_role("button", name="Close").click()
    expect(window).to_be_hidden()
    store.close()


def closed(store: StudyStore, record: StudyRecord) -> None:
    for stage in (Stage.PILOT, Stage.LIVE, Stage.CLOSED):
        store.set_stage(record.id, stage)


@pytest.mark.parametrize(
    ("entrance", "prepare", "again"),
    [
        (Entrance(), closed, 0),
        (Entrance(identity_needed=True), None, 0),
        (Entrance(least_width=4000), None, 1),
    ],
)
def test_a_refusal_offers_to_load_again_where_that_can_help(
    common_server: Server,
    chromium: Browser,
    entrance: Entrance,
    prepare: Callable[[StudyStore, StudyRecord], None] | None,
    again: int,
) -> None:
    store, record = made(common_server, dataclasses.replace(short(), entrance=entrance))
    if prepare is not None:
        prepare(store, record)
    context = chromium.new_context()  # a refusal is an error on the console
    page = context.new_page()
    page.goto(f"{common_server.url}study/{record.link}")
    expect(page.get_by_role("heading", name="You cannot take part now")).to_be_visible()
    expect(page.get_by_role("button", name="Load again")).to_have_count(again)
    context.close()
    store.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_of_a_study_is_read_and_pressed_with_ease(
    finished: Finished, chromium: Browser, scheme: str
) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    studies = Studies(context.new_page())
    studies.arrive(finished)
    studies.button("Make the study").click()
    expect(studies.main.get_by_text("Still missing:")).to_be_visible(timeout=LONG_MS)
    for part, shown in PARTS.items():
        studies.part(part)
        expect(studies.main.get_by_text(shown).first).to_be_visible(timeout=LONG_MS)
        studies.page.wait_for_timeout(SETTLED_MS)
        assert faults(studies.page) == [], part
    context.close()


def test_a_preview_has_the_colours_of_the_page_around_it(finished: Finished, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    studies = Studies(context.new_page())
    studies.arrive(finished)
    studies.button("Make the study").click()
    expect(studies.main.get_by_text("Still missing:")).to_be_visible(timeout=LONG_MS)
    studies.part("Blocks")
    studies.button("2 · Instructions").click()
    expect(studies.preview.get_by_role("heading", name="What to do")).to_be_visible(timeout=LONG_MS)
    expect(studies.preview.get_by_role("button", name="Continue")).to_be_visible()  # the study does not end here
    address = studies.main.locator("iframe[title='What participants see']").get_attribute("src")
    context.close()
    plain = chromium.new_context(color_scheme="light")
    for theme, paper in (("dark", "rgb(18, 22, 28)"), ("light", "rgb(255, 255, 255)")):
        page = plain.new_page()
        page.goto(finished.url + str(address).replace("dark", theme).lstrip("/"))
        expect(page.locator("body")).to_have_css("background-color", paper)
    plain.close()
