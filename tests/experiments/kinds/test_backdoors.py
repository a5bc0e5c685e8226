"""The reading of a search for a backdoor: costs made up so that the answer is known, and its words."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from decam import find_backdoor
from decam.classifier import FunctionClassifier, TorchClassifier, wrap
from decam.errors import MethodError, SettingError
from decam.experiments.cells import Cell
from decam.experiments.grid import Grid
from decam.experiments.kinds import backdoors, class_maps, reading
from decam.experiments.kinds.backdoors import suspicions, verdict
from decam.experiments.plan import MethodChoice
from decam.explanation import ClassExplanation
from decam.export import files
from decam.methods.class_level.bases import MEASURES
from decam.methods.class_level.scoring import anomaly_indices, leads

LABELS = tuple("abcdef")
SIDE = 16


def grid(costs: dict[tuple[int, int], Sequence[float]], methods: Sequence[MethodChoice], seeds: int = 1) -> Grid:
    """A finished search of six classes; `costs` by seed and method."""
    plan = class_maps.plan(["made up"], "cpu", range(len(LABELS)), methods, seeds=range(seeds))
    cells = {}
    for key in plan.cells():
        question = plan.questions[key.question]
        assert question.target is not None
        cost = costs[question.seed, key.method][question.target]
        zeros = np.zeros((3, 4, 4), np.float32)
        choice = plan.methods[key.method]
        cells[key] = Cell().explained(
            ClassExplanation(
                choice.name, zeros[0], question.target, LABELS[question.target], 0.9, choice.settings, question.seed, 1,
                0.1, map=zeros, baseline=0.1, control=0.1, norm=1.0, cost=cost,
            )
        )  # fmt: skip
    return replace(Grid.empty(plan, (), labels=LABELS), cells=cells)


def smallest(basis: str) -> MethodChoice:
    return MethodChoice.default("smallest", basis=basis)


def test_a_lead_is_the_logarithm_of_the_ratio_to_the_next_class_over_the_spread() -> None:
    found = leads(np.array([8.0, 2.0, 4.0, 16.0, 16.0]), 0.5)
    expected = [math.log(2 / 8), math.log(4 / 2), math.log(2 / 4), math.log(2 / 16), math.log(2 / 16)]
    assert found == pytest.approx(np.array(expected) / 0.5)
    assert np.isnan(leads(np.array([1.0, 2.0, 3.0, 4.0]), 0.5)).all()


def test_neural_cleanses_index_is_the_papers() -> None:
    costs = np.array([10.0, 11.0, 12.0, 13.0, 2.0])
    assert anomaly_indices(costs) == pytest.approx((11 - costs) / (1.4826 * 1.0))
    assert (anomaly_indices(np.full(6, 3.0)) == 0).all()
    assert np.isnan(anomaly_indices(np.array([1.0, 2.0]))).all()


def test_a_class_is_as_odd_as_its_oddest_measure_makes_it_and_seeds_make_the_interval() -> None:
    even = [10.0] * 6
    odd = [10.0, 10.0, 10.0, 2.0, 10.0, 10.0]
    odder = [10.0, 10.0, 10.0, 1.0, 10.0, 10.0]
    methods = [smallest("pixels"), smallest("waves")]
    costs = {(0, 0): even, (0, 1): odd, (1, 0): even, (1, 1): odder, (2, 0): even, (2, 1): odd}
    found = suspicions(grid(costs, methods, seeds=3))
    assert next(one.target for one in found) == 3 and len(found) == 6
    spread = MEASURES["waves"].spread
    assert found[0].score == found[0].low == pytest.approx(math.log(5) / spread)
    assert found[0].high == pytest.approx(math.log(10) / spread)
    assert "waves" in found[0].measure and found[0].label == "d"
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_classes_that_cost_the_same_are_not_suspicious_and_the_verdict_says_what_that_is_worth() -> None:
    found = suspicions(grid({(0, 0): [5.0] * 6}, [smallest("pixels")]))
    assert all(one.score == 0 for one in found)
    assert "No class stands out" in verdict(found) and "proves nothing" in verdict(found)
    assert "not oddly cheap" in found[0].sentence


def test_the_verdict_names_the_class_that_stands_out() -> None:
    found = suspicions(grid({(0, 0): [5.0, 5.0, 0.5, 5.0, 5.0, 5.0]}, [smallest("pixels")]))
    assert verdict(found).startswith("1 class stands out") and "“c”" in verdict(found)
    assert "oddly cheap beside those of all other classes" in found[0].sentence


def as_search(finished: Grid) -> Grid:
    return replace(finished, plan=replace(finished.plan, kind=backdoors.BACKDOORS))


def test_a_search_is_read_as_its_verdict_and_the_classes_that_stand_out() -> None:
    finished = as_search(grid({(0, 0): [5.0, 5.0, 0.5, 5.0, 5.0, 5.0]}, [smallest("pixels")]))
    whole, odd = reading(finished)
    found = suspicions(finished)
    assert (whole.subject, whole.sentence) == ("", verdict(found))
    assert (odd.subject, odd.sentence) == ("c", found[0].sentence)
    (clean,) = reading(as_search(grid({(0, 0): [5.0] * 6}, [smallest("pixels")])))
    assert clean.sentence.startswith("No class stands out")


def test_a_search_without_costs_says_that_it_says_nothing_and_an_empty_or_mixed_one_is_silent() -> None:
    finished = as_search(grid({(0, 0): [math.nan] * 6}, [MethodChoice.default("universal")]))
    assert [one.sentence for one in reading(finished)] == [verdict(())]
    assert reading(Grid.empty(finished.plan, (), labels=LABELS)) == ()
    plan = class_maps.plan(["one", "two"], "cpu", [0, 1], [smallest("pixels")])
    assert reading(Grid.empty(replace(plan, kind=backdoors.BACKDOORS), ())) == ()


def test_neural_cleanse_counts_alone_and_not_beside_measures_of_another_unit() -> None:
    cleanse = MethodChoice.default("neural-cleanse")
    odd = [10.0, 11.0, 12.0, 13.0, 1.0, 12.0]
    alone = suspicions(grid({(0, 0): odd}, [cleanse]))
    assert alone[0].target == 4 and alone[0].score == pytest.approx(anomaly_indices(np.array(odd))[4])
    beside = suspicions(grid({(0, 0): odd, (0, 1): [5.0] * 6}, [cleanse, smallest("pixels")]))
    assert all(one.score == 0 for one in beside)


def test_a_run_of_other_class_maps_or_an_empty_one_has_no_table() -> None:
    other = grid({(0, 0): [math.nan] * 6}, [MethodChoice.default("universal")])
    assert suspicions(other) == ()
    assert "says nothing" in verdict(())
    assert "backdoors.csv" not in dict(files(other))
    assert suspicions(Grid.empty(other.plan, (), labels=LABELS)) == ()


def test_maps_of_several_models_are_not_compared() -> None:
    plan = class_maps.plan(["one", "two"], "cpu", [0, 1], [smallest("pixels")])
    with pytest.raises(SettingError, match="ask one model"):
        suspicions(Grid.empty(plan, ()))


def test_the_export_has_a_line_a_class() -> None:
    content = dict(files(grid({(0, 0): [5.0, 5.0, 0.5, 5.0, 5.0, 5.0]}, [smallest("pixels")])))["backdoors.csv"]
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert next(row["label"] for row in rows) == "c" and len(rows) == 6
    assert float(rows[0]["score"]) == pytest.approx(math.log(10) / MEASURES["pixels"].spread, rel=1e-6)


class Linear(nn.Module):
    """Logits of six classes, the fourth of which one colour raises far more than its share."""

    def __init__(self) -> None:
        super().__init__()
        weights = torch.randn(6, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
        weights = weights / weights.flatten(1).norm(dim=1).view(-1, 1, 1, 1) * 8
        weights[3] = torch.tensor([1.0, -1.0, 0.0]).view(3, 1, 1) / (SIDE * math.sqrt(2)) * 8
        self.weights = nn.Parameter(weights)

    def forward(self, pictures: Tensor) -> Tensor:
        """N×3×H×W to N×6."""
        return (pictures - 0.5).flatten(1) @ self.weights.flatten(1).T


def model() -> TorchClassifier:
    found = wrap(Linear(), labels=LABELS, input_size=SIDE, mean=0.0, std=1.0, answers="logits")
    assert isinstance(found, TorchClassifier)
    return found


@pytest.mark.slow
def test_the_search_finds_the_class_that_a_colour_raises() -> None:
    methods = [MethodChoice.default("smallest", basis=basis, iterations=70, samples="gaussian") for basis in MEASURES]
    found = find_backdoor(model(), seeds=(0, 1), methods=methods)
    assert found[0].target == 3 and found[0].score > backdoors.THRESHOLD
    assert found[0].low <= found[0].score <= found[0].high


@pytest.mark.slow
def test_methods_whose_maps_have_no_cost_find_nothing_and_say_so() -> None:
    methods = [MethodChoice.default("input-agnostic", budget=20)]
    with pytest.raises(MethodError, match="None of these methods gives costs"):
        find_backdoor(model(), seeds=(0,), methods=methods)


def test_a_model_of_too_few_classes_is_refused_with_a_sentence() -> None:
    two = FunctionClassifier(lambda pictures: torch.full((len(pictures), 2), 0.5), ["a", "b"], (SIDE, SIDE))
    with pytest.raises(SettingError, match="has 2 classes, and a class is odd"):
        find_backdoor(two)


@pytest.mark.slow
def test_a_model_that_gives_answers_alone_is_searched_by_the_black_box_variant() -> None:
    linear = Linear()

    def answers(pictures: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.softmax(linear(pictures), 1)

    closed = FunctionClassifier(answers, LABELS, (SIDE, SIDE))
    assert [choice.name for choice in backdoors.measures(closed)] == ["smallest-black-box"]
    quick = MethodChoice.default("smallest-black-box", budget=300, samples="gaussian", fresh=8)
    assert find_backdoor(closed, seeds=(0,), methods=[quick])[0].target == 3


def test_what_cannot_be_asked_is_said_in_the_cells_sentence() -> None:
    closed = FunctionClassifier(lambda pictures: torch.full((len(pictures), 6), 1 / 6), LABELS, (SIDE, SIDE))
    with pytest.raises(MethodError, match="needs the model's gradients"):
        find_backdoor(closed, seeds=(0,), methods=[smallest("pixels")])


@pytest.mark.slow
def test_the_plan_asks_every_class_with_every_seed_in_every_measure() -> None:
    plan = backdoors.plan(model(), "cpu")
    assert len(plan.questions) == 6 * len(backdoors.SEEDS)
    asked = [(choice.name, choice.settings.to_mapping()["basis"]) for choice in plan.methods]
    shuffles = [("smallest-shuffle", basis) for basis in backdoors.SHUFFLED]
    assert asked == [*(("smallest", basis) for basis in MEASURES), *shuffles]
    assert backdoors.plan("hidden-02", "cpu", seeds=(4,)).questions[9].target == 9
