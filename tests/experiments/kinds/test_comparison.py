"""A comparison asks one model once about each picture."""

from __future__ import annotations

import pytest

from decam.classifier import Execution
from decam.errors import ModelError, SettingError
from decam.experiments.cells import CellKey
from decam.experiments.kinds import KINDS, comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, usual_metrics
from decam.experiments.questions import ModelSpec, QuestionSpec

PICTURES = [PictureChoice("a.png"), PictureChoice("b.png")]
METHODS = [MethodChoice.default("random"), MethodChoice.default("centre")]


def test_there_is_one_question_a_picture_with_its_target_and_the_seed_of_all() -> None:
    plan = comparison.plan("embedded", "cpu", PICTURES, METHODS, targets=[None, 3], seed=5)
    model = ModelSpec("embedded")
    assert plan.questions == (QuestionSpec(model, 0, None, 5), QuestionSpec(model, 1, 3, 5))
    assert plan.kind == "comparison" and plan.methods == tuple(METHODS) and plan.pictures == tuple(PICTURES)
    assert list(plan.cells()) == [CellKey(question, method) for question in range(2) for method in range(2)]
    assert (plan.model, plan.seed, plan.device) == ("embedded", 5, "cpu")


def test_without_targets_the_prediction_is_explained_throughout() -> None:
    plan = comparison.plan("embedded", "cpu", PICTURES, METHODS)
    assert [question.target for question in plan.questions] == [None, None]
    assert plan.metrics == () and plan.execution is None


def test_all_metrics_measure_every_question() -> None:
    metrics = (*usual_metrics(steps=9), MetricChoice.default("sparsity"))
    plan = comparison.plan("embedded", "cpu", PICTURES, METHODS, metrics=metrics, execution=Execution(batch_size=3))
    assert plan.metrics_for(0) == plan.metrics_for(1) == metrics
    assert plan.execution == Execution(batch_size=3)


def test_the_list_of_runs_says_how_many_methods_there_are() -> None:
    facts = KINDS["comparison"].facts
    assert facts(comparison.plan("embedded", "cpu", PICTURES, METHODS)) == ("2 methods",)
    assert facts(comparison.plan("embedded", "cpu", PICTURES, METHODS[:1])) == ("1 method",)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"pictures": []}, SettingError, "at least one image or class, and one method"),
        ({"methods": []}, SettingError, "at least one image or class, and one method"),
        ({"model": ""}, ModelError, "names no model"),
        ({"targets": [-1, None]}, SettingError, "classes are counted from 0"),
        ({"targets": [1]}, SettingError, "1 targets for 2 images"),
        ({"targets": [1, 2, 3]}, SettingError, "3 targets for 2 images"),
        ({"seed": -1}, SettingError, "seed is -1"),
        ({"device": "abacus"}, SettingError, "no device 'abacus'"),
        ({"metrics": [MetricChoice.default("road")] * 2}, SettingError, "twice"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(changes: dict, error: type[Exception], words: str) -> None:
    given = {"model": "embedded", "device": "cpu", "pictures": PICTURES, "methods": METHODS} | changes
    with pytest.raises(error, match=words):
        comparison.plan(**given)
