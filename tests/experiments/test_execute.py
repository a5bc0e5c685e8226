"""A comparison does everything once, in the order promised, whatever fails on the way."""

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
from decam.experiments.evaluate import curves_view
from decam.experiments.events import (
    Cell,
    Event,
    Explained,
    Explaining,
    Failed,
    Finished,
    Measured,
    Measuring,
    Predicted,
)
from decam.experiments.execute import compare
from decam.experiments.explain import explain_view
from decam.experiments.plan import MethodChoice, PictureChoice, Plan
from decam.explanation import Progress, last
from decam.methods import METHODS
from decam.metrics import FaithfulnessSettings

SIZE = (24, 24)


def brightness(images: Tensor) -> Tensor:
    """Three classes: red, green and blue, by share of all light."""
    light = images.mean(dim=(2, 3)) + 1e-3
    return light / light.sum(dim=1, keepdim=True)


def a_classifier(function: Callable[[Tensor], Tensor] = brightness, batch_size: int = 16) -> FunctionClassifier:
    return wrap(function, labels=["red", "green", "blue"], input_size=SIZE, batch_size=batch_size)


def views(count: int) -> list[np.ndarray]:
    """Pictures whose brightest channel is red, green, blue, red, …"""
    drawn = np.random.default_rng(1).integers(0, 100, (count, *SIZE, 3), dtype=np.uint8)
    for number, view in enumerate(drawn):
        view[:, :, number % 3] += 120
    return list(drawn)


def a_plan(count: int, *methods: str | MethodChoice, **changes: Any) -> Plan:
    chosen = [MethodChoice.default(name) if isinstance(name, str) else name for name in methods]
    plan = Plan("colours", "cpu", tuple(PictureChoice(f"{n}.png") for n in range(count)), tuple(chosen), steps=6)
    return dataclasses.replace(plan, **changes)


def rise(masks: int) -> MethodChoice:
    return MethodChoice("rise", METHODS["rise"].settings.from_mapping({"masks": masks}))


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


def test_every_cell_is_explained_and_measured_with_every_pair_once() -> None:
    plan = a_plan(3, "random", rise(100), "centre")
    events = list(compare(a_classifier(), views(3), plan))
    cells = {Cell(picture, method) for picture in range(3) for method in range(3)}
    assert [event.picture for event in only(events, Predicted)] == [0, 1, 2]
    assert sorted(event.cell for event in only(events, Explained)) == sorted(cells)
    measured = [(event.cell, event.fills) for event in only(events, Measured)]
    assert sorted(measured) == sorted((cell, pair) for cell in cells for pair in plan.fills)
    assert not only(events, Failed)
    for event in only(events, Measured):
        assert (event.deletion.metric, event.deletion.fill) == ("deletion", event.fills[0])
        assert (event.insertion.metric, event.insertion.fill) == ("insertion", event.fills[1])


def test_maps_and_curves_are_those_of_the_python_interface() -> None:
    classifier, pictures, plan = a_classifier(), views(2), a_plan(2, "random", rise(100), seed=7)
    events = list(compare(classifier, pictures, plan))
    for event in only(events, Explained):
        choice = plan.methods[event.cell.method]
        alone = last(
            explain_view(classifier, pictures[event.cell.picture], choice.name, choice.settings, None, plan.seed)
        )
        np.testing.assert_array_equal(event.explanation.saliency, alone.saliency)
        assert event.explanation.target == alone.target == event.cell.picture % 3
    maps = {event.cell: event.explanation for event in only(events, Explained)}
    for event in only(events, Measured):
        explanation, view = maps[event.cell], pictures[event.cell.picture]
        for curve in (event.deletion, event.insertion):
            settings = FaithfulnessSettings(steps=6, fill=curve.fill)
            (alone,) = last(
                curves_view(classifier, view, [explanation.saliency], explanation.target, curve.metric, settings)
            )
            assert alone.curve is not None
            np.testing.assert_allclose(curve.probabilities, alone.curve.probabilities, atol=1e-6)
            assert curve.auc == pytest.approx(alone.value)


def test_cheap_maps_come_first_then_costly_ones_with_their_curves_picture_by_picture() -> None:
    plan = a_plan(2, rise(100), "random", "centre")
    events = list(compare(a_classifier(), views(2), plan))
    order = [(type(e).__name__, e.cell.picture, e.cell.method) for e in events if isinstance(e, Explained | Measured)]
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

    events = compare(a_classifier(watched, batch_size=3), views(7), a_plan(7, "random"))
    predicted = [next(events) for _ in range(7)]
    events.close()
    assert asked == [3, 3, 1]
    assert [int(event.probabilities.argmax()) for event in only(predicted, Predicted)] == [0, 1, 2, 0, 1, 2, 0]


def test_a_chosen_target_is_asked_about_and_none_means_the_prediction() -> None:
    plan = a_plan(2, "random", pictures=(PictureChoice("a"), PictureChoice("b", target=2)))
    events = list(compare(a_classifier(), views(2), plan))
    assert [event.explanation.target for event in only(events, Explained)] == [0, 2]
    blue = only(events, Measured)[-1]
    assert blue.insertion.probabilities[-1] == pytest.approx(only(events, Predicted)[1].probabilities[2], abs=1e-6)


def test_a_failing_method_says_why_and_the_others_go_on(break_random: Callable[[Exception], None]) -> None:
    break_random(MethodError("No random numbers today; try tomorrow."))
    events = list(compare(a_classifier(), views(2), a_plan(2, "random", "centre")))
    assert [(event.cell, event.sentence) for event in only(events, Failed)] == [
        (Cell(picture, 0), "No random numbers today; try tomorrow.") for picture in range(2)
    ]
    assert {event.cell for event in only(events, Measured)} == {Cell(0, 1), Cell(1, 1)}


