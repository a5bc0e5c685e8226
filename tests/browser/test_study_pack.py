"""The jsPsych page of a study's pack in a browser: what counts as an answer, and in which language it asks for one."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from decam.studies.design import Item
from decam.studies.export.pack import pack_files
from tests.studies.studies import block, freeze, study

pytestmark = pytest.mark.browser

JSPSYCH = """
window.given = [];
window.jsPsychPreload = "preload";
window.jsPsychSurveyHtmlForm = "form";
window.initJsPsych = () => ({ data: { addProperties() {} }, run: (timeline) => next(timeline.slice(1)) });
function next([trial, ...rest]) {
  document.body.innerHTML = "";
  if (!trial) return;
  const form = document.body.appendChild(document.createElement("form"));
  form.innerHTML = `${trial.html}<input type="submit" value="${trial.button_label}">`;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = { response: Object.fromEntries(new FormData(form)) };
    window.given.push(data.response);
    trial.on_finish(data);
    next(rest);
  });
  trial.on_load();
}
"""
"""What the page uses of jsPsych 8: a form for each trial, and its answers by the names of fields."""


@pytest.fixture
def asked(page: Page, tmp_path: Path) -> Page:
    """The screen of a German study that asks for two sliders, of which one may be left."""
    ends = ("wenig", "viel")
    items = [Item("Vertrauen?", "slider", ends), Item("Mühe?", "slider", ends, optional=True)]
    made = dataclasses.replace(study(count=1), language="de", blocks=(block("questionnaire", items),))
    freeze(made, tmp_path)
    for name, content in pack_files(made, tmp_path, 1):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    there = tmp_path / "jspsych" / "index.html"
    (there.parent / "jspsych.js").write_text(JSPSYCH, encoding="utf-8")
    alone = re.sub(r'<(script src|link [^>]*href)="https:[^>]*>(</script>)?\n', "", there.read_text(encoding="utf-8"))
    there.write_text(alone.replace("<style>", '<script src="jspsych.js"></script><style>', 1), encoding="utf-8")
    page.goto(there.as_uri() + "?sequence=0")
    return page


def sliders(asked: Page) -> tuple[Locator, Locator]:
    needed, left = asked.get_by_role("slider").all()
    return needed, left


def go_on(asked: Page) -> list[dict[str, str]]:
    """Press the button; the answers that the page has given then."""
    asked.get_by_role("button", name="Weiter").click()
    given: list[dict[str, str]] = asked.evaluate("window.given")
    return given


def test_a_slider_that_nobody_touched_is_no_answer_and_the_page_says_so_in_its_language(asked: Page) -> None:
    assert go_on(asked) == []
    said = asked.locator(".filled").first.evaluate("field => field.validationMessage")
    assert said == "Noch nicht beantwortet: Bewegen Sie den Regler."
    sliders(asked)[0].press("ArrowRight")
    assert go_on(asked) == [{"item1": "55", "item2": ""}]


def test_the_value_in_the_middle_is_chosen_without_moving_the_slider(asked: Page) -> None:
    for slider in sliders(asked):
        slider.press(" ")
    assert go_on(asked) == [{"item1": "50", "item2": "50"}]


def test_a_click_where_a_slider_stands_answers_it(asked: Page) -> None:
    sliders(asked)[0].click()
    assert go_on(asked) == [{"item1": "50", "item2": ""}]
