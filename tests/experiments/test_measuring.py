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
from decam.experiments.cells import CellKey
from decam.experiments.events import Event, Explained, Failed, Measured, Progressed
from decam.experiments.execute import execute
from decam.experiments.explain import explain_view
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, usual_metrics
from decam.experiments.status import CellState
from decam.explanation import Progress, Truth, last
from decam.methods import METHODS
from decam.metrics import METRICS, Case, Measurement
from decam.settings import Settings
from tests.tools.colours import LABELS, SIZE, brightness, views

NAMES = ("average-drop", "sparsity", "pointing-game", "seed-agreement")


class Counted:
    """Three classes by share of light; counts the pictures it is asked about."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, images: Tensor) -> Tensor:
        self.asked += len(images)
        return brightness(images)

    def classifier(self) -> FunctionClassifier:
        return wrap(self, labels=LABELS, input_size=SIZE)


def a_plan(count: int = 1, *metrics: str | MetricChoice) -> Plan:
    methods = [MethodChoice.default(name) for name in ("random", "centre")]
    chosen = [MetricChoice.default(name) if isinstance(name, str) else name for name in metrics or NAMES]
    pictures = [PictureChoice(f"{number}.png") for number in range(count)]
    whole = (*usual_metrics((("mean", "blur"),), 4), *chosen)
    return comparison.plan("colours", "cpu", pictures, methods, metrics=whole)


def executed(
    classifier: FunctionClassifier, pictures: list[np.ndarray], plan: Plan, truths: tuple[Truth | None, ...] = ()
) -> Generator[Event, None, Grid]:
    return execute(Grid.empty(plan, pictures, truths), lambda _: classifier)


def measured(events: list[Event]) -> dict[tuple[CellKey, str], Measurement]:
    return {
        (key, measurement.metric): measurement
        for event in events
        if isinstance(event, Measured)
        for key, measurement in event.measurements.items()
    }


TRUTH = np.zeros(SIZE, bool)
TRUTH[8:16, 8:16] = True


def test_values_are_those_of_the_python_interface() -> None:
    classifier, pictures, plan = Counted().classifier(), views(2), a_plan(2)
    events = list(executed(classifier, pictures, plan, (TRUTH, ~TRUTH)))
    found = measured(events)
    for place, explanation in [(event.cell, event.explanation) for event in events if isinstance(event, Explained)]:
        truth = (TRUTH, ~TRUTH)[place.question]
        alone = measure(classifier, pictures[place.question], explanation, metrics=NAMES, truth=truth)
        for name in NAMES:
            np.testing.assert_allclose(found[place, name].value, alone[name], atol=1e-6)


def test_what_needs_the_truth_says_so_where_there_is_none_and_the_others_go_on() -> None:
    events = list(executed(Counted().classifier(), views(2), a_plan(2), (None, TRUTH)))
    found = measured(events)
    nothing = found[CellKey(0, 0), "pointing-game"]
    assert math.isnan(nothing.value) and "needs the ground truth" in nothing.note
    assert found[CellKey(1, 1), "pointing-game"] == Measurement("pointing-game", 1.0)
    assert not math.isnan(found[CellKey(0, 0), "sparsity"].value)
    assert not [event for event in events if isinstance(event, Failed)]


def test_maps_on_the_way_are_measured_as_soon_as_a_map_is_finished_and_later_alike() -> None:
    methods, pictures = [MethodChoice.default("rise", budget=200)], views(1)
    way = MetricChoice.default("anytime-insertion", steps=4, points=3)
    plain = comparison.plan("colours", "cpu", [PictureChoice("0.png")], methods)
    asking = dataclasses.replace(plain, metrics=(way,))
    at_once = last(executed(Counted().classifier(), pictures, asking)).cells[CellKey(0, 0)]
    grid = Grid.empty(plain, pictures)
    for event in executed(Counted().classifier(), pictures, plain):
        grid = grid.after(event)
    later = last(execute(grid.settled().with_plan(asking), lambda _: Counted().classifier())).cells[CellKey(0, 0)]
    one, other = at_once.measurements[way.key].curve, later.measurements[way.key].curve
    assert one is not None and other is not None and len(one.shares) == 3
    np.testing.assert_array_equal(one.shares, other.shares)
    np.testing.assert_array_equal(one.values, other.values)
    assert at_once.evaluations == later.evaluations == 200, "measuring is counted apart"


def test_only_what_is_missing_is_asked() -> None:
    plan, pictures = a_plan(1, "average-drop", "sparsity"), views(1)
    whole = last(executed(Counted().classifier(), pictures, plan))
    key = next(choice.key for choice in plan.metrics if choice.name == "average-drop")
    cell = whole.cells[CellKey(0, 1)]
    kept = {name: one for name, one in cell.measurements.items() if name != key}
    cells = {**whole.cells, CellKey(0, 1): dataclasses.replace(cell, measurements=kept)}
    counted = Counted()
    events = list(execute(dataclasses.replace(whole, cells=cells), lambda _: counted.classifier()))
    assert list(measured(events)) == [(CellKey(0, 1), "average-drop")]
    assert counted.asked == METRICS["average-drop"].cost(METRICS["average-drop"].settings())


def test_metrics_of_the_same_curve_ask_the_model_once() -> None:
    def asked(*metrics: MetricChoice) -> int:
        counted = Counted()
        plan = dataclasses.replace(a_plan(), metrics=(*usual_metrics((("mean", "blur"),), 4), *metrics))
        assert not [event for event in executed(counted.classifier(), views(1), plan) if isinstance(event, Failed)]
        return counted.asked

    same = MetricChoice.default("deletion-correlation", steps=4, fill="mean")
    other = MetricChoice.default("deletion-correlation", steps=4, fill="black")
    assert asked(same) == asked()
    assert asked(other) == asked() + 2 * 5


def test_a_metric_is_asked_twice_with_other_settings() -> None:
    few, many = (MetricChoice.default("road", levels=levels) for levels in (3, 9))
    plan = a_plan(1, few, many)
    grid = last(executed(Counted().classifier(), views(1), plan))
    for cell in grid.cells.values():
        assert len(cell.measurements[few.key].curve.shares) == 3
        assert len(cell.measurements[many.key].curve.shares) == 9


@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_the_value_of_a_metric_with_an_area_is_the_area_under_its_curve(name: str) -> None:
    grid = last(executed(Counted().classifier(), views(1), a_plan(1, MetricChoice.default(name, steps=9))))
    for cell in grid.cells.values():
        for measurement in cell.measurements.values():
            values, shares = measurement.curve.values, measurement.curve.shares
            by_hand = sum((values[1:] + values[:-1]) / 2 * np.diff(shares))
            assert measurement.value == pytest.approx(by_hand, abs=1e-6)


def test_road_and_iou_keep_curves_that_their_values_can_be_read_from() -> None:
    grid = last(executed(Counted().classifier(), views(1), a_plan(1, "road", "iou"), (TRUTH,)))
    for cell in grid.cells.values():
        by_name = {one.metric: one for one in cell.measurements.values()}
        assert by_name["road"].value == pytest.approx(by_name["road"].curve.values.mean(), abs=1e-6)
        assert by_name["iou"].value == pytest.approx(by_name["iou"].curve.values.max(), abs=1e-6)
        assert by_name["iou"].curve.top is None


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
    events = list(executed(Counted().classifier(), [view], a_plan(1, "average-drop", "sparsity")))
    found = measured(events)
    nothing = found[CellKey(0, 1), "average-drop"]
    assert math.isnan(nothing.value) and "failed unexpectedly (ZeroDivisionError)" in nothing.note
    assert not math.isnan(found[CellKey(0, 0), "average-drop"].value)
    assert not math.isnan(found[CellKey(0, 1), "sparsity"].value)
    assert not [event for event in events if isinstance(event, Failed)]


def test_progress_of_all_parts_together_never_goes_back() -> None:
    events = list(executed(Counted().classifier(), views(1), a_plan(), (TRUTH,)))
    measuring = [event for event in events if isinstance(event, Progressed) and event.stage is CellState.MEASURING]
    shares = [event.progress.step / event.progress.total for event in measuring]
    assert shares == sorted(shares)
    assert shares[0] >= 0 and shares[-1] <= 1


def test_closing_while_metrics_are_measured_cancels() -> None:
    counted = Counted()
    events = executed(counted.classifier(), views(1), a_plan(1, "infidelity"))
    for event in events:
        if isinstance(event, Measured):
            break
    next(events)
    events.close()
    before = counted.asked
    assert next(events, None) is None
    assert counted.asked == before
    assert torch.is_grad_enabled()
