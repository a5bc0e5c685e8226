"""Lessons on paper: everything is on the page itself, and no answer stands before the pages of answers."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from decam.lessons import LESSONS, Lesson
from decam.lessons.base import Prediction, Question, Reveal
from decam.lessons.printing import handout
from decam.lessons.prose import inline

EVERY = pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)


class Balanced(HTMLParser):
    """Checks that every element is closed where it should be."""

    VOID = ("meta", "img", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "img":
            assert dict(attrs)["alt"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.slow
@EVERY
def test_a_page_is_whole_and_asks_for_nothing_outside(lesson: Lesson) -> None:
    page = handout([lesson])
    parser = Balanced()
    parser.feed(page)
    assert parser.open == []
    assert not re.search(r"https?://|//cdn|<script|<link", page)
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="(.*?)"', page))


@pytest.mark.slow
@EVERY
def test_answers_come_on_later_pages_only(lesson: Lesson) -> None:
    sheet, answers = handout([lesson]).split("<h1>Answers and notes: ")
    for step in lesson.steps:
        title = inline(step.title, lesson.facts)
        note = inline(step.note, lesson.facts)
        assert note not in sheet
        assert note in answers
        if isinstance(step, Prediction | Question):
            assert f"<h3>{title}</h3>" in sheet
        if isinstance(step, Reveal):
            assert f"<h3>{title}</h3>" not in sheet
            assert f"<h3>{title}</h3>" in answers
    last = lesson.steps[-1]
    assert isinstance(last, Question)
    assert inline(last.why, lesson.facts) in answers
    assert inline(last.why, lesson.facts) not in sheet


@pytest.mark.slow
def test_all_lessons_together_have_each_its_sheet_before_the_answers() -> None:
    page = handout(list(LESSONS.values()))
    assert page.count('<section class="lesson">') == 2 * len(LESSONS)
    assert page.index("Answers and notes: ") > max(page.index(f"<h1>{lesson.title}") for lesson in LESSONS.values())
