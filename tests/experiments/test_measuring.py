"""The plan's metrics judge the maps of a picture together, once, whatever one of them does."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Generator

import numpy as np
import pytest
import torch
from torch import Tensor

from decam.api import measure
from decam.classifier import FunctionClassifier, wrap
from decam.experiments.events import Cell, Event, Explained, Failed, Finished, Judged, Judgement, Measured, Measuring
from decam.experiments.execute import compare
from decam.experiments.explain import explain_view
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan
from decam.explanation import Progress, last
from decam.methods import METHODS
from decam.metrics import METRICS, Case, Measurement
from decam.settings import Settings

SIZE = (24, 24)
NAMES = ("average-drop", "sparsity", "pointing-game", "seed-agreement")


class Counted:
    """Three classes by share of light; counts the pictures it is asked about."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, images: Tensor) -> Tensor:
        self.asked += len(images)
        light = images.mean(dim=(2, 3)) + 1e-3
        return light / light.sum(dim=1, keepdim=True)

    def classifier(self) -> FunctionClassifier:
        return wrap(self, labels=["red", "green", "blue"], input_size=SIZE)


def views(count: int) -> list[np.ndarray]:
    drawn = np.random.default_rng(1).integers(0, 100, (count, *SIZE, 3), dtype=np.uint8)
    for number, view in enumerate(drawn):
        view[:, :, number % 3] += 120
    return list(drawn)


def a_plan(count: int = 1, *metrics: str) -> Plan:
    methods = tuple(MethodChoice.default(name) for name in ("random", "centre"))
    chosen = tuple(MetricChoice.default(name) for name in metrics or NAMES)
    pictures = tuple(PictureChoice(f"{number}.png") for number in range(count))
    return Plan("colours", "cpu", pictures, methods, steps=4, fills=(("mean", "blur"),), metrics=chosen)


def judged(events: list[Event]) -> dict[tuple[Cell, str], Judgement]:
    return {
        (cell, event.metric): judgement
        for event in events
        if isinstance(event, Judged)
        for cell, judgement in event.judgements.items()
    }


TRUTH = np.zeros(SIZE, bool)
TRUTH[8:16, 8:16] = True


def test_values_are_those_of_the_python_interface() -> None:
    classifier, pictures, plan = Counted().classifier(), views(2), a_plan(2)
    events = list(compare(classifier, pictures, plan, truths=(TRUTH, ~TRUTH)))
    found = judged(events)
    for place, explanation in [(event.cell, event.explanation) for event in events if isinstance(event, Explained)]:
        truth = (TRUTH, ~TRUTH)[place.picture]
        alone = measure(classifier, pictures[place.picture], explanation, metrics=NAMES, truth=truth)
        for name in NAMES:
            np.testing.assert_allclose(found[place, name].value, alone[name], atol=1e-6)


def test_what_needs_the_truth_says_so_where_there_is_none_and_the_others_go_on() -> None:
    events = list(compare(Counted().classifier(), views(2), a_plan(2), truths=(None, TRUTH)))
    found = judged(events)
    nothing = found[Cell(0, 0), "pointing-game"]
    assert math.isnan(nothing.value) and "needs the ground truth" in nothing.note
    assert found[Cell(1, 1), "pointing-game"] == Judgement(1.0)
    assert not math.isnan(found[Cell(0, 0), "sparsity"].value)
    assert not [event for event in events if isinstance(event, Failed)]


def test_only_what_is_missing_is_asked() -> None:
    plan, pictures = a_plan(1, "average-drop", "sparsity"), views(1)
    maps = {
        Cell(0, place): last(explain_view(Counted().classifier(), pictures[0], choice.name, choice.settings, None, 0))
        for place, choice in enumerate(plan.methods)
    }
    finished = Finished(
        predictions={0: 0},
        explanations=maps,
        measured={cell: {plan.fills[0]} for cell in maps},
        judged={Cell(0, 0): {"average-drop", "sparsity"}, Cell(0, 1): {"sparsity"}},
    )
    counted = Counted()
    events = list(compare(counted.classifier(), pictures, plan, finished))
    assert list(judged(events)) == [(Cell(0, 1), "average-drop")]
    assert counted.asked == METRICS["average-drop"].cost(METRICS["average-drop"].settings())
    assert not [event for event in events if isinstance(event, Measured)]


def test_curves_and_metrics_of_the_same_settings_ask_the_model_once() -> None:
    def asked(*metrics: MetricChoice) -> int:
        counted = Counted()
        plan = dataclasses.replace(a_plan(), metrics=metrics)
        assert not [event for event in compare(counted.classifier(), views(1), plan) if isinstance(event, Failed)]
        return counted.asked

    row = METRICS["deletion-correlation"].settings
    same = MetricChoice("deletion-correlation", row.from_mapping({"steps": 4, "fill": "mean"}))
    other = MetricChoice("deletion-correlation", row.from_mapping({"steps": 4, "fill": "black"}))
    assert asked(same) == asked()
    assert asked(other) == asked() + 2 * 5


def test_a_metric_that_fails_costs_its_own_values_and_one_map_costs_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual, (view,) = METRICS["average-drop"].run, views(1)
    centre = last(explain_view(Counted().classifier(), view, "centre", METHODS["centre"].settings(), None, 0)).saliency

    def broken(case: Case, settings: Settings) -> Generator[Progress, None, tuple[Measurement, ...]]:
        if any(np.array_equal(saliency, centre) for saliency in case.maps):
            raise ZeroDivisionError
        return (yield from usual(case, settings))

    monkeypatch.setitem(METRICS, "average-drop", dataclasses.replace(METRICS["average-drop"], run=broken))
    events = list(compare(Counted().classifier(), [view], a_plan(1, "average-drop", "sparsity")))
    found = judged(events)
    nothing = found[Cell(0, 1), "average-drop"]
    assert math.isnan(nothing.value) and "failed unexpectedly (ZeroDivisionError)" in nothing.note
    assert not math.isnan(found[Cell(0, 0), "average-drop"].value)
    assert not math.isnan(found[Cell(0, 1), "sparsity"].value)
    assert not [event for event in events if isinstance(event, Failed)]


def test_progress_of_all_parts_together_never_goes_back() -> None:
    events = list(compare(Counted().classifier(), views(1), a_plan(), truths=(TRUTH,)))
    shares = [event.progress.step / event.progress.total for event in events if isinstance(event, Measuring)]
    assert shares == sorted(shares)
    assert shares[0] >= 0 and shares[-1] <= 1


def test_closing_while_metrics_are_measured_cancels() -> None:
    counted = Counted()
    events = compare(counted.classifier(), views(1), a_plan(1, "infidelity"))
    for event in events:
        if isinstance(event, Measured):
            break
    next(events)
    events.close()
    before = counted.asked
    assert next(events, None) is None
    assert counted.asked == before
    assert torch.is_grad_enabled()
