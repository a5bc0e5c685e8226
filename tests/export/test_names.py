"""No two files of an export have the same name, whatever was asked."""

from __future__ import annotations

import re

import pytest

from decam.experiments.kinds.comparison import plan as comparison_plan
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.experiments.questions import ModelSpec, QuestionSpec, Variant
from decam.export.names import method_names, picture_names, question_names


def a_plan(*questions: QuestionSpec, pictures: tuple[str, ...] = ("a.png", "b/a.png")) -> Plan:
    return Plan(
        kind="randomisation",
        device="cpu",
        pictures=tuple(PictureChoice(name) for name in pictures),
        questions=questions,
        methods=(MethodChoice.default("random"),),
    )


def asked(picture: int, stage: str = "", target: int | None = None) -> QuestionSpec:
    variant = Variant("cascading", stage) if stage else None
    return QuestionSpec(ModelSpec("small", variant), picture, target)


def test_a_question_to_the_model_itself_goes_by_its_picture() -> None:
    plan = a_plan(asked(0), asked(1))
    assert question_names(plan) == picture_names(plan) == ("01_a", "02_a")


def test_a_question_to_a_variant_has_its_number_and_stage() -> None:
    plan = a_plan(asked(1), asked(1, "head"), asked(1, "features.9 … 10"), asked(0, "features.9 / 10"))
    assert question_names(plan) == ("02_a", "02_a_01-head", "02_a_02-features.9-...-10", "01_a_03-features.9-10")


@pytest.mark.parametrize(
    "questions",
    [
        [asked(0), asked(0, "x"), asked(0, "x"), asked(1), asked(1, "…")],
        [asked(0, target=1), asked(0, target=2), asked(1)],
    ],
    ids=["variants", "classes"],
)
def test_no_two_questions_have_the_same_name(questions: list[QuestionSpec]) -> None:
    names = question_names(a_plan(*questions))
    assert len({name.lower() for name in names}) == len(questions)
    assert all(re.fullmatch(r"[\w.-]+", name, re.ASCII) for name in names)


def test_methods_that_come_twice_are_numbered() -> None:
    methods = [MethodChoice.default(name) for name in ("random", "centre", "random", "random")]
    plan = comparison_plan("embedded", "cpu", [PictureChoice("a")], methods)
    assert method_names(plan) == ("random", "centre", "random-2", "random-3")
