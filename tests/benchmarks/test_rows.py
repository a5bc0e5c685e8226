"""The rows of the benchmark of faithfulness: what they cost, what tells them apart, and Captum's own KernelShap."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.captums import kernel_shap
from benchmarks.rows import GRID_KERNEL_SHAP, KernelShapSettings, candidates, occlusion_at, own_methods, rivals
from decam.benchmark.local import map_cost
from decam.classifier import TorchClassifier, to_tensor
from decam.errors import MethodError
from decam.experiments.explain import explain_view
from decam.explanation import last
from decam.masking import fill
from decam.methods import METHODS
from decam.methods import get as get_method
from decam.methods.perturbation.occlusion_and_rise import OCCLUSION
from tests.conftest import Rectangle


@pytest.fixture
def own() -> Iterator[None]:
    with own_methods():
        yield


with_own = pytest.mark.usefixtures("own")


def test_captums_kernel_shap_is_a_method_within_the_benchmark_alone() -> None:
    before = dict(METHODS)
    with own_methods(), own_methods():
        assert get_method(GRID_KERNEL_SHAP.name) is GRID_KERNEL_SHAP
    assert before == METHODS
    with pytest.raises(MethodError, match="grid-kernel-shap"):
        get_method(GRID_KERNEL_SHAP.name)


@pytest.mark.slow
@with_own
def test_kernel_shap_on_the_grid_is_captums_and_costs_its_samples(rectangle: Rectangle) -> None:
    classifier, settings = rectangle.classifier, KernelShapSettings(budget=80)
    steps = explain_view(classifier, rectangle.view, GRID_KERNEL_SHAP.name, settings, rectangle.target, 5)
    made = last(steps)
    image = to_tensor(classifier, rectangle.view)
    alone = kernel_shap(
        lambda images: classifier.answer(images)[:, rectangle.target],
        image,
        fill("mean", image, classifier.mean),
        80,
        batch=16,
        seed=5,
    )
    np.testing.assert_allclose(made.saliency, alone, atol=1e-5)
    assert made.evaluations == 80 and made.saliency.dtype == np.float32


@pytest.mark.slow
@with_own
def test_rows_are_made_at_the_cost_foreseen(rectangle: Rectangle) -> None:
    classifier = rectangle.classifier
    labels = ("de-cam-500", "rise-500", "seed-only-1000", "grid-kernel-shap-1000", "occlusion-1000", "random", "centre")
    for candidate in candidates(classifier):
        if candidate.label in labels:
            name, settings = candidate.choice.name, candidate.choice.settings
            made = last(explain_view(classifier, rectangle.view, name, settings, rectangle.target, 0))
            assert made.evaluations == map_cost(candidate.choice, classifier)


@with_own
def test_a_black_box_has_no_rows_that_need_more_than_answers(rectangle: Rectangle) -> None:
    labels = {candidate.label for candidate in candidates(rectangle.classifier)}
    assert {"de-cam-500", "grid-kernel-shap-1000", "rise-4000", "occlusion-1000", "centre"} <= labels
    assert not {"grad-cam", "integrated-gradients"} & labels


@with_own
def test_no_two_rows_are_the_same_method_at_the_same_settings(embedded: TorchClassifier) -> None:
    rows = candidates(embedded)
    assert len({row.choice for row in rows}) == len({row.label for row in rows}) == len(rows)


@with_own
def test_all_black_boxes_have_a_row_at_one_budget_and_spend_no_more(embedded: TorchClassifier) -> None:
    for budget in (250, 1000):
        rows = [row for row in candidates(embedded, budget) if row.label.endswith(f"-{budget}")]
        asking = {name for name, method in METHODS.items() if method.needs == {"output"}}
        assert {row.choice.name for row in rows} == asking
        for row in rows:
            cost, spends = map_cost(row.choice, embedded), "budget" in row.choice.settings.to_mapping()
            assert not spends or 0.85 * budget <= cost <= budget, row.label


@with_own
@pytest.mark.slow
def test_a_rival_is_asked_with_every_seed_exactly_if_its_map_depends_on_the_seed(embedded: TorchClassifier) -> None:
    view = np.random.default_rng(0).integers(0, 256, (*embedded.input_size, 3), dtype=np.uint8)
    for label, name, settings, seeded in rivals(embedded, 250):
        one, other = (last(explain_view(embedded, view, name, settings, 0, seed)).saliency for seed in (0, 1))
        assert seeded != np.array_equal(one, other), label


def test_occlusion_costs_about_what_it_should(embedded: TorchClassifier) -> None:
    assert OCCLUSION.cost(occlusion_at(1000, embedded), embedded) == pytest.approx(1000, rel=0.05)
