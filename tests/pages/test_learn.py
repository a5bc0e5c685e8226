"""The Learn page without a browser: every step of every lesson is drawn, and guesses stay."""

from __future__ import annotations

import re

import pytest

from decam.lessons import LESSONS, PATH, Lesson, base
from decam.lessons.base import Choose, Estimate, Prediction, Question
from decam.lessons.glossary import TERMS
from decam.lessons.printing import ANSWERED, ASKED
from decam.lessons.prose import plain
from decam.ui.learn.steps import DRAWN
from tests.pages.visitor import Visitor

pytestmark = pytest.mark.usefixtures("server")
EVERY = pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)


def at(lesson: str, step: int) -> Visitor:
    """A visitor at a step of a lesson, counted from 1."""
    visitor = Visitor()
    visitor.app.query_params["lesson"] = lesson
    visitor.app.query_params["step"] = str(step)
    return visitor.visit("learn")


def html(visitor: Visitor) -> str:
    """All HTML of the page."""
    return "".join(element.proto.body for element in visitor.app.get("html"))


def titles(visitor: Visitor) -> list[str]:
    return [one.value for one in visitor.app.title or visitor.app.header]


def test_the_overview_has_all_lessons_the_path_and_all_terms() -> None:
    visitor = Visitor().visit("learn")
    assert titles(visitor) == ["Learn"]
    for lesson in LESSONS.values():
        assert visitor.offers(f"start-{lesson.name}")
    table = html(visitor)
    assert table.count("<tr>") == len(PATH) + 1
    assert "<th>40–45</th>" in table
    assert table.count("<dt>") == len(TERMS)
    assert visitor.app.expander[0].label == f"All {len(TERMS)} terms"


@pytest.mark.slow
@EVERY
def test_a_visitor_goes_through_a_lesson_to_its_end_and_back_to_the_overview(lesson: Lesson) -> None:
    visitor = Visitor().visit("learn").press(f"start-{lesson.name}")
    for place, step in enumerate(lesson.steps):
        assert titles(visitor) == [plain(step.title, lesson.facts)]
        assert f"Step {place + 1} of {len(lesson.steps)}" in html(visitor)
        assert visitor.offers("lesson-back") == (place > 0)
        assert not visitor.alerts
        (onward,) = (button.label for button in visitor.app.button if button.key == "lesson-next")
        assert onward == (
            "All lessons" if isinstance(step, Question) else "Reveal without a guess"
            if isinstance(step, Prediction) else "Next"
        )  # fmt: skip
        visitor.press("lesson-next")
    assert titles(visitor) == ["Learn"]
    assert "lesson" not in visitor.app.query_params


def test_a_guess_stays_and_the_reveal_speaks_of_it() -> None:
    visitor = at("saliency-map", 4)
    visitor.app.radio[0].set_value(0)
    visitor.look()
    assert any(button.label == "Reveal" for button in visitor.app.button)
    visitor.press("lesson-next")
    assert "You said: <b>Still star, as sure as before</b>." in html(visitor)
    visitor.press("lesson-back")
    assert visitor.app.radio[0].value == 0


def test_a_slider_that_nobody_moved_is_no_guess() -> None:
    visitor = at("covering", 2)
    visitor.press("lesson-next").press("lesson-next")
    assert "You said" not in html(visitor)
    visitor.press("lesson-back").press("lesson-back")
    visitor.app.slider[0].set_value(30)
    visitor.look()
    visitor.press("lesson-next").press("lesson-next")
    assert "You said <b>30 %</b>." in html(visitor)


@EVERY
def test_a_wrong_answer_may_be_thought_over_and_a_right_one_says_why(lesson: Lesson) -> None:
    question = lesson.steps[-1]
    assert isinstance(question, Question)
    visitor = at(lesson.name, len(lesson.steps))
    visitor.app.radio[0].set_value((question.right + 1) % len(question.options))
    assert "Not quite." in html(visitor.look())
    visitor.app.radio[0].set_value(question.right)
    said = html(visitor.look())
    assert "Yes." in said
    assert "Not quite." not in said


def test_the_overview_remembers_nothing_of_a_lesson_that_was_left_and_another_page_brings_back_the_step() -> None:
    visitor = at("sanity", 3)
    visitor.visit("metrics")
    for name in ("lesson", "step"):
        visitor.app.query_params.pop(name, None)
    visitor.visit("learn")
    assert titles(visitor) == [LESSONS["sanity"].steps[2].title]


def test_the_sidebar_leads_to_any_lesson_and_back_to_all() -> None:
    visitor = at("sanity", 3).press("to-contrast")
    assert titles(visitor) == [LESSONS["contrast"].steps[0].title]
    visitor.press("to-overview")
    assert titles(visitor) == ["Learn"]
    assert not visitor.offers("to-overview")


def test_notes_stand_under_every_step_once_they_are_asked_for() -> None:
    visitor = at("sanity", 1)
    note = LESSONS["sanity"].steps[0].note
    assert note not in html(visitor)
    visitor.app.toggle(key="lesson-notes-shown").set_value(True)
    assert note in html(visitor.look())
    visitor.press("lesson-next")
    assert LESSONS["sanity"].steps[1].note in html(visitor)


@pytest.mark.parametrize(
    ("lesson", "step", "sentence"),
    [
        ("nothing", "1", "There is no lesson 'nothing'"),
        ("sanity", "99", "“A map that ignores the model” has steps 1 to 7, and no step '99'"),
        ("sanity", "x", "no step 'x'"),
        ("sanity", "0", "no step '0'"),
        ("<b>", "1", "There is no lesson '<b>'"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_and_the_overview_shown(lesson: str, step: str, sentence: str) -> None:
    visitor = Visitor()
    visitor.app.query_params["lesson"] = lesson
    visitor.app.query_params["step"] = step
    visitor.visit("learn")
    assert any(sentence in error for error in visitor.errors), visitor.errors
    assert titles(visitor) == ["Learn"]


@pytest.mark.parametrize(
    ("address", "sentence"),
    [("http://localhost:8501", "means each device itself"), ("nonsense", "This is no address")],
)
def test_a_code_that_no_other_device_could_follow_is_told(address: str, sentence: str) -> None:
    visitor = at("sanity", 1)
    visitor.app.session_state["lesson-qr-base"] = address
    visitor.press("lesson-qr")
    assert visitor.says(sentence)


def test_every_kind_of_step_has_its_own_drawing() -> None:
    kinds = {kind for kind in vars(base).values() if isinstance(kind, type) and issubclass(kind, base.Step)}
    assert set(DRAWN) == kinds - {base.Step}
    assert set(ASKED) | set(ANSWERED) == set(DRAWN)
    assert {Choose, Estimate} <= set(DRAWN)


def test_names_of_hidden_models_are_not_said() -> None:
    for place in range(1, len(LESSONS["clever-hans"].steps) + 1):
        assert not re.search(r"hidden-\d|Model \d", html(at("clever-hans", place)))
