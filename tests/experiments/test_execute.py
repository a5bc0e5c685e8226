"""A plan is executed once, in the order promised, whatever fails on the way."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from decam.classifier import FunctionClassifier, wrap
from decam.errors import MethodError, SettingError
from decam.experiments.cells import Cell, CellKey
from decam.experiments.evaluate import curves_view
from decam.experiments.events import Event, Explained, Failed, Measured, Predicted, Progressed
from decam.experiments.execute import execute
from decam.experiments.explain import explain_view
from decam.experiments.grid import Grid
from decam.experiments.kinds import comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan, usual_metrics
from decam.experiments.status import CellState
from decam.explanation import Progress, last
from decam.methods import METHODS
from decam.metrics import FaithfulnessSettings
from tests.tools.colours import LABELS, SIZE, brightness, views


def a_classifier(function: Callable[[Tensor], Tensor] = brightness, batch_size: int = 16) -> FunctionClassifier:
    return wrap(function, labels=LABELS, input_size=SIZE, batch_size=batch_size)


def a_plan(count: int, *methods: str | MethodChoice, **changes: Any) -> Plan:
    chosen = [MethodChoice.default(name) if isinstance(name, str) else name for name in methods]
    pictures = [PictureChoice(f"{n}.png") for n in range(count)]
    options = {"metrics": usual_metrics(steps=6)} | changes
    return comparison.plan("colours", "cpu", pictures, chosen, **options)


def executed(
    classifier: FunctionClassifier, pictures: Sequence[np.ndarray], plan: Plan, **options: Any
) -> Iterator[Event]:
    return execute(Grid.empty(plan, pictures), lambda _: classifier, **options)


def grown(classifier: FunctionClassifier, pictures: Sequence[np.ndarray], plan: Plan) -> Grid:
    return last(execute(Grid.empty(plan, pictures), lambda _: classifier))


def rise(masks: int) -> MethodChoice:
    return MethodChoice("rise", METHODS["rise"].settings.from_mapping({"budget": masks}))


@pytest.fixture
def break_random(monkeypatch: pytest.MonkeyPatch) -> Callable[[Exception], None]:
    """Make the random map raise an error after one event."""

    def spoil(error: Exception) -> None:
        def run(*_: object) -> Iterator[Progress]:
            yield Progress(0, 1, 0)
            raise error

        monkeypatch.setitem(METHODS, "random", dataclasses.replace(METHODS["random"], run=run))

    return spoil


def only(events: Sequence[Event], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def measured(events: Sequence[Event]) -> list[tuple[CellKey, str]]:
    return [(key, event.metric) for event in only(events, Measured) for key in event.measurements]


def test_every_cell_is_explained_once_and_measured_once_by_every_metric() -> None:
    plan = a_plan(3, "random", rise(100), "centre")
    events = list(executed(a_classifier(), views(3), plan))
    keys = [CellKey(question, method) for question in range(3) for method in range(3)]
    assert [event.question for event in only(events, Predicted)] == [0, 1, 2]
    assert sorted(event.cell for event in only(events, Explained)) == keys
    assert sorted(measured(events)) == sorted((key, choice.key) for key in keys for choice in plan.metrics)
    assert not only(events, Failed)


def test_the_grid_of_a_finished_plan_is_complete_and_the_one_that_its_events_add_up_to() -> None:
    plan, pictures = a_plan(2, "random", "centre"), views(2)
    rebuilt = Grid.empty(plan, pictures)
    steps = executed(a_classifier(), pictures, plan)
    while True:
        try:
            rebuilt = rebuilt.after(next(steps))
        except StopIteration as end:
            whole = end.value
            break
    assert rebuilt.complete and whole.complete
    for key, cell in whole.cells.items():
        assert cell.state is rebuilt.cells[key].state is CellState.DONE
        assert cell.explanation is rebuilt.cells[key].explanation
        assert dict(cell.measurements) == dict(rebuilt.cells[key].measurements)
    maps = sum(cell.explanation.evaluations for cell in whole.cells.values())
    assert rebuilt.evaluations == whole.evaluations == 2 + maps + whole.metric_evaluations


def test_maps_and_curves_are_those_of_the_python_interface() -> None:
    classifier, pictures, plan = a_classifier(), views(2), a_plan(2, "random", rise(100), seed=7)
    grid = grown(classifier, pictures, plan)
    for key, cell in grid.cells.items():
        choice, view = plan.methods[key.method], pictures[key.question]
        alone = last(explain_view(classifier, view, choice.name, choice.settings, None, plan.seed))
        np.testing.assert_array_equal(cell.explanation.saliency, alone.saliency)
        assert cell.explanation.target == alone.target == key.question % 3
        assert cell.explanation.probability == alone.probability
        for metric in plan.metrics:
            settings = FaithfulnessSettings(steps=6, fill=metric.settings.fill)
            (by_itself,) = last(curves_view(classifier, view, [alone.saliency], alone.target, metric.name, settings))
            found = cell.measurements[metric.key]
            np.testing.assert_allclose(found.curve.values, by_itself.curve.values, atol=1e-6)
            assert found.value == pytest.approx(by_itself.value)


def test_the_clean_picture_is_asked_once_a_question_however_many_methods_there_are() -> None:
    asked: list[Tensor] = []

    def watched(images: Tensor) -> Tensor:
        asked.extend(images.clone())
        return brightness(images)

    pictures = views(2)
    list(executed(a_classifier(watched), pictures, a_plan(2, "random", "centre", "edges", metrics=())))
    for view in pictures:
        clean = torch.from_numpy(view.copy()).permute(2, 0, 1) / 255
        assert sum(torch.allclose(image, clean) for image in asked) == 1


def test_cheap_maps_come_first_then_costly_ones_with_their_curves_picture_by_picture() -> None:
    plan = a_plan(2, rise(100), "random", "centre")
    events = list(executed(a_classifier(), views(2), plan))
    order: list[tuple[str, int, int]] = []
    for event in events:
        if isinstance(event, Explained):
            order.append(("Explained", event.cell.question, event.cell.method))
        if isinstance(event, Measured):
            order += [("Measured", key.question, key.method) for key in event.measurements]
    seen = list(dict.fromkeys(order))
    made, drawn = "Explained", "Measured"
    assert seen == [
        *[(made, 0, 1), (made, 0, 2), (made, 1, 1), (made, 1, 2)],
        *[(made, 0, 0), (drawn, 0, 0), (drawn, 0, 1), (drawn, 0, 2)],
        *[(made, 1, 0), (drawn, 1, 0), (drawn, 1, 1), (drawn, 1, 2)],
    ]


def test_predictions_come_in_batches_no_larger_than_the_classifiers() -> None:
    asked: list[int] = []

    def watched(images: Tensor) -> Tensor:
        asked.append(len(images))
        return brightness(images)

    events = executed(a_classifier(watched, batch_size=3), views(7), a_plan(7, "random"))
    predicted = [next(events) for _ in range(7)]
    events.close()
    assert asked == [3, 3, 1]
    assert [int(event.probabilities.argmax()) for event in only(predicted, Predicted)] == [0, 1, 2, 0, 1, 2, 0]


def test_a_chosen_target_is_asked_about_and_none_means_the_prediction() -> None:
    plan = a_plan(2, "random", targets=[None, 2])
    events = list(executed(a_classifier(), views(2), plan))
    assert [event.explanation.target for event in only(events, Explained)] == [0, 2]
    insertion = plan.metrics[1].key
    blue = next(
        event for event in only(events, Measured) if event.metric == insertion and CellKey(1, 0) in event.measurements
    )
    shown = blue.measurements[CellKey(1, 0)].curve.values[-1]
    assert shown == pytest.approx(only(events, Predicted)[1].probabilities[2], abs=1e-6)


def test_a_failing_method_says_why_and_the_others_go_on(break_random: Callable[[Exception], None]) -> None:
    break_random(MethodError("No random numbers today; try tomorrow."))
    events = list(executed(a_classifier(), views(2), a_plan(2, "random", "centre")))
    assert [(event.cell, event.sentence) for event in only(events, Failed)] == [
        (CellKey(picture, 0), "No random numbers today; try tomorrow.") for picture in range(2)
    ]
    assert {key for key, _ in measured(events)} == {CellKey(0, 1), CellKey(1, 1)}


def test_an_unexpected_error_is_one_plain_sentence_and_a_traceback_in_the_log(
    break_random: Callable[[Exception], None], caplog: pytest.LogCaptureFixture
) -> None:
    break_random(KeyError("secret detail"))
    with caplog.at_level(logging.ERROR):
        events = list(executed(a_classifier(), views(1), a_plan(1, "random", "centre")))
    (failed,) = only(events, Failed)
    assert "secret" not in failed.sentence
    assert "failed unexpectedly (KeyError)" in failed.sentence
    assert "secret detail" in caplog.text
    assert only(events, Explained)


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_running_out_of_memory_is_called_by_its_name(
    break_random: Callable[[Exception], None], error: Exception
) -> None:
    break_random(error)
    (failed,) = only(list(executed(a_classifier(), views(1), a_plan(1, "random"))), Failed)
    assert "did not fit into memory" in failed.sentence


def test_a_method_that_the_classifier_cannot_serve_fails_alone() -> None:
    events = list(executed(a_classifier(), views(1), a_plan(1, "grad-cam", "centre")))
    (failed,) = only(events, Failed)
    assert failed.cell == CellKey(0, 0)
    assert failed.sentence == METHODS["grad-cam"].obstacle(a_classifier())


def test_a_target_that_does_not_exist_fails_that_picture_alone() -> None:
    plan = a_plan(2, "random", targets=[3, None])
    events = list(executed(a_classifier(), views(2), plan))
    assert [event.cell for event in only(events, Failed)] == [CellKey(0, 0)]
    assert {key for key, _ in measured(events)} == {CellKey(1, 0)}


def test_a_picture_that_cannot_be_predicted_fails_alone() -> None:
    pictures = views(3)
    pictures[1] = np.zeros((5, 5, 3), dtype=np.uint8)
    events = list(executed(a_classifier(), pictures, a_plan(3, "random", "centre")))
    assert [event.question for event in only(events, Predicted)] == [0, 2]
    failed = only(events, Failed)
    assert [event.cell for event in failed] == [CellKey(1, 0), CellKey(1, 1)]
    assert "5" in failed[0].sentence
    assert len(only(events, Explained)) == 4


def test_one_map_that_cannot_be_measured_says_so_and_costs_the_others_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def squared(*_: object) -> Iterator[Progress]:
        yield Progress(0, 1, 0)
        return np.ones((3, 3), dtype=np.float32)

    monkeypatch.setitem(METHODS, "random", dataclasses.replace(METHODS["random"], run=squared))
    plan = a_plan(1, "centre", "random", "occlusion")
    grid = grown(a_classifier(), views(1), plan)
    assert {cell.state for cell in grid.cells.values()} == {CellState.DONE}
    for key, cell in grid.cells.items():
        for measurement in cell.measurements.values():
            assert measurement.failed == (key.method == 1)
            assert ("has shape (3, 3)" in measurement.note) == (key.method == 1)


def without(grid: Grid, key: CellKey, *metrics: str) -> Grid:
    """The grid as if some measurements of a map, or without any named the map itself, had not been made yet."""
    cell = grid.cells[key]
    kept = {name: one for name, one in cell.measurements.items() if name not in metrics}
    changed = dataclasses.replace(cell, measurements=kept, state=CellState.STOPPED) if metrics else Cell()
    return dataclasses.replace(grid, cells={**grid.cells, key: changed})


def test_what_is_finished_is_not_done_again() -> None:
    classifier, pictures = a_classifier(), views(2)
    plan = a_plan(2, "random", rise(100))
    whole = grown(classifier, pictures, plan)
    assert list(execute(whole, lambda _: classifier)) == []

    missing, unmeasured = CellKey(1, 1), plan.metrics[1].key
    most = without(without(whole, missing), CellKey(0, 0), unmeasured)
    most = dataclasses.replace(most, predictions=(most.predictions[0], None))
    again = list(execute(most, lambda _: classifier))
    assert [event.question for event in only(again, Predicted)] == [1]
    assert [event.cell for event in only(again, Explained)] == [missing]
    made = only(again, Explained)[0].explanation
    np.testing.assert_array_equal(made.saliency, whole.cells[missing].explanation.saliency)
    expected = {(CellKey(0, 0), unmeasured), *((missing, choice.key) for choice in plan.metrics)}
    assert set(measured(again)) == expected


def test_a_model_whose_questions_are_all_answered_is_not_loaded() -> None:
    whole = grown(a_classifier(), views(1), a_plan(1, "random"))

    def load(_: object) -> FunctionClassifier:
        raise AssertionError("Nothing is missing.")

    assert list(execute(whole, load)) == []


def test_without_maps_only_measurements_of_the_maps_there_are_made() -> None:
    plan = a_plan(1, "random", "centre", metrics=usual_metrics((("black", "noise"),), 6))
    whole = grown(a_classifier(), views(1), plan)
    first = without(without(whole, CellKey(0, 1)), CellKey(0, 0), *(choice.key for choice in plan.metrics))
    again = list(execute(first, lambda _: a_classifier(), maps=False))
    assert {type(event) for event in again} == {Progressed, Measured}
    assert {key for key, _ in measured(again)} == {CellKey(0, 0)}


def test_a_measurement_that_failed_is_made_again_when_maps_are_and_kept_otherwise() -> None:
    plan = a_plan(1, "random", metrics=(MetricChoice.default("sparsity"),))
    whole = grown(a_classifier(), views(1), plan)
    key = plan.metrics[0].key
    cell = whole.cells[CellKey(0, 0)]
    broken = dataclasses.replace(cell.measurements[key], value=float("nan"), failed=True)
    grid = dataclasses.replace(whole, cells={CellKey(0, 0): dataclasses.replace(cell, measurements={key: broken})})
    assert grid.waiting(maps=False).complete
    again = last(execute(grid.waiting(maps=True), lambda _: a_classifier()))
    assert again.cells[CellKey(0, 0)].measurements[key] == cell.measurements[key]


def test_progress_of_measuring_never_goes_back_and_ends_whole() -> None:
    events = list(executed(a_classifier(batch_size=4), views(1), a_plan(1, "random", "centre")))
    measuring = [event for event in only(events, Progressed) if event.stage is CellState.MEASURING]
    shares = [event.progress.step / event.progress.total for event in measuring if event.cell.method == 0]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 8


def test_closing_closes_what_is_running(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []

    def endless(*_: object) -> Iterator[Progress]:
        try:
            while True:
                yield Progress(0, 1, 0)
        finally:
            closed.append(True)

    monkeypatch.setitem(METHODS, "random", dataclasses.replace(METHODS["random"], run=endless))
    events = executed(a_classifier(), views(1), a_plan(1, "random"))
    while not isinstance(next(events), Progressed):
        pass
    events.close()
    assert closed == [True]


def test_views_must_be_as_many_as_pictures() -> None:
    with pytest.raises(SettingError, match="names 2 images, but 1 views"):
        next(executed(a_classifier(), views(1), a_plan(2, "random")))
