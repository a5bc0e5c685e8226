"""A plan falls into parts that are together the whole, each with a link that says what it asks."""

from __future__ import annotations

import dataclasses

import numpy as np

from decam.benchmark.datasets import Subject
from decam.benchmark.shards import Asked, grid_of, link_of, shards
from decam.experiments.grid import Grid
from decam.experiments.kinds import benchmark, randomisation
from decam.experiments.plan import MethodChoice, PictureChoice, Plan, Versions
from decam.experiments.questions import ModelSpec, QuestionSpec, Variant
from decam.images.ground_truth import seen
from tests.benchmark.conftest import METRICS, SIZE, Colours, parts, source

METHODS = (MethodChoice.default("random"), MethodChoice.default("centre"))


def whole(models: tuple[str, ...] = ("a", "b"), pictures: int = 2) -> Grid:
    choices = [PictureChoice(f"{number}.png", f"print {number}") for number in range(pictures)]
    seeds = [(0, 1), (5,)][:pictures]
    plan = benchmark.plan(models, "cpu", choices, METHODS, targets=[None, 2][:pictures], seeds=seeds, metrics=METRICS)
    views = [np.full((*SIZE, 3), number, np.uint8) for number in range(pictures)]
    return Grid.empty(plan, views)


def test_every_question_is_in_one_part_with_its_own_picture() -> None:
    grid = whole()
    found = shards(grid)
    names = [(part.plan.model, part.plan.pictures[0].name, len(part.plan.questions)) for part in found]
    assert names == [("a", "0.png", 2), ("a", "1.png", 1), ("b", "0.png", 2), ("b", "1.png", 1)]
    asked = [Asked.by(part.plan, place) for part in found for place in range(len(part.plan.questions))]
    assert asked == [Asked.by(grid.plan, place) for place in range(len(grid.plan.questions))]
    assert [int(part.views[0].max()) for part in found] == [0, 1, 0, 1]


def test_apart_every_method_is_a_part_by_itself() -> None:
    found = shards(whole(("a",)), apart=True)
    assert [[choice.name for choice in part.plan.methods] for part in found] == [["random"], ["centre"]] * 2


def test_variants_of_a_model_stay_with_the_question_that_they_refer_to() -> None:
    other = QuestionSpec(ModelSpec("a"), 0)
    original = QuestionSpec(ModelSpec("a"), 1)
    variant = QuestionSpec(ModelSpec("a", Variant("cascading", "fc")), 1, reference=1)
    plan = Plan(
        kind=randomisation.RANDOMISATION,
        device="cpu",
        pictures=(PictureChoice("p"), PictureChoice("q")),
        questions=(other, original, variant),
        methods=METHODS,
    )
    _, second = shards(Grid.empty(plan, [np.zeros((*SIZE, 3), np.uint8)] * 2))
    assert [question.reference for question in second.plan.questions] == [None, 0]
    assert second.plan.pictures == (PictureChoice("q"),)


def test_a_link_says_what_is_asked_and_nothing_else() -> None:
    plan = shards(whole())[0].plan
    renamed = dataclasses.replace(plan, pictures=(dataclasses.replace(plan.pictures[0], name="other"),))
    same = [renamed, dataclasses.replace(plan, versions=Versions()), dataclasses.replace(plan, metrics=METRICS[::-1])]
    assert {link_of(one) for one in same} == {link_of(plan)}
    question = plan.questions[0]
    others = [
        dataclasses.replace(plan, pictures=(dataclasses.replace(plan.pictures[0], sha256="other"),)),
        dataclasses.replace(plan, pictures=(dataclasses.replace(plan.pictures[0], truth="some"),)),
        dataclasses.replace(plan, questions=plan.questions[:1]),
        dataclasses.replace(plan, questions=(dataclasses.replace(question, seed=9), plan.questions[1])),
        dataclasses.replace(plan, questions=(dataclasses.replace(question, target=1), plan.questions[1])),
        dataclasses.replace(plan, methods=METHODS[:1]),
        dataclasses.replace(plan, metrics=METRICS[:1]),
    ]
    links = [link_of(plan), *map(link_of, others)]
    assert len(set(links)) == len(links)


def test_a_subject_is_the_picture_and_its_truth_as_the_model_sees_them(colours: Colours) -> None:
    given = source(1, truth=True)
    subject = Subject.of(colours.classifier, given)
    image, mask = given.draw()
    np.testing.assert_array_equal(subject.view, colours.classifier.view(image))
    assert mask is not None and subject.truth is not None
    np.testing.assert_array_equal(subject.truth, seen(mask, colours.classifier))
    grid = grid_of(colours.classifier, [subject], METHODS, METRICS)
    assert grid.plan.questions[0].seed == 1 and grid.truths[0] is subject.truth
    assert grid.plan.pictures[0].truth != "" != grid.plan.pictures[0].sha256


def test_a_seed_for_all_takes_the_place_of_each_pictures_own(colours: Colours) -> None:
    assert [part.plan.seed for part in parts(colours)] == [0, 1]
    assert [part.plan.seed for part in parts(colours, seed=7)] == [7, 7]
