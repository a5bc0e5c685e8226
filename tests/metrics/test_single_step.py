"""Average drop, increase in confidence and average drop in deletion, against their formulas and closed forms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.classifier import probabilities
from decam.masking import fill
from decam.metrics.scales import CONSTANT
from decam.metrics.single_step import UNANSWERED
from tests.tools.cases import SIZE, WHITE, bent, case, constant, run, saliency, signed, values, view, weighted

NAMES = ("average-drop", "increase-in-confidence", "average-drop-in-deletion")


def slow(scores: np.ndarray, filling: str) -> tuple[float, float, float]:
    """All three as the published code computes them."""
    classifier, judged = bent(), case(bent(), view(), [scores])
    image = judged.question.image
    other = fill(filling, image, classifier.mean)
    scaled = (scores - scores.min()) / (scores.max() - scores.min())
    mask = torch.from_numpy(scaled.astype(np.float32))
    shown, hidden = image * mask + other * (1 - mask), image * (1 - mask) + other * mask
    own, kept, left = (float(probabilities(classifier, each[None])[0, 0]) for each in (image, shown, hidden))
    return max(own - kept, 0) / own, float(kept > own), (own - left) / own


@pytest.mark.parametrize("filling", ["black", "mean", "box-blur", "noise"])
@pytest.mark.parametrize("scores", [saliency(3), signed(4)], ids=["positive", "signed"])
def test_values_are_the_published_ones(scores: np.ndarray, filling: str) -> None:
    judged = case(bent(), view(), [scores])
    for name, expected in zip(NAMES, slow(scores, filling), strict=True):
        assert values(judged, name, fill=filling) == pytest.approx([expected], abs=1e-6)


def test_a_linear_model_loses_what_the_map_hides() -> None:
    scores = saliency(1)
    share = float(((scores - scores.min()) / np.ptp(scores)).mean())
    judged = case(weighted(), WHITE, [scores])
    assert values(judged, "average-drop") == pytest.approx([1 - share], abs=1e-6)
    assert values(judged, "average-drop-in-deletion") == pytest.approx([share], abs=1e-6)
    assert values(judged, "increase-in-confidence") == [0.0]


def test_a_probability_that_rises_is_no_drop_and_an_increase() -> None:
    weights = np.ones(SIZE, np.float32)
    weights[:, 5:] = 0
    picture = np.where(weights[..., None] > 0, 0, 255).astype(np.uint8).repeat(3, axis=2)
    judged = case(weighted(weights), 255 - picture, [weights])
    assert values(judged, "average-drop") == [0.0]
    rising = case(bent(), np.zeros((*SIZE, 3), np.uint8), [weights])
    assert values(rising, "increase-in-confidence", fill="mean") == [1.0]
    assert values(rising, "average-drop", fill="mean") == [0.0]
    assert values(rising, "average-drop-in-deletion", fill="mean")[0] < 0


@pytest.mark.parametrize("value", [0.2, 1.0])
def test_a_constant_model_neither_drops_nor_rises(value: float) -> None:
    judged = case(constant(value), view(), [saliency()])
    assert [values(judged, name) for name in NAMES] == [[0.0], [0.0], [0.0]]


def test_a_class_without_any_probability_has_no_share_to_lose() -> None:
    judged = case(constant(0.0), view(), [saliency()])
    for name in ("average-drop", "average-drop-in-deletion"):
        (found,) = run(judged, name)
        assert math.isnan(found.value)
        assert found.note == UNANSWERED
    assert values(judged, "increase-in-confidence") == [0.0]


def test_a_constant_map_shows_the_picture_in_proportion_to_its_value() -> None:
    maps = [np.full(SIZE, each, np.float32) for each in (0, 0.25, 1, 7)]
    found = run(case(weighted(), WHITE, maps), "average-drop")
    assert [one.value for one in found] == pytest.approx([1, 0.75, 0, 0], abs=1e-6)
    assert {one.note for one in found} == {CONSTANT}


def test_the_three_share_the_picture_and_its_masked_versions() -> None:
    judged = case(bent(), view(), [saliency(1), saliency(2), saliency(3)])
    values(judged, "average-drop")
    assert judged.question.ledger.evaluations == 1 + 3
    values(judged, "increase-in-confidence")
    assert judged.question.ledger.evaluations == 1 + 3
    values(judged, "average-drop-in-deletion")
    assert judged.question.ledger.evaluations == 1 + 3 + 3


@settings(max_examples=15)
@given(seed=st.integers(0, 200), filling=st.sampled_from(["black", "blur", "noise"]))
def test_values_stay_within_their_bounds(seed: int, filling: str) -> None:
    judged = case(bent(), view(seed), [signed(seed), saliency(seed)])
    assert all(0 <= value <= 1 for value in values(judged, "average-drop", fill=filling))
    assert all(value in (0, 1) for value in values(judged, "increase-in-confidence", fill=filling))
    assert all(value <= 1 for value in values(judged, "average-drop-in-deletion", fill=filling))
