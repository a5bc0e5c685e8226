"""µFidelity against the definition written plainly, maps of linear models, and maps that say nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.classifier import probabilities
from decam.errors import SettingError
from decam.masking import fill
from decam.metrics.mu_fidelity import EVEN, MuFidelitySettings, drawn
from tests.tools.cases import SIZE, WHITE, bent, case, constant, run, saliency, signed, values, view, weighted


@pytest.mark.parametrize("scores", [saliency(3), signed(4)], ids=["positive", "signed"])
@pytest.mark.parametrize(("samples", "cells", "share"), [(10, 2, 0.5), (64, 3, 0.2), (150, 9, 0.2)])
def test_the_value_is_the_definition(scores: np.ndarray, samples: int, cells: int, share: float) -> None:
    judged = case(bent(), view(), [scores], seed=5)
    classifier, image = judged.question.classifier, judged.question.image
    filling = fill("mean", image, classifier.mean)
    own = float(probabilities(classifier, image[None])[0, 0])
    sums, falls = [], []
    for hidden in drawn(MuFidelitySettings(samples=samples, cells=cells, share=share), SIZE, 5):
        picture = image.clone()
        picture[:, hidden] = filling[:, hidden]
        falls.append(own - float(probabilities(classifier, picture[None])[0, 0]))
        sums.append(float(scores[hidden.numpy()].astype(np.float64).sum()))
    expected = np.corrcoef(sums, falls)[0, 1]
    assert values(judged, "mu-fidelity", samples=samples, cells=cells, share=share) == pytest.approx(
        [expected], abs=1e-5
    )


def test_the_map_of_a_linear_model_is_right_and_its_negative_wrong() -> None:
    weights = saliency(2)
    judged = case(weighted(weights), WHITE, [weights, 7 * weights, -weights, saliency(3)])
    right, scaled, wrong, other = values(judged, "mu-fidelity", fill="black")
    assert [right, scaled, wrong] == pytest.approx([1, 1, -1], abs=1e-5)
    assert abs(other) < 0.9


def test_a_map_of_one_value_and_a_model_that_never_changes_say_nothing() -> None:
    assert np.isnan(values(case(bent(), view(), [np.ones(SIZE, np.float32)]), "mu-fidelity")).all()
    assert np.isnan(values(case(constant(0.4), view(), [saliency()]), "mu-fidelity")).all()


def test_a_map_that_differs_within_cells_alone_is_said_to() -> None:
    # 2×2 cells of 6×5 pixels, whole numbers with the same sum in each.
    cell = np.arange(30, dtype=np.float32).reshape(6, 5)
    cell[-1, -1] = 32  # shares of which are exact
    judged = case(bent(), view(), [np.tile(cell, (2, 2)), saliency()])
    even, other = run(judged, "mu-fidelity", cells=2, share=0.5)
    assert np.isnan(even.value) and even.note == EVEN
    assert np.isfinite(other.value) and not other.note


def test_all_maps_share_the_sets() -> None:
    judged = case(bent(), view(), [saliency(1), saliency(2), saliency(3)])
    together = values(judged, "mu-fidelity", samples=30)
    assert judged.question.ledger.evaluations == 31
    alone = [values(case(bent(), view(), [one]), "mu-fidelity", samples=30)[0] for one in judged.maps]
    assert together == pytest.approx(alone, rel=1e-5)


@settings(max_examples=10)
@given(seed=st.integers(0, 100), scale=st.sampled_from([1e-20, 1e20]))
def test_the_scale_of_a_map_does_not_matter(seed: int, scale: float) -> None:
    scores = signed(seed)
    one, other = values(case(bent(), view(seed), [scores, scores * np.float32(scale)]), "mu-fidelity", samples=20)
    assert -1 <= one <= 1
    assert one == pytest.approx(other, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(("cells", "share", "count"), [(9, 0.2, 16), (2, 0.05, 1), (2, 0.95, 3), (4, 0.5, 8)])
def test_each_set_has_the_same_number_of_whole_cells(cells: int, share: float, count: int) -> None:
    size = (36, 72)
    found = drawn(MuFidelitySettings(samples=50, cells=cells, share=share), size, 1).numpy()
    blocks = found.reshape(50, cells, size[0] // cells, cells, size[1] // cells)
    filled = blocks.mean(axis=(2, 4))
    assert set(np.unique(filled)) <= {0.0, 1.0}
    assert (filled.sum(axis=(1, 2)) == count).all()
    assert len({mask.tobytes() for mask in found}) > 1


@pytest.mark.parametrize("wrong", [{"samples": 5}, {"cells": 1}, {"share": 0.0}, {"fill": "pink"}])
def test_a_setting_out_of_bounds_is_refused_by_name(wrong: dict[str, float | str]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        MuFidelitySettings.from_mapping(wrong)
