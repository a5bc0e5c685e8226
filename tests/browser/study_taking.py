"""Somebody who takes part in a study with the keyboard alone, and remembers what was answered."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from decam.studies import elements
from decam.studies.design import Item, Study
from decam.studies.responses import Lane, StudyRecord, StudyStore
from decam.studies.road import road
from decam.studies.steps import Outcome, Step
from tests.studies.studies import block, study
from tests.tools.server import Server
from tests.web.studies.painted import paint
from tests.web.studies.participants import kept

TRIALS = study(block("trials", task="forced-choice"), block("debriefing"), count=8)
LINES = "The <b>head</b>, “mostly” & its ears"


def everything() -> Study:
    """A study in which each kind of question is asked, and every task."""
    asked = [
        Item("Age", "number"),
        Item("Hand", options=("left", "right", "both")),
        Item("Seen before", "several", options=("cats", "dogs", "owls")),
        Item("Tired", "slider", options=("not at all", "very")),
        Item("Anything else?", "text", optional=True),
    ]
    tasks = (
        block("trials", task="forced-choice", task_confidence=True, task_neither=True),
        block("trials", task="ranking"),
        block("trials", task="rating"),
        block("trials", task="forward-simulation"),
        block("trials", task="distinction"),
        block("trials", task="clicks", task_least=2),
        block("trials", task="clicks", task_least=1, task_shape="boxes"),
        block("trials", task="free-text"),
    )
    return study(
        block("demographics", asked),
        block("instructions"),
        block("comprehension", [Item("Bright means?", options=("unimportant", "important"), correct=1)]),
        *tasks,
        block("break", seconds=1),
        block("questionnaire", scale="NASA-TLX"),
        block("debriefing"),
        count=1,
    )


def made(server: Server, what: Study) -> tuple[StudyStore, StudyRecord]:
    """A study that a server has from now on."""
    store = StudyStore(server.data)
    return store, kept(store, what, paint)


class Taking:
    """A participant at a page. `given` holds the answers by steps, as they must be stored."""

    def __init__(self, page: Page, record: StudyRecord, sequence: int = 0) -> None:
        self.page = page
        self.record = record
        self.steps = road(record.study, sequence)
        self.given: dict[str, dict[str, Any]] = {}

    def open(self, server: Server, query: str = "") -> None:
        """Come by the link."""
        self.page.goto(f"{server.url}study/{self.record.link}{query}")

    def at(self, step: Step) -> Locator:
        """The screen of a step, once it is shown."""
        form = self.page.locator(f'form[data-step="{step.id}"]')
        expect(form).to_be_visible()
        return form

    def take(self, steps: tuple[Step, ...]) -> None:
        """Answer these screens one after the other."""
        for step in steps:
            self.answer(step)

    def answer(self, step: Step) -> None:
        """Answer a screen with the keyboard, and go on."""
        form = self.at(step)
        self.fill(step, form)
        self.go_on(step, form)

    def fill(self, step: Step, form: Locator) -> None:
        """Answer all questions of a screen, and stay there."""
        values = {}
        for number, question in enumerate(step.questions):
            fieldset = form.locator("fieldset").nth(number)
            self.tab_to(fieldset)
            values[question.name] = _KEYS[type(question)](self, question, fieldset)
        self.given[step.id] = values

    def go_on(self, step: Step, form: Locator) -> None:
        """Press Enter, at the button where the focus is in something that has its own use for Enter; hear feedback."""
        expect(form.locator(".next")).to_be_enabled()
        if self.page.evaluate("!!document.activeElement.closest('textarea, button, [role=application]')"):
            self.tab_to(form.locator(".next"))
        self.page.keyboard.press("Enter")
        if step.feedback:
            expect(form.locator(".verdict").first).to_be_visible()
            self.page.keyboard.press("Enter")

    def tab_to(self, place: Locator) -> None:
        """Press Tab until the focus is in a place."""
        for _ in range(80):
            if place.evaluate("node => node.contains(document.activeElement)"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"The focus never came to {place}.")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def finished(self) -> None:
        """Wait until the page says that all is saved."""
        expect(self.page.get_by_role("heading", name=re.compile("Thank you"))).to_be_visible()
        expect(self.page.get_by_text("All your answers are saved")).to_be_visible()


def begun(server: Server, page: Page, count: int) -> tuple[StudyStore, StudyRecord, Taking]:
    """Somebody who has answered so many screens and sees the next one, with its pictures; nothing is on its way."""
    store, record = made(server, TRIALS)
    taking = Taking(page, record)
    taking.open(server)
    taking.take(taking.steps[:count])
    taking.at(taking.steps[count])
    page.wait_for_load_state("networkidle")
    return store, record, taking


def all_there(store: StudyStore, record: StudyRecord, taking: Taking) -> None:
    """Each answer of a participant is in the store once, as it was given, and in order."""
    answers = store.answers(record.id, Lane.REHEARSAL)
    assert [answer.step for answer in answers] == [step.id for step in taking.steps]
    assert {answer.step: dict(answer.values) for answer in answers} == taking.given
    (who,) = store.participants(record.id, Lane.REHEARSAL)
    assert who.outcome is Outcome.COMPLETED
    store.close()


def without_times(values: Any) -> Any:
    """Places without the moment at which they were set, and rounded: a share of the picture is no round number."""
    if isinstance(values, Mapping):
        return {name: without_times(value) for name, value in values.items() if name != "ms"}
    if isinstance(values, list | tuple):
        return [without_times(one) for one in values]
    return pytest.approx(values, abs=0.011) if isinstance(values, float) else values


def _choice(taking: Taking, question: elements.Choice, _: Locator) -> object:
    right = "important" in [option.label for option in question.options]
    place = 2 if right else 1
    taking.press(str(place))
    return question.values[place - 1]


def _several(taking: Taking, question: elements.Several, _: Locator) -> object:
    taking.press("1", "2", "3", "2")
    return [question.values[0], question.values[2]]


def _ranking(taking: Taking, question: elements.Ranking, fieldset: Locator) -> object:
    taking.tab_to(fieldset.get_by_role("button").nth(1))
    taking.press("Enter")  # the first one down
    first, second, *rest = question.values
    return [second, first, *rest]


def _rating(taking: Taking, question: elements.Rating, _: Locator) -> object:
    taking.press(str(question.points - 1))
    return question.points - 1


def _slider(taking: Taking, question: elements.Slider, _: Locator) -> object:
    taking.press("ArrowRight", "ArrowRight", "ArrowRight")
    return (question.least + question.most) // 2 // question.step * question.step + 3 * question.step


def _number(taking: Taking, _question: elements.Number, _: Locator) -> object:
    taking.page.keyboard.type("37,5")
    return 37.5


def _entry(taking: Taking, _question: elements.Entry, _: Locator) -> object:
    taking.page.keyboard.type(LINES)
    return LINES


def _pointing(taking: Taking, question: elements.Pointing, _: Locator) -> object:
    width, height = question.picture.width, question.picture.height
    if question.shape == "boxes":
        taking.press("ArrowLeft", "Enter", "ArrowRight", "ArrowRight", "ArrowDown", "Enter")
        return [{"x": 0.48 * width, "y": 0.5 * height, "width": 0.04 * width, "height": 0.02 * height}]
    taking.press("ArrowRight", "Enter", "Enter", "Backspace", "ArrowUp", "Shift+ArrowUp", "Enter")
    return [{"x": 0.52 * width, "y": 0.5 * height}, {"x": 0.52 * width, "y": 0.476 * height}]


_KEYS: Mapping[type[elements.Question], Callable[[Taking, Any, Locator], object]] = {
    elements.Choice: _choice,
    elements.Several: _several,
    elements.Ranking: _ranking,
    elements.Rating: _rating,
    elements.Slider: _slider,
    elements.Number: _number,
    elements.Entry: _entry,
    elements.Pointing: _pointing,
}