def test_an_unexpected_error_is_one_plain_sentence_and_a_traceback_in_the_log(
    break_random: Callable[[Exception], None], caplog: pytest.LogCaptureFixture
) -> None:
    break_random(KeyError("secret detail"))
    with caplog.at_level(logging.ERROR):
        events = list(compare(a_classifier(), views(1), a_plan(1, "random", "centre")))
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
    (failed,) = only(list(compare(a_classifier(), views(1), a_plan(1, "random"))), Failed)
    assert "did not fit into memory" in failed.sentence


def test_a_method_that_the_classifier_cannot_serve_fails_alone() -> None:
    events = list(compare(a_classifier(), views(1), a_plan(1, "grad-cam", "centre")))
    (failed,) = only(events, Failed)
    assert failed.cell == Cell(0, 0)
    assert failed.sentence == METHODS["grad-cam"].obstacle(a_classifier())


def test_a_target_that_does_not_exist_fails_that_picture_alone() -> None:
    plan = a_plan(2, "random", pictures=(PictureChoice("a", target=3), PictureChoice("b")))
    events = list(compare(a_classifier(), views(2), plan))
    assert [event.cell for event in only(events, Failed)] == [Cell(0, 0)]
    assert {event.cell for event in only(events, Measured)} == {Cell(1, 0)}


def test_a_picture_that_cannot_be_predicted_fails_alone() -> None:
    pictures = views(3)
    pictures[1] = np.zeros((5, 5, 3), dtype=np.uint8)
    events = list(compare(a_classifier(), pictures, a_plan(3, "random", "centre")))
    assert [event.picture for event in only(events, Predicted)] == [0, 2]
    failed = only(events, Failed)
    assert [event.cell for event in failed] == [Cell(1, 0), Cell(1, 1)]
    assert "5" in failed[0].sentence
    assert len(only(events, Explained)) == 4


def test_one_map_that_cannot_be_measured_does_not_cost_the_others_their_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    def squared(*_: object) -> Iterator[Progress]:
        yield Progress(0, 1, 0)
        return np.ones((3, 3), dtype=np.float32)

    monkeypatch.setitem(METHODS, "random", dataclasses.replace(METHODS["random"], run=squared))
    events = list(compare(a_classifier(), views(1), a_plan(1, "centre", "random", "occlusion")))
    assert [event.cell for event in only(events, Failed)] == [Cell(0, 1)]
    assert {event.cell for event in only(events, Explained)} == {Cell(0, 0), Cell(0, 1), Cell(0, 2)}
    measured = [(event.cell.method, event.fills) for event in only(events, Measured)]
    assert sorted(measured) == sorted((m, pair) for m in (0, 2) for pair in (("mean", "blur"), ("blur", "mean")))


def test_what_is_finished_is_not_done_again() -> None:
    classifier, pictures = a_classifier(), views(2)
    plan = a_plan(2, "random", rise(100))
    events = list(compare(classifier, pictures, plan))
    maps = {event.cell: event.explanation for event in only(events, Explained)}
    everything = Finished(
        predictions={0: 0, 1: 1}, explanations=maps, measured={cell: set(plan.fills) for cell in maps}
    )
    assert list(compare(classifier, pictures, plan, everything)) == []

    missing = Cell(1, 1)
    most = Finished(
        predictions={0: 0},
        explanations={cell: explanation for cell, explanation in maps.items() if cell != missing},
        measured={cell: {plan.fills[0]} if cell == Cell(0, 0) else set(plan.fills) for cell in maps if cell != missing},
    )
    again = list(compare(classifier, pictures, plan, most))
    assert [event.picture for event in only(again, Predicted)] == [1]
    assert [event.cell for event in only(again, Explained)] == [missing]
    np.testing.assert_array_equal(only(again, Explained)[0].explanation.saliency, maps[missing].saliency)
    drawn = {(event.cell, event.fills) for event in only(again, Measured)}
    assert drawn == {(Cell(0, 0), plan.fills[1]), *((missing, pair) for pair in plan.fills)}


def test_without_missing_maps_only_curves_of_the_maps_there_are_drawn() -> None:
    plan = a_plan(1, "random", "centre", fills=(("black", "noise"),))
    events = list(compare(a_classifier(), views(1), plan))
    first = {event.cell: event.explanation for event in only(events, Explained) if event.cell == Cell(0, 0)}
    again = list(compare(a_classifier(), views(1), plan, Finished({0: 0}, first, {}), missing_maps=False))
    assert {type(event) for event in again} == {Measuring, Measured}
    assert {event.cell for event in again if isinstance(event, Measured)} == {Cell(0, 0)}


def test_progress_of_measuring_never_goes_back_and_ends_whole() -> None:
    events = list(compare(a_classifier(batch_size=4), views(1), a_plan(1, "random", "centre")))
    shares = [event.progress.step / event.progress.total for event in only(events, Measuring) if event.cell.method == 0]
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
    events = compare(a_classifier(), views(1), a_plan(1, "random"))
    while not isinstance(next(events), Explaining):
        pass
    events.close()
    assert closed == [True]


def test_views_must_be_as_many_as_pictures() -> None:
    with pytest.raises(SettingError, match="names 2 pictures, but 1 views"):
        next(compare(a_classifier(), views(1), a_plan(2, "random")))
