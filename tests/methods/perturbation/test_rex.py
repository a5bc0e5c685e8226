"""ReX: responsibility against its definition, and maps against labels that are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from decam.explanation import Ledger, Question, last
from decam.methods import METHODS
from decam.methods.perturbation.rex import RexSettings, quartered, responsibilities, smallest_sides
from decam.methods.perturbation.shap_partition import Part
from decam.metrics import Case, Origin
from decam.metrics.reruns import Remaker
from tests.tools.visible import explained, seeing

SIZE = (40, 60)
PLACE = (slice(6, 16), slice(36, 48))


def label(visible: Tensor) -> Tensor:
    """Sure of class 1 where more than half of a place is visible."""
    return (visible[:, *PLACE].mean((1, 2)) > 0.5).float() * 0.8 + 0.1


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(st.lists(st.booleans(), min_size=16, max_size=16))
def test_responsibility_is_one_over_the_least_number_to_be_hidden(kept: list[bool]) -> None:
    def keeps(hidden: set[int]) -> bool:
        return kept[sum(1 << quarter for quarter in range(4) if quarter not in hidden)]

    expected = []
    for quarter in range(4):
        others = [other for other in range(4) if other != quarter]
        sizes = [
            size
            for size in range(4)
            for hidden in itertools.combinations(others, size)
            if keeps(set(hidden)) and not keeps({*hidden, quarter})
        ]
        expected.append(1 / (1 + min(sizes)) if sizes else 0.0)
    np.testing.assert_allclose(responsibilities(torch.tensor(kept)), expected)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 2**16))
def test_quarters_cover_their_part_once_and_are_none_too_small(height: int, width: int, seed: int) -> None:
    part, smallest = Part(3, 3 + height, 5, 5 + width), (height // 2, width // 2)
    covered = np.zeros((40, 40), int)
    for quarter in quartered(part, smallest, torch.Generator().manual_seed(seed)):
        covered[quarter.inside] += 1
        assert quarter.bottom - quarter.top >= smallest[0]
        assert quarter.right - quarter.left >= smallest[1]
    assert (covered[part.inside] == 1).all()
    assert covered.sum() == part.area


@pytest.mark.slow
def test_the_part_that_the_label_hangs_on_is_found() -> None:
    found, events = explained(label, SIZE, "rex", budget=1500)
    mask = np.zeros(SIZE, bool)
    mask[PLACE] = True
    row, column = np.unravel_index(found.saliency.argmax(), SIZE)
    assert mask[row, column]
    assert found.saliency[mask].mean() > 3 * found.saliency[~mask].mean()
    assert sum(event.saliency is not None for event in events) > 10


def test_only_the_label_counts_and_not_how_sure_the_model_is() -> None:
    one, _ = explained(label, SIZE, "rex", budget=400)
    unsure, _ = explained(lambda visible: (label(visible) - 0.5) * 0.1 + 0.5, SIZE, "rex", budget=400)
    np.testing.assert_array_equal(one.saliency, unsure.saliency)


def test_a_label_that_nothing_changes_leaves_its_smallest_part_responsible_and_another_class_nothing_at_all() -> None:
    always, _ = explained(lambda visible: torch.full((len(visible),), 0.9), SIZE, "rex", budget=400)
    assert always.saliency.any(), "none of the image is taken to lose the label"
    never, _ = explained(lambda visible: torch.full((len(visible),), 0.1), SIZE, "rex", budget=400)
    assert not never.saliency.any()
    assert any("ReX looks at labels alone" in note for note in never.notes)


@pytest.mark.parametrize(("budget", "trees"), [(30, 4), (500, 1), (1000, 64)])
def test_the_budget_is_spent_in_whole_splits_and_the_picture(budget: int, trees: int) -> None:
    found, _ = explained(label, SIZE, "rex", budget=budget, trees=trees)
    row = METHODS["rex"]
    assert found.evaluations == row.cost(RexSettings(budget=budget), seeing(label, SIZE)) <= budget
    assert (found.evaluations - 1) % 14 == 0


@pytest.mark.parametrize("name", ["rex", "shap-partition"])
def test_what_others_asked_before_is_not_taken_from_the_budget(name: str) -> None:
    model = seeing(label, SIZE)
    row, maps = METHODS[name], []
    settings = row.settings.from_mapping({"fill": "black", "budget": 200})
    for before in (0, 150, 5000):
        ledger = Ledger(evaluations=before)
        maps.append(last(row.run(Question(model, torch.ones(3, *SIZE), 1, ledger), settings, 3)))
        assert ledger.evaluations - before == row.cost(settings, model)
    assert maps[0].any()
    for again in maps[1:]:
        np.testing.assert_array_equal(again, maps[0])


def test_a_map_can_be_made_again_after_a_metric_has_asked() -> None:
    model, row = seeing(label, SIZE), METHODS["rex"]
    settings = row.settings.from_mapping({"fill": "black", "budget": 200})
    question = Question(model, torch.ones(3, *SIZE), 1)
    first = last(row.run(question, settings, 3))
    origin = Origin(lambda asked, seed: row.run(asked, settings, seed), 3)
    again = last(Remaker(Case(question, (first,), origins=(origin,)), 1).map(0))
    np.testing.assert_allclose(again, first)
    assert question.ledger.evaluations == 2 * row.cost(settings, model)


def test_half_of_an_odd_side_is_rounded_down_so_that_the_picture_can_be_quartered() -> None:
    assert smallest_sides(0.5, (299, 300)) == (149, 150)
    assert smallest_sides(0.01, (20, 30)) == (1, 1)
    size = (39, 59)
    found, _ = explained(lambda visible: visible[:, :10, :10].mean((1, 2)), size, "rex", budget=100, smallest=0.5)
    assert found.saliency.shape == size
    assert found.saliency[:10, :10].all()
