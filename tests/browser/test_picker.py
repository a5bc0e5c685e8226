"""Choosing among many methods as a visitor does: by family, by search, by preset, by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from decam.methods import METHODS
from tests.browser.compare import STARS, Compare
from tests.tools.server import Server


@pytest.fixture
def compare(page: Page, common_server: Server) -> Compare:
    """The page with one scene chosen."""
    compare = Compare(page)
    compare.open(common_server.url)
    compare.sample(STARS)
    return compare


def shown(window: Locator) -> list[str]:
    """The methods that the window shows, by title."""
    return [switch.get_attribute("aria-label") or "" for switch in window.get_by_role("switch").all()]


def test_the_search_answers_with_every_key_whatever_the_case_spaces_and_hyphens(compare: Compare) -> None:
    window = compare.pick()
    assert len(shown(window)) == len(METHODS)
    field = window.get_by_role("searchbox")
    for text in ("gradcam++", "GRAD cam ++", " Grad-CAM++ "):
        field.fill(text)
        assert shown(window) == ["Grad-CAM++", "Smooth Grad-CAM++"], text
    field.fill("surrogate")
    assert shown(window) == [row.title for row in METHODS.values() if row.family == "surrogate"]
    field.fill("ribeiro 2016")
    assert shown(window) == ["LIME"]
    field.press("Enter")
    expect(window.get_by_role("switch", name="LIME")).to_be_checked()
    field.fill("no such thing")
    assert shown(window) == []
    expect(window.get_by_text("No method has “no such thing”")).to_be_visible()
    field.press("Escape")
    assert len(shown(window)) == len(METHODS)
    window.get_by_role("button", name="Done").click()
    expect(window).not_to_be_visible()
    expect(compare.chip("LIME")).to_be_visible()


def test_escape_takes_back_what_was_chosen_in_the_window(compare: Compare) -> None:
    window = compare.pick()
    window.get_by_text("LIME", exact=True).click()
    window.get_by_role("button", name="None of Class activation").click()
    compare.page.keyboard.press("Escape")
    expect(window).not_to_be_visible()
    expect(compare.chip("Grad-CAM")).to_be_visible()
    expect(compare.chip("LIME")).to_have_count(0)
    window = compare.pick()
    expect(window.get_by_role("switch", name="LIME")).not_to_be_checked()
    window.get_by_text("LIME", exact=True).click()
    window.get_by_role("button", name="Done").click()
    expect(compare.chip("LIME")).to_be_visible()


def test_letters_in_the_search_are_no_shortcuts_of_the_framework(compare: Compare) -> None:
    window = compare.pick()
    window.get_by_role("searchbox").press_sequentially("rcrc")
    expect(compare.page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    expect(window.get_by_role("searchbox")).to_have_value("rcrc")
    expect(compare.page.get_by_role("dialog")).to_have_count(1)


def test_a_preset_is_a_choice_that_can_be_changed_and_pressing_it_twice_changes_nothing(compare: Compare) -> None:
    window = compare.pick()
    preset = window.get_by_role("button", name="One per family")
    for _ in range(2):
        preset.click()
        expect(preset).to_have_attribute("aria-pressed", "true")
    expect(window.get_by_text(re.compile(r"^5 methods · \d,\d\d\d evaluations an image$"))).to_be_visible()
    window.get_by_text("RISE", exact=True).click()
    expect(preset).to_have_attribute("aria-pressed", "false")
    window.get_by_role("button", name="Done").click()
    for title in ("DE-CAM", "RISE", "LIME", "Grad-CAM", "Integrated Gradients", "Random map"):
        expect(compare.chip(title)).to_be_visible()
    expect(compare.main.get_by_text(re.compile(r"^(\d+ of )?6 maps "))).to_be_visible()


def test_what_replaces_many_choices_can_be_taken_back(compare: Compare) -> None:
    window = compare.pick()
    undo = window.get_by_role("button", name="Undo")
    expect(undo).not_to_be_visible()
    before = [name for name in shown(window) if window.get_by_role("switch", name=name, exact=True).is_checked()]
    window.get_by_role("button", name="Quick").click()
    window.get_by_role("button", name="Clear").click()
    undo.click()
    expect(window.get_by_role("button", name="Quick")).to_have_attribute("aria-pressed", "true")
    undo.click()
    assert before == [n for n in shown(window) if window.get_by_role("switch", name=n, exact=True).is_checked()]
    expect(undo).not_to_be_visible()
    expect(window.get_by_role("searchbox")).to_be_focused()


def test_all_of_a_family_means_what_the_search_left_of_it(compare: Compare) -> None:
    window = compare.pick()
    window.get_by_role("button", name="Clear").click()
    expect(window.get_by_text("No method is chosen.")).to_be_visible()
    window.get_by_role("searchbox").fill("score-cam")
    window.get_by_role("button", name="All of Class activation").click()
    expect(window.get_by_role("switch", name="Score-CAM", exact=True)).to_be_checked()
    window.get_by_role("searchbox").fill("")
    expect(window.get_by_role("switch", name="Layer-CAM")).not_to_be_checked()
    window.get_by_role("button", name="None of Class activation").click()
    window.get_by_role("button", name="Done").click()
    expect(compare.explain).to_be_disabled()


def test_methods_are_taken_out_by_their_chips_and_what_does_not_fit_is_counted(compare: Compare) -> None:
    chip = compare.chip("Grad-CAM")
    chip.get_by_role("button").click()
    expect(chip).to_have_count(0)
    expect(compare.main.get_by_text(re.compile(r"^(\d+ of )?2 maps "))).to_be_visible()
    window = compare.pick()
    for family in ("Gradient", "Class activation"):
        window.get_by_role("button", name=f"All of {family}").click()
    window.get_by_role("button", name="Done").click()
    more = compare.main.get_by_role("button", name=re.compile(r"^\+ \d+ more$"))
    expect(more).to_be_visible()
    assert compare.overflow() == {}
    more.click()
    expect(compare.page.get_by_role("dialog", name="Methods")).to_be_visible()


def test_the_choice_is_kept_when_the_window_is_left_by_a_click_beside_it_and_over_a_change_of_page(
    compare: Compare,
) -> None:
    window = compare.pick()
    window.get_by_text("Occlusion", exact=True).click()
    compare.page.mouse.click(5, 5)
    expect(window).not_to_be_visible()
    expect(compare.chip("Occlusion")).to_be_visible()
    compare.sidebar.get_by_role("link", name="DE-CAM").click()
    expect(compare.page.get_by_text("Variants")).to_be_visible()
    compare.sidebar.get_by_role("link", name="Compare").click()
    expect(compare.chip("Occlusion")).to_be_visible()
    expect(compare.main.get_by_text(re.compile(r"^(\d+ of )?4 maps "))).to_be_visible()
