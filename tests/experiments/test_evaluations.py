"""A grid counts every image that the model has answered: held against a model that counts for itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from torch import Tensor, nn

from decam.classifier import FunctionClassifier, TorchClassifier, wrap
from decam.errors import ModelError
from decam.experiments import reuse
from decam.experiments.cells import Cell, CellKey
from decam.experiments.evaluate import curves_view
from decam.experiments.events import Failed, Measured, Predicted, Spent
from decam.experiments.execute import execute
from decam.experiments.grid import Grid
from decam.experiments.kinds import class_maps, comparison
from decam.experiments.plan import MethodChoice, MetricChoice, PictureChoice, Plan
from decam.experiments.questions import ModelSpec, QuestionSpec, Variant
from decam.experiments.reuse import Earlier
from decam.experiments.status import CellState
from decam.explanation import Question, last, shared_out
from decam.methods import CLASS_METHODS, METHODS
from decam.metrics import METRICS, Case, Measurement
from decam.metrics.base import charged
from decam.metrics.evaluation import Request, evaluate
from tests.experiments.class_level import PULL
from tests.experiments.test_reuse import settled
from tests.tools import cases
from tests.tools.colours import LABELS, SIZE, brightness, views
from tests.tools.networks import small_classifier

ASKING = tuple(
    MetricChoice.default(name, **settings)
    for name, settings in (
        ("deletion", {"steps": 5}),
        ("deletion-correlation", {"steps": 5}),
        ("insertion", {"steps": 3}),
        ("road", {"levels": 2}),
        ("infidelity", {"samples": 11}),
        ("average-drop", {}),
        ("increase-in-confidence", {}),
        ("adcc", {}),
        ("max-sensitivity", {"samples": 2}),
        ("seed-agreement", {"seeds": 2}),
        ("consistency", {}),
        ("sparsity", {}),
        ("anytime-insertion", {"steps": 2, "points": 2}),
        ("control-similarity-ssim", {}),
    )
)
"""Metrics that ask in every way: curves that are shared, the image as it is, maps made again, and nothing at all."""


class Counting:
    """A model of three classes that counts the images it has answered; it refuses while `refuses`."""

    def __init__(self) -> None:
        self.answered = 0
        self.refuses = False

    def __call__(self, images: Tensor) -> Tensor:
        if self.refuses:
            raise ModelError("The model is out.")
        self.answered += len(images)
        return brightness(images)

    def classifier(self) -> FunctionClassifier:
        return wrap(self, labels=LABELS, input_size=SIZE, batch_size=6)


def rise(masks: int = 40) -> MethodChoice:
    return MethodChoice.default("rise", budget=masks)


def a_plan(count: int = 2, metrics: tuple[MetricChoice, ...] = ASKING, **changes: Any) -> Plan:
    pictures = [PictureChoice(f"{number}.png") for number in range(count)]
    methods = [rise(), MethodChoice.default("occlusion"), MethodChoice.default("random")]
    return comparison.plan("colours", "cpu", pictures, methods, metrics=metrics, **changes)


def done(model: Counting, plan: Plan, **options: Any) -> Grid:
    pictures = views(len(plan.pictures))
    return last(execute(Grid.empty(plan, pictures), lambda _: model.classifier(), **options))


def notes(grid: Grid) -> list[str]:
    return [one.note for cell in grid.cells.values() for one in cell.measurements.values() if one.failed]


@pytest.mark.slow
def test_a_comparison_counts_each_image_that_the_model_has_answered() -> None:
    model = Counting()
    grid = done(model, a_plan())
    assert grid.complete and not notes(grid)
    assert grid.evaluations == model.answered
    maps = sum(cell.explanation.evaluations for cell in grid.cells.values() if cell.explanation is not None)
    assert grid.metric_evaluations == model.answered - 2 - maps > 0
    assert grid.further == {}


@pytest.mark.parametrize("choice", ASKING, ids=lambda choice: choice.name)
def test_each_metric_alone_counts_what_it_asks(choice: MetricChoice) -> None:
    bare, model = Counting(), Counting()
    done(bare, a_plan(1, ()))
    grid = done(model, a_plan(1, (choice,)))
    assert grid.metric_evaluations == model.answered - bare.answered
    assert grid.evaluations == model.answered


def test_what_an_earlier_metric_has_asked_costs_a_later_one_nothing() -> None:
    first, same, other = (
        MetricChoice.default(name, steps=5, fill=fill)
        for name, fill in (("deletion", "mean"), ("deletion-correlation", "mean"), ("deletion-correlation", "black"))
    )
    (cell, *_) = done(Counting(), a_plan(1, (first, same, other))).cells.values()
    assert [cell.measurements[one.key].evaluations for one in (first, same, other)] == [6, 0, 6]


def test_what_is_asked_for_several_maps_together_is_shared_out_whole() -> None:
    squares = MetricChoice.default("infidelity", samples=10)
    grid = done(Counting(), a_plan(1, (squares,)))
    assert [cell.measurements[squares.key].evaluations for cell in grid.cells.values()] == [4, 4, 3]
    assert [shared_out(0, 2), shared_out(1, 2), shared_out(7, 3)] == [[0, 0], [1, 0], [3, 2, 2]]
    assert charged((), 0) == ()


@pytest.mark.slow
def test_a_randomisation_check_counts_its_variants_and_what_is_measured_of_them() -> None:
    model = Counting()
    variants = [ModelSpec("colours", Variant("cascading", stage, 0.5)) for stage in ("head", "stem")]
    questions = (
        QuestionSpec(ModelSpec("colours"), 0),
        *(QuestionSpec(spec, 0, reference=0) for spec in variants),
    )
    names = ("similarity-ssim", "similarity-spearman")
    metrics = (*ASKING, *(MetricChoice.default(name) for name in names))
    plan = dataclasses.replace(a_plan(1, metrics), kind="randomisation", questions=questions)
    grid = done(model, plan)
    assert grid.complete and not notes(grid)
    assert grid.evaluations == model.answered > 0


@pytest.mark.slow
def test_a_contrast_asks_about_the_image_once_more_and_not_once_a_method() -> None:
    model = Counting()
    events = execute(Grid.empty(a_plan(2, (), targets=[0, 1], against=[2, 0]), views(2)), lambda _: model.classifier())
    found = list(events)
    assert [(event.question, event.evaluations) for event in found if isinstance(event, Spent)] == [(0, 1), (1, 1)]
    again = Counting()
    grid = done(again, a_plan(2, targets=[0, 1], against=[2, 0]))
    assert grid.evaluations == again.answered and grid.further == {0: 1, 1: 1}


@pytest.mark.slow
def test_reused_maps_and_what_came_with_them_cost_nothing_and_what_is_still_measured_counts() -> None:
    model = Counting()
    few, more = ASKING[:3], ASKING[:9]
    before = done(model, settled(rise(), "occlusion", "random", count=2, metrics=few))
    plan = settled(rise(), "occlusion", "random", count=2, metrics=more)
    there = {
        reuse.made_from(plan, key, before.target_of(key.question)): Earlier(cell)
        for key, cell in before.cells.items()
        if key != CellKey(1, 0)
    }
    model.answered = 0
    grid = done(model, plan, earlier=there.get)
    assert sum(cell.reused for cell in grid.cells.values()) == 5
    assert grid.evaluations == model.answered
    taken = grid.cells[CellKey(0, 0)]
    assert [taken.measurements[one.key].reused for one in more] == [True] * 3 + [False] * 6
    assert (
        taken.measurements[few[0].key].evaluations
        == before.cells[CellKey(0, 0)].measurements[few[0].key].evaluations
        == 6
    ), "what it cost when it was made"


@pytest.mark.slow
@pytest.mark.parametrize("maps", [True, False])
def test_a_grid_that_is_measured_later_counts_on(maps: bool) -> None:
    model = Counting()
    grid = done(model, a_plan(2, ASKING[:2]))
    grown = grid.settled().with_plan(a_plan(2)).waiting(maps=maps)
    assert grown.evaluations == model.answered
    whole = last(execute(grown, lambda _: model.classifier(), maps=maps))
    assert whole.evaluations == model.answered and whole.metric_evaluations > grid.metric_evaluations


def test_a_run_that_goes_on_without_the_answers_to_its_images_asks_for_them_again_and_counts_that() -> None:
    model = Counting()
    grid = done(model, a_plan(2, ()))
    lacking = dataclasses.replace(grid, cells={**grid.cells, CellKey(0, 2): Cell(), CellKey(1, 2): Cell()})
    whole = last(execute(lacking, lambda _: model.classifier()))
    assert whole.further == {0: 1, 1: 1}
    assert whole.evaluations == model.answered


@pytest.fixture
def road_fails(monkeypatch: pytest.MonkeyPatch) -> MetricChoice:
    """A metric that asks all it has to ask, four evaluations a map, and then fails."""
    usual = METRICS["road"].run

    def broken(case: Case, settings: Any) -> Generator[Any, None, tuple[Measurement, ...]]:
        yield from usual(case, settings)
        raise ZeroDivisionError

    monkeypatch.setitem(METRICS, "road", dataclasses.replace(METRICS["road"], run=broken))
    return MetricChoice.default("road", levels=2)


@pytest.mark.slow
def test_a_metric_that_fails_counts_what_it_had_asked_together_and_map_by_map(road_fails: MetricChoice) -> None:
    model, bare = Counting(), Counting()
    done(bare, a_plan(1, ()))
    grid = done(model, a_plan(1, (road_fails,)))
    assert grid.evaluations == model.answered
    assert grid.metric_evaluations == model.answered - bare.answered == 2 * 3 * 4, "together, and once more each"
    assert [cell.measurements[road_fails.key].evaluations for cell in grid.cells.values()] == [8, 8, 8]


def test_a_metric_that_fails_is_dropped_with_its_cost_when_it_is_asked_anew(road_fails: MetricChoice) -> None:
    model = Counting()
    grid = done(model, dataclasses.replace(a_plan(1, (road_fails,)), methods=(rise(),)))
    (measurement,) = grid.cells[CellKey(0, 0)].measurements.values()
    assert measurement.failed and measurement.evaluations == 4
    assert grid.evaluations == model.answered
    assert grid.waiting(maps=True).evaluations == grid.evaluations - 4


@pytest.mark.slow
def test_a_map_that_fails_half_way_counts_what_it_had_asked_and_still_does_once_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usual = METHODS["rise"]

    def broken(question: Question, settings: Any, seed: int) -> Iterator[Any]:
        yield from usual.run(question, settings, seed)
        raise ModelError("It ends here.")

    model = Counting()
    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "rise", dataclasses.replace(usual, run=broken))
        grid = done(model, a_plan(2))
    assert [grid.cells[CellKey(place, 0)].state for place in (0, 1)] == [CellState.FAILED] * 2
    assert grid.evaluations == model.answered and grid.further == {0: 40, 1: 40}
    whole = last(execute(grid.settled().waiting(maps=True), lambda _: model.classifier()))
    assert whole.complete and whole.evaluations == model.answered


def test_classes_whose_maps_fail_together_and_are_made_apart_count_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLASS_METHODS, PULL.name, PULL)
    plan = class_maps.plan(["colours"], "cpu", [0, 1, 2], [MethodChoice(PULL.name, PULL.settings())])
    model = Counting()
    grid = last(execute(Grid.empty(plan, (), labels=LABELS), lambda _: model.classifier()))
    made = [cell.explanation.evaluations for cell in grid.cells.values() if cell.explanation is not None]
    assert made == [12, 12]
    assert grid.further == {0: 4, 1: 4}, "one step each, before the third class failed"
    assert grid.evaluations == 32


def test_an_image_that_the_model_does_not_answer_is_no_evaluation() -> None:
    model = Counting()
    grid = Grid.empty(a_plan(1), views(1))
    for event in execute(grid, lambda _: model.classifier()):
        grid = grid.after(event)
        if isinstance(event, Predicted):
            model.refuses = True
    assert [bool(cell.error) for cell in grid.cells.values()] == [True, True, False], "the last asks nothing"
    assert grid.evaluations == model.answered == 1


def test_measurements_by_a_ground_truth_that_has_moved_are_dropped_with_their_cost() -> None:
    model = Counting()
    truth = np.zeros(SIZE, bool)
    truth[:8] = True
    plan = a_plan(1, (MetricChoice.default("pointing-game"), ASKING[0]))
    grid = last(execute(Grid.empty(plan, views(1), (truth,)), lambda _: model.classifier()))
    cells = {
        key: dataclasses.replace(
            cell, measurements={name: charged((one,), 3)[0] for name, one in cell.measurements.items()}
        )
        for key, cell in grid.cells.items()
    }
    assert dataclasses.replace(grid, cells=cells).marked({0: ~truth}).evaluations == grid.evaluations + 3 * 3


def test_what_a_single_map_is_measured_by_says_what_it_cost() -> None:
    row, settings = METRICS["deletion"], METRICS["deletion"].settings.from_mapping({"steps": 4})
    judged = cases.case(cases.bent(), cases.view(), [cases.saliency(1), cases.saliency(2)])
    both = [Request(row, settings), Request(METRICS["deletion-correlation"], settings)]
    found = last(evaluate(judged, both))
    assert [one.evaluations for each in found for one in each] == [5, 5, 0, 0]
    seen = last(curves_view(cases.bent(), cases.view(), [cases.saliency(1)], 0, "deletion", settings))
    assert [one.evaluations for one in seen] == [5]


@pytest.mark.slow
def test_gradients_and_their_maps_made_again_are_counted_as_the_network_is_passed() -> None:
    classifier = small_classifier()
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    methods = [MethodChoice.default(name) for name in ("grad-cam", "score-cam", "smoothgrad", "guided-backprop")]
    plan = comparison.plan("small", "cpu", [PictureChoice("one")], methods, metrics=ASKING)

    def run() -> Grid:
        return last(execute(Grid.empty(plan, [picture], labels=classifier.labels), lambda _: classifier))

    run()  # what is found out about the network's layers is remembered
    with passed(classifier) as rows:
        grid = run()
    assert grid.complete and not notes(grid)
    assert grid.evaluations == sum(rows)


@contextmanager
def passed(classifier: TorchClassifier) -> Iterator[list[int]]:
    """The rows that pass the first layer of a network meanwhile, in every copy of it."""
    first = next(part for part in classifier.module.modules() if isinstance(part, nn.Conv2d))
    usual, rows = nn.Conv2d.forward, list[int]()

    def counting(part: nn.Conv2d, given: Tensor) -> Tensor:
        if part.weight.shape == first.weight.shape:
            rows.append(len(given))
        return usual(part, given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Conv2d, "forward", counting)
        yield rows


def test_a_failed_event_is_preceded_by_what_it_cost_and_none_is_where_it_cost_nothing() -> None:
    plan = dataclasses.replace(a_plan(1, ()), methods=(rise(1000),))
    model = Counting()
    found = []
    for event in execute(Grid.empty(plan, views(1)), lambda _: model.classifier()):
        found.append(event)
        if not isinstance(event, Predicted) and model.answered > 100:
            model.refuses = True
    kinds = [type(event) for event in found if isinstance(event, Spent | Failed | Measured)]
    assert kinds == [Spent, Failed]
    assert next(event.evaluations for event in found if isinstance(event, Spent)) == model.answered - 1
