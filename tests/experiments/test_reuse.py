"""Two maps with one digest are one map; whatever changes a map changes its digest."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from decam.classifier import Execution
from decam.experiments import reuse
from decam.experiments.cells import CellKey
from decam.experiments.events import Explained, Predicted, Reused
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import class_maps
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, fingerprint
from decam.experiments.questions import ModelSpec, QuestionSpec, Variant
from decam.experiments.reuse import Earlier
from decam.explanation import last
from decam.metrics.resemblance import TO_REFERENCE
from tests.experiments.test_execute import a_classifier, a_plan
from tests.tools.colours import views

FIRST = CellKey(0, 0)
TRUTH_METRIC = MetricChoice.default("pointing-game")
BLIND = MetricChoice.default("deletion", steps=4, fill="mean")


def settled(*methods: str | MethodChoice, count: int = 1, truth: str = "", **changes: object) -> Plan:
    """A plan that says all that its maps are made from."""
    plan = a_plan(count, *methods, execution=Execution(), **changes)
    pictures = [PictureChoice(f"{n}.png", fingerprint(view), truth) for n, view in enumerate(views(count))]
    return dataclasses.replace(plan, pictures=tuple(pictures))


def asked_with(question: QuestionSpec, **changes: object) -> Plan:
    plan = settled("rise")
    return dataclasses.replace(plan, questions=(question,), **changes)


def test_names_of_pictures_metrics_and_the_place_in_the_grid_do_not_change_a_map() -> None:
    plan = settled("rise")
    named = dataclasses.replace(plan.pictures[0], name="another.png")
    elsewhere = settled("centre", "rise")
    assert reuse.made_from(plan, FIRST, 1) == reuse.made_from(dataclasses.replace(plan, pictures=(named,)), FIRST, 1)
    assert reuse.made_from(plan, FIRST, 1) == reuse.made_from(dataclasses.replace(plan, metrics=()), FIRST, 1)
    assert reuse.made_from(plan, FIRST, 1) == reuse.made_from(elsewhere, CellKey(0, 1), 1)


def test_a_class_that_was_named_and_the_same_class_predicted_are_one_question() -> None:
    assert reuse.made_from(settled("rise"), FIRST, 2) == reuse.made_from(settled("rise", targets=[2]), FIRST, 2)


def test_whatever_a_map_depends_on_changes_its_digest() -> None:
    spec = ModelSpec("colours")
    variant = dataclasses.replace(spec, variant=Variant("cascading", "head"))
    different = {
        "itself": settled("rise"),
        "method": settled("random"),
        "settings": settled(MethodChoice.default("rise", budget=64)),
        "seed": settled("rise", seed=1),
        "model": asked_with(QuestionSpec(ModelSpec("other"), 0)),
        "weights": asked_with(QuestionSpec(dataclasses.replace(spec, sha256="ab"), 0)),
        "variant": asked_with(QuestionSpec(variant, 0)),
        "stage": asked_with(QuestionSpec(ModelSpec("colours", Variant("cascading", "stem")), 0)),
        "picture": dataclasses.replace(settled("rise"), pictures=(PictureChoice("0.png", "ff"),)),
        "device": dataclasses.replace(settled("rise"), device="cuda"),
        **{
            f"execution {name}": dataclasses.replace(settled("rise"), execution=Execution(**{name: value}))
            for name, value in (
                ("precision", "bfloat16"),
                ("channels_last", True),
                ("batch_size", 2),
                ("parallel_batches", 2),
                ("engine", "cuda-graph"),
            )
        },
    }
    digests = {name: reuse.made_from(plan, FIRST, 1) for name, plan in different.items()}
    digests["class"] = reuse.made_from(settled("rise"), FIRST, 0)
    assert len(set(digests.values())) == len(digests), digests


def test_other_versions_make_other_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    before = reuse.made_from(settled("rise"), FIRST, 1)
    monkeypatch.setattr(reuse, "_versions", lambda: {"torch": "0.1"})
    assert reuse.made_from(settled("rise"), FIRST, 1) != before
    assert reuse.asked(settled("rise"), FIRST, 1) == reuse.asked(settled("rise"), FIRST, 1)


def test_maps_of_classes_are_told_apart_by_all_that_they_are_about() -> None:
    name = MethodChoice.default("activation-maximisation")
    plan = class_maps.plan(["embedded"], "cpu", [0, 1, (0, 1)], [name], seeds=(0, 1), execution=Execution())
    digests = [reuse.made_from(plan, key, plan.questions[key.question].target) for key in plan.cells()]
    assert len(set(digests)) == 6
    alone = class_maps.plan(["embedded"], "cpu", [1], [name], execution=Execution())
    assert reuse.made_from(alone, FIRST, 1) == digests[1]


def test_a_plan_that_leaves_something_open_has_no_digest() -> None:
    assert reuse.made_from(a_plan(1, "rise"), FIRST, 1) == ""
    assert reuse.made_from(a_plan(1, "rise", execution=Execution()), FIRST, 1) == ""


@pytest.mark.slow
def test_maps_that_are_there_are_taken_cost_nothing_and_are_those_that_would_be_made() -> None:
    classifier, pictures = a_classifier(), views(2)
    plan = settled("random", "rise", count=2, metrics=(BLIND,))
    whole = last(execute(Grid.empty(plan, pictures), lambda _: classifier))
    there = {
        reuse.made_from(plan, key, whole.target_of(key.question)): Earlier(cell)
        for key, cell in whole.cells.items()
        if key != CellKey(1, 1)
    }
    events = list(execute(Grid.empty(plan, pictures), lambda _: classifier, earlier=there.get))
    assert [event.cell for event in events if isinstance(event, Explained)] == [CellKey(1, 1)]
    assert sorted(event.cell for event in events if isinstance(event, Reused)) == [FIRST, CellKey(0, 1), CellKey(1, 0)]
    again = last(execute(Grid.empty(plan, pictures), lambda _: classifier, earlier=there.get))
    assert again.complete
    for key, cell in whole.cells.items():
        assert cell.explanation is not None and again.cells[key].explanation is not None
        np.testing.assert_array_equal(again.cells[key].explanation.saliency, cell.explanation.saliency)
        assert again.cells[key].evaluations == cell.evaluations, "what the map cost when it was made"
        assert {name: one.value for name, one in again.cells[key].measurements.items()} == {
            name: one.value for name, one in cell.measurements.items()
        }
    assert [key for key, cell in again.cells.items() if not cell.reused] == [CellKey(1, 1)]
    made = again.cells[CellKey(1, 1)]
    assert again.metric_evaluations == sum(one.evaluations for one in made.measurements.values()) == 5
    assert again.evaluations == 2 + made.evaluations + again.metric_evaluations
    assert sum(isinstance(event, Predicted) for event in events) == 2


@pytest.mark.parametrize("same", [True, False])
def test_what_was_measured_against_a_ground_truth_holds_for_that_ground_truth_alone(same: bool) -> None:
    plan = settled("random", truth="aa", metrics=(TRUTH_METRIC, BLIND))
    made = last(execute(Grid.empty(plan, views(1)), lambda _: a_classifier())).cells[FIRST]
    taken = reuse.carried(Grid.empty(plan, views(1)), FIRST, Earlier(made, "aa" if same else "bb"))
    assert set(taken.measurements) == ({TRUTH_METRIC.key, BLIND.key} if same else {BLIND.key})


def test_what_compares_with_other_maps_of_its_run_or_failed_is_measured_again() -> None:
    compared = [MetricChoice.default(row.name) for row in TO_REFERENCE.values()]
    plan = settled("random", metrics=(BLIND, *compared))
    made = last(execute(Grid.empty(plan, views(1)), lambda _: a_classifier())).cells[FIRST]
    one = made.measurements[BLIND.key]
    of_all = {choice.key: one for choice in plan.metrics}
    original = dataclasses.replace(plan, questions=(*plan.questions, QuestionSpec(ModelSpec("o"), 0, reference=0)))
    second, earlier = CellKey(1, 0), dataclasses.replace(made, measurements=of_all)
    assert set(reuse.carried(Grid.empty(original, views(1)), second, Earlier(earlier)).measurements) == {BLIND.key}
    broken = dataclasses.replace(made, measurements={BLIND.key: dataclasses.replace(one, failed=True)})
    assert not reuse.carried(Grid.empty(plan, views(1)), FIRST, Earlier(broken)).measurements
