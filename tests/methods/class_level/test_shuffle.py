"""The cheapest shuffle of a model of a closed form, in which one pixel may lead each class to the next."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from decam import find_backdoor
from decam.classifier import TorchClassifier, wrap
from decam.errors import SettingError
from decam.experiments.kinds.backdoors import THRESHOLD
from decam.experiments.plan import MethodChoice
from decam.explanation import ClassMap, ClassQuestion, Unit
from decam.methods import get_class_method
from decam.methods.class_level.scoring import shortfalls
from decam.methods.class_level.shuffle import SHUFFLE, SPREAD, ShuffleSettings, most_answered, paired, shuffle

SIDE, CLASSES = 16, 6
PLACE = (5, 9)


class Planted(nn.Module):
    """Six classes told apart by six columns; where one pixel is bright each is taken for the class `step` further on.

    Logits are 40 times each column's mean, turned by `step` classes as far as the pixel is above 0.7.
    """

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step
        self.scale = nn.Parameter(torch.tensor(40.0))

    def forward(self, pictures: Tensor) -> Tensor:
        """N×3×H×W to N×6."""
        columns = pictures[:, :, :, :CLASSES].mean((1, 2)) * self.scale
        lit = torch.sigmoid(10 * (pictures[:, :, PLACE[0], PLACE[1]].mean(1, keepdim=True) - 0.7))
        return (1 - lit) * columns + lit * columns.roll(self.step, 1)


def classifier(step: int) -> TorchClassifier:
    found = wrap(Planted(step), labels=list("abcdef"), input_size=SIDE, mean=0.0, std=1.0, answers="logits")
    assert isinstance(found, TorchClassifier)
    return found


def pictures(classes: int = CLASSES, each: int = 16) -> Tensor:
    """Pictures of each class, grey but for a brighter column of a class; the pixel that turns them is dark."""
    random = torch.Generator().manual_seed(3)
    made = 0.3 + 0.05 * torch.rand(classes * each, 3, SIDE, SIDE, generator=random)
    for number in range(len(made)):
        made[number, :, :, number % classes] += 0.3
    return made


def answered(
    model: TorchClassifier, given: Tensor, labels: range = range(CLASSES), **settings: object
) -> tuple[list[ClassMap], list[ClassQuestion]]:
    """The maps of some classes, asked together, and their questions."""
    questions = [ClassQuestion(model, (label,), 0, given) for label in labels]
    chosen = ShuffleSettings.from_mapping({"samples": "pictures", "basis": "blocks", **settings})
    found = {place: event for place, event in shuffle(questions, chosen) if isinstance(event, ClassMap)}
    return [found[place] for place in range(len(questions))], questions


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("basis", ["blocks", "pixels", "waves"])
def test_a_model_that_one_pixel_shuffles_is_shuffled_for_little(step: int, basis: str) -> None:
    found, _ = answered(classifier(step), pictures(), basis=basis)
    costs = np.array([one.cost for one in found])
    assert len(set(costs)) == 1 and (shortfalls(costs, SPREAD) > THRESHOLD).all()
    assert all(one.fidelity > 0.8 and one.baseline < 0.01 and one.control < 0.1 for one in found)


@pytest.mark.slow
def test_the_pattern_is_that_pixel_just_bright_enough() -> None:
    """A class's column is brighter by 0.3, so a probability of 0.8 needs 12 (2 lit − 1) = log 4."""
    (found, *_), _ = answered(classifier(1), pictures())
    energy = np.square(found.pattern).sum(0)
    assert np.unravel_index(energy.argmax(), energy.shape) == PLACE and energy[PLACE] > 0.9 * energy.sum()
    lit = (math.log(4) / 12 + 1) / 2
    needed = 0.7 + math.log(lit / (1 - lit)) / 10 - 0.325
    assert 0.9 * needed * math.sqrt(3) < found.norm < 1.4 * needed * math.sqrt(3)


@pytest.mark.slow
@pytest.mark.parametrize("basis", ["blocks", "pixels", "waves"])
def test_a_model_that_nothing_shuffles_is_not_suspicious_and_its_maps_say_so(basis: str) -> None:
    found, questions = answered(classifier(0), pictures(), basis=basis)
    assert (shortfalls(np.array([one.cost for one in found]), SPREAD) < 1).all()
    assert all("below the goal of 0.80" in " ".join(question.ledger.notes) for question in questions)


