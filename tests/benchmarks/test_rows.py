"""The rows of the benchmark of faithfulness: their maps, their costs and what tells them apart."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rows import Row, all_rows, costs, make, occlusion_at, rise_maps, selected
from decam.classifier import TorchClassifier, to_tensor
from decam.experiments.explain import explain_view
from decam.explanation import Question, last
from decam.methods.de_cam.method import DeCamSettings
from decam.methods.perturbation.occlusion_and_rise import OCCLUSION, RiseSettings
from tests.conftest import Rectangle


def test_rise_at_several_budgets_gives_each_the_map_of_a_run_of_its_own(rectangle: Rectangle) -> None:
    question = Question(rectangle.classifier, to_tensor(rectangle.classifier, rectangle.view), rectangle.target)
    budgets = [50, 128, 150, 200]
    for budget, saliency in rise_maps(question, budgets, seed=5):
        settings = RiseSettings(masks=budget)
        alone = last(explain_view(rectangle.classifier, rectangle.view, "rise", settings, rectangle.target, 5))
        np.testing.assert_array_equal(saliency, alone.saliency)
    assert question.ledger.evaluations < sum(budgets)


@pytest.mark.slow
def test_rise_at_several_budgets_costs_the_largest_and_the_odd_ends_of_the_others(rectangle: Rectangle) -> None:
    rows = selected(all_rows(rectangle.classifier), ["rise-*"])
    question = Question(rectangle.classifier, to_tensor(rectangle.classifier, rectangle.view), rectangle.target)
    assert len(list(rise_maps(question, [500, 1000, 2000, 4000], seed=0))) == 4
    assert sum(costs(rows, rectangle.classifier)) == question.ledger.evaluations


@pytest.mark.slow
def test_rows_are_made_in_their_order_at_the_cost_foreseen(rectangle: Rectangle) -> None:
    classifier = rectangle.classifier
    rows = selected(all_rows(classifier), ("*-500", "seed-only-1000", "kernel*", "occlusion*", "random", "centre"))
    made = list(make(classifier, rectangle.view, rectangle.target, 0, rows))
    assert [one.row for one in made] == list(rows)
    assert [one.evaluations for one in made] == costs(rows, classifier)
    assert all(one.saliency.shape == classifier.input_size and one.saliency.dtype == np.float32 for one in made)


def test_a_black_box_has_no_rows_that_need_more_than_answers(rectangle: Rectangle) -> None:
    names = {row.name for row in all_rows(rectangle.classifier)}
    assert {"de-cam-500", "kernel-shap-1000", "rise-4000", "occlusion-1000", "centre"} <= names
    assert not {"grad-cam", "integrated-gradients"} & names


def test_occlusion_costs_about_what_it_should(embedded: TorchClassifier) -> None:
    assert OCCLUSION.cost(occlusion_at(1000, embedded), embedded) == pytest.approx(1000, rel=0.05)


def test_other_settings_have_another_version() -> None:
    versions = {Row("a", "de-cam", DeCamSettings(budget=budget)).version for budget in (500, 1000, 500)}
    assert len(versions) == 2


def test_a_pattern_that_fits_no_row_is_refused(rectangle: Rectangle) -> None:
    with pytest.raises(ValueError, match="nothing-\\*"):
        selected(all_rows(rectangle.classifier), ["de-cam*", "nothing-*"])
