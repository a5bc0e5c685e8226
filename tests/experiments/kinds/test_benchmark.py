"""A benchmark's plan asks every model about every picture with that picture's seeds."""

from __future__ import annotations

import pytest

from decam.errors import SettingError
from decam.experiments.kinds import KINDS, benchmark
from decam.experiments.plan import MethodChoice, PictureChoice
from decam.experiments.plan_json import plan_from_json, plan_to_json

PICTURES = (PictureChoice("p", "1"), PictureChoice("q", "2"))
METHODS = (MethodChoice.default("random"),)


def test_questions_are_models_times_pictures_times_seeds() -> None:
    plan = benchmark.plan(["a", "b"], "cpu", PICTURES, METHODS, targets=[None, 3], seeds=[(0, 1), (7,)])
    asked = [(one.model.name, one.picture, one.target, one.seed) for one in plan.questions]
    of_one = [(0, None, 0), (0, None, 1), (1, 3, 7)]
    assert asked == [(model, *rest) for model in "ab" for rest in of_one]


def test_without_targets_and_seeds_the_predicted_class_is_asked_about_from_seed_0() -> None:
    plan = benchmark.plan(["a"], "cpu", PICTURES, METHODS)
    assert [(one.target, one.seed) for one in plan.questions] == [(None, 0)] * 2


@pytest.mark.parametrize("given", [{"targets": [1]}, {"seeds": [(0,)] * 3}])
def test_targets_and_seeds_that_do_not_fit_the_pictures_are_refused(given: dict[str, list[object]]) -> None:
    with pytest.raises(SettingError, match="There are 2 images but"):
        benchmark.plan(["a"], "cpu", PICTURES, METHODS, **given)  # type: ignore[arg-type]


def test_a_plan_is_written_and_read_and_listed_by_its_kind() -> None:
    plan = benchmark.plan(["a"], "cpu", PICTURES, METHODS)
    assert plan_from_json(plan_to_json(plan)) == plan
    assert KINDS[plan.kind].facts(plan) == ("2 questions", "1 method")