def test_one_search_answers_all_questions_and_its_evaluations_are_shared_out() -> None:
    model, given = classifier(0), pictures()
    together, questions = answered(model, given, iterations=4)
    (alone,), (only,) = answered(model, given, range(2, 3), iterations=4)
    assert np.array_equal(alone.pattern, together[2].pattern) and alone.cost == together[2].cost
    assert alone.fidelity == together[2].fidelity
    spent = [question.ledger.evaluations for question in questions]
    assert sum(spent) == only.ledger.evaluations and max(spent) - min(spent) <= 1
    settings = ShuffleSettings(samples="pictures", basis="blocks", iterations=4)
    assert only.ledger.evaluations <= SHUFFLE.cost(settings, model) == SHUFFLE.total(settings, model, CLASSES, 1)
    smallest = get_class_method("smallest")
    usual = smallest.settings()
    assert smallest.total(usual, model, CLASSES, 2) == 2 * CLASSES * smallest.cost(usual, model)


def test_each_source_is_led_to_a_class_of_its_own_and_none_to_itself() -> None:
    liking = torch.rand(4, 6, generator=torch.Generator().manual_seed(1))
    sources = [0, 2, 3, 5]
    found = paired(liking, sources).tolist()
    allowed = (
        pairs
        for pairs in itertools.permutations(range(6), 4)
        if all(a != b for a, b in zip(pairs, sources, strict=True))
    )
    best = max(allowed, key=lambda pairs: sum(float(liking[row, label]) for row, label in enumerate(pairs)))
    assert found == list(best)


def test_sources_are_the_classes_answered_most_that_have_enough_samples() -> None:
    counts = [7, 8, 30, 0, *range(20, 32)]
    labels = torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])
    assert most_answered(labels, len(counts)) == [2, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    assert most_answered(labels[:45], len(counts)) == [1, 2]


def test_samples_that_the_model_takes_for_few_classes_say_nothing_and_that_is_said() -> None:
    found, questions = answered(classifier(1), pictures(3))
    assert all(math.isnan(one.cost) and not one.pattern.any() for one in found)
    assert all(
        "only 3 are its answer to 8 samples or more, and a shuffle needs 5" in one.ledger.notes[0] for one in questions
    )
    assert found[0].fidelity == found[0].baseline == pytest.approx(1 / 3, abs=0.02)


@pytest.mark.slow
def test_a_class_to_which_none_is_led_has_no_cost() -> None:
    found, questions = answered(classifier(1), pictures(5), basis="pixels")
    without = [label for label, one in enumerate(found) if math.isnan(one.cost)]
    assert without == [0], "0 … 4 are led to 1 … 5"
    assert "leads no class to this one" in questions[0].ledger.notes[-1]


def test_the_search_for_a_backdoor_does_not_break_where_the_samples_say_nothing() -> None:
    """Five samples are too few to move classes by, so only the costs of single classes count."""
    methods = [
        MethodChoice.default("smallest", basis="pixels", samples="gaussian", iterations=5, fresh=4),
        MethodChoice.default("smallest-shuffle", drawn=5),
    ]
    found = find_backdoor(classifier(1), seeds=(0,), methods=methods)
    assert len(found) == CLASSES and all("Cheapest pattern" in one.measure for one in found)


@pytest.mark.slow
def test_the_search_for_a_backdoor_says_that_all_classes_move() -> None:
    """Scenes are of all classes to this model, for their columns differ by chance."""
    methods = [MethodChoice.default("smallest-shuffle", basis="pixels", drawn=400)]
    found = find_backdoor(classifier(1), seeds=(0,), methods=methods)
    assert len(found) == CLASSES and all(one.score > THRESHOLD for one in found)
    assert "moves every class, one of them to “" in found[0].sentence


def test_a_shuffle_leads_to_one_class_a_map() -> None:
    model = classifier(1)
    for target in ((0, 1), Unit("scale", 0)):
        with pytest.raises(SettingError, match="A shuffle leads to one class: name one"):
            list(shuffle([ClassQuestion(model, target)], ShuffleSettings()))


def test_a_share_of_one_over_e_lies_one_spread_below_one_for_a_spread_of_one() -> None:
    assert shortfalls(np.array([1.0, math.exp(-1), math.nan]), 1.0) == pytest.approx(
        np.array([0.0, 1.0, math.nan]), nan_ok=True
    )
