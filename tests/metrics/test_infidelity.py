"""Infidelity against the definition written plainly, and maps that foretell all or nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.classifier import probabilities
from decam.masking import fill
from decam.metrics.infidelity import InfidelitySettings, squares
from tests.tools.cases import SIZE, WHITE, bent, case, constant, saliency, signed, values, view, weighted


@pytest.mark.parametrize("scores", [saliency(3), signed(4)], ids=["positive", "signed"])
@pytest.mark.parametrize("samples", [10, 64, 150])
def test_the_value_is_the_definition(scores: np.ndarray, samples: int) -> None:
    judged = case(bent(), view(), [scores], seed=5)
    classifier, image = judged.question.classifier, judged.question.image
    filling = fill("mean", image, classifier.mean)
    own = float(probabilities(classifier, image[None])[0, 0])
    foretold, fallen = [], []
    for square in squares(InfidelitySettings(samples=samples), SIZE, 5):
        picture = image.clone()
        picture[:, square] = filling[:, square]
        fallen.append(own - float(probabilities(classifier, picture[None])[0, 0]))
        foretold.append(float(scores[square.numpy()].astype(np.float64).sum()))
    (scale,), *_ = np.linalg.lstsq(np.array(foretold)[:, None], np.array(fallen), rcond=None)
    expected = np.mean((scale * np.array(foretold) - np.array(fallen)) ** 2)
    assert values(judged, "infidelity", samples=samples) == pytest.approx([expected], rel=1e-3, abs=1e-9)


def test_the_map_of_a_linear_model_foretells_all() -> None:
    weights = saliency(2)
    judged = case(weighted(weights), WHITE, [weights, 7 * weights, saliency(3)])
    right, scaled, wrong = values(judged, "infidelity", fill="black")
    assert right == pytest.approx(0, abs=1e-12)
    assert scaled == pytest.approx(0, abs=1e-12)
    assert wrong > 1e-6


def test_a_map_of_zeros_foretells_nothing() -> None:
    judged = case(weighted(), WHITE, [np.zeros(SIZE, np.float32)])
    hidden = squares(InfidelitySettings(), SIZE, 0).float().mean((1, 2)).numpy()
    assert values(judged, "infidelity", fill="black") == pytest.approx([np.mean(hidden**2)], rel=1e-5)


def test_a_model_that_never_changes_is_foretold_by_any_map() -> None:
    assert values(case(constant(0.4), view(), [saliency(), signed()]), "infidelity") == [0.0, 0.0]


def test_all_maps_share_the_squares() -> None:
    judged = case(bent(), view(), [saliency(1), saliency(2), saliency(3)])
    together = values(judged, "infidelity", samples=30)
    assert judged.question.ledger.evaluations == 31
    alone = [values(case(bent(), view(), [one]), "infidelity", samples=30)[0] for one in judged.maps]
    assert together == pytest.approx(alone, rel=1e-5)


@settings(max_examples=10)
@given(seed=st.integers(0, 100), scale=st.sampled_from([-1.0, 1e-20, 1e20]))
def test_values_lie_between_zero_and_one_whatever_the_maps_scale(seed: int, scale: float) -> None:
    scores = signed(seed)
    one, other = values(case(bent(), view(seed), [scores, scores * np.float32(scale)]), "infidelity", samples=20)
    assert 0 <= one <= 1
    assert one == pytest.approx(other, rel=1e-3, abs=1e-9)


def test_squares_are_squares_of_the_sizes_asked_for() -> None:
    found = squares(InfidelitySettings(samples=300, largest=0.4), (40, 60), 1)
    sides = found.any(2).sum(1)
    assert (sides == found.any(1).sum(1)).all()
    assert (found.sum((1, 2)) == sides**2).all()
    assert sides.min() == 2
    assert sides.max() == 16
