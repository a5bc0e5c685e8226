"""A finished grid of every kind of plan, made up: no model is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from decam.experiments.cells import Cell
from decam.experiments.grid import Grid
from decam.experiments.kinds import benchmark, class_maps, comparison, randomisation
from decam.experiments.kinds.backdoors import BACKDOORS
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan
from decam.experiments.questions import ModelSpec, QuestionSpec, Variant
from decam.explanation import ClassExplanation, Explanation
from decam.metrics.base import Measurement
from tests.tools.classes import class_grid

SIDE = 16
CLASSES = tuple("abcdef")


def of_pictures(plan: Plan) -> Grid:
    """Maps of noise, each measured by all that the plan asks; a later method has higher values."""
    view = np.zeros((SIDE, SIDE, 3), np.uint8)
    rng = np.random.default_rng(0)
    cells = {}
    for key in plan.cells():
        choice = plan.methods[key.method]
        saliency = rng.random((SIDE, SIDE)).astype(np.float32)
        made = Explanation(choice.name, saliency, 0, "star", 0.9, choice.settings, plan.seed, 10, 0.1)
        value = 0.2 + 0.1 * key.method
        measured = {one.key: Measurement(one.name, value) for one in plan.metrics_for(key.question)}
        cells[key] = replace(Cell().explained(made), measurements=measured).evaluated(plan.metric_keys(key.question))
    return replace(Grid.empty(plan, [view] * len(plan.pictures), labels=("star", "ring")), cells=cells)


def a_comparison(metric: str = "insertion", name: str = "a.png") -> Grid:
    """Two methods and a control on one picture."""
    methods = [MethodChoice.default(one) for one in ("grad-cam", "rise", "random")]
    metrics = [MetricChoice.default(metric)]
    return of_pictures(comparison.plan("m", "cpu", [PictureChoice(name)], methods, metrics=metrics))


def a_benchmark() -> Grid:
    """Two methods on two pictures with two seeds."""
    methods = [MethodChoice.default(one) for one in ("grad-cam", "rise")]
    pictures = [PictureChoice("a.png"), PictureChoice("b.png")]
    metrics = [MetricChoice.default("deletion")]
    return of_pictures(benchmark.plan(["m"], "cpu", pictures, methods, seeds=[(0, 1)] * 2, metrics=metrics))


def a_check() -> Grid:
    """Two methods in a cascade of two stages."""
    variants = [Variant("cascading", name, share) for name, share in (("head", 0.1), ("stem", 1.0))]
    plan = Plan(
        kind=randomisation.RANDOMISATION,
        device="cpu",
        pictures=(PictureChoice("a.png"),),
        questions=(
            QuestionSpec(ModelSpec("m"), 0, 0),
            *(QuestionSpec(ModelSpec("m", variant), 0, 0, reference=0) for variant in variants),
        ),
        methods=tuple(MethodChoice.default(name) for name in ("grad-cam", "edges")),
        metrics=randomisation.similarities(),
    )
    return of_pictures(plan)


def a_search(odd: str = "c") -> Grid:
    """A search among six classes, of which one costs a tenth of the others."""
    choice = MethodChoice.default("smallest")
    plan = replace(class_maps.plan(["m"], "cpu", range(len(CLASSES)), [choice]), kind=BACKDOORS)
    labels = tuple(odd if label == "c" else label for label in CLASSES)
    zeros = np.zeros((3, SIDE, SIDE), np.float32)
    cells = {}
    for key in plan.cells():
        target = plan.questions[key.question].target
        assert target is not None
        cost = 0.5 if CLASSES[target] == "c" else 5.0
        made = ClassExplanation(
            choice.name, zeros[0], target, labels[target], 0.9, choice.settings, 0, 1, 0.1, map=zeros, baseline=0.1,
            control=0.1, norm=1.0, cost=cost,
        )  # fmt: skip
        cells[key] = Cell().explained(made).evaluated(())
    return replace(Grid.empty(plan, (), labels=labels), cells=cells)


FINISHED: dict[str, Callable[[], Grid]] = {
    comparison.COMPARISON: a_comparison,
    randomisation.RANDOMISATION: a_check,
    benchmark.BENCHMARK: a_benchmark,
    class_maps.CLASS_MAPS: class_grid,
    BACKDOORS: a_search,
}
"""By the names of the kinds."""
