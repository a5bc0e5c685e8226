"""Deletion and insertion correlation against the published procedure written plainly, and closed forms."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from decam.classifier import probabilities
from decam.masking import fill
from decam.metrics import METRICS, Case
from decam.metrics.curves import SILENT
from decam.metrics.scales import CONSTANT
from tests.tools.cases import SIZE, WHITE, bent, case, constant, run, saliency, signed, values, view, weighted

KINDS = ("deletion", "insertion")


def slow(judged: Case, kind: str, scores: np.ndarray, steps: int, filling: str) -> float:
    """Step by step, pixel by pixel: the score's change and the mean of the map's values that were changed."""
    question = judged.question
    image, other = question.image, fill(filling, question.image, question.classifier.mean)
    current, final = (image.clone(), other) if kind == "deletion" else (other.clone(), image)
    flat = scores.reshape(-1)
    order = sorted(range(flat.size), key=lambda i: (-flat[i], i))
    before = float(probabilities(question.classifier, current[None])[0, 0])
    changes, means, done = [], [], 0
    for step in range(1, steps + 1):
        upto = round(step / steps * flat.size)
        for place in order[done:upto]:
            current[:, place // SIZE[1], place % SIZE[1]] = final[:, place // SIZE[1], place % SIZE[1]]
        now = float(probabilities(question.classifier, current[None])[0, 0])
        changes.append(before - now if kind == "deletion" else now - before)
        means.append(float(np.mean([flat[place] for place in order[done:upto]])))
        before, done = now, upto
    return float(np.corrcoef(changes, means)[0, 1])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scores", [saliency(3), signed(4)], ids=["positive", "signed"])
def test_the_correlation_is_the_published_one(kind: str, scores: np.ndarray) -> None:
    judged = case(bent(), view(), [scores])
    for steps, filling in ((10, "black"), (24, "box-blur"), (40, "mean")):
        expected = slow(judged, kind, scores, steps, filling)
        assert values(judged, f"{kind}-correlation", steps=steps, fill=filling) == pytest.approx([expected], abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_map_that_equals_the_score_changes_has_a_correlation_of_one(kind: str) -> None:
    weights = saliency(2)
    judged = case(weighted(weights), WHITE, [weights, -weights, 3 * weights - 5])
    assert values(judged, f"{kind}-correlation", steps=SIZE[0] * SIZE[1], fill="black") == pytest.approx([1, -1, 1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_tutorials_steps_and_fills_are_the_defaults(kind: str) -> None:
    chosen = METRICS[f"{kind}-correlation"].settings()
    assert chosen.to_mapping() == {"steps": 196, "fill": "black" if kind == "deletion" else "box-blur"}


def test_steps_that_change_no_pixel_are_left_out() -> None:
    judged = case(weighted(saliency(2)), WHITE, [saliency(2)])
    with_all = values(judged, "deletion-correlation", steps=120, fill="black")
    assert values(judged, "deletion-correlation", steps=240, fill="black") == pytest.approx(with_all, abs=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_correlate_is_not_a_number_and_says_why(kind: str) -> None:
    (flat,) = run(case(bent(), view(), [np.ones(SIZE, np.float32)]), f"{kind}-correlation", steps=10)
    (silent,) = run(case(constant(0.3), view(), [saliency()]), f"{kind}-correlation", steps=10)
    assert math.isnan(flat.value)
    assert flat.note == CONSTANT
    assert math.isnan(silent.value)
    assert silent.note == SILENT


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15)
@given(seed=st.integers(0, 50), scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_the_scale_of_the_map_does_not_count(kind: str, seed: int, scale: float, shift: float) -> None:
    scores = np.round(saliency(seed), 3)
    moved = (scores.astype(np.float64) * scale + shift).astype(np.float32)
    judged = case(weighted(signed(1) ** 2), WHITE, [scores, moved])
    one, two = values(judged, f"{kind}-correlation", steps=20, fill="black")
    assert -1 <= one <= 1
    assert one == pytest.approx(two, abs=1e-3)


def test_one_run_gives_area_and_correlation() -> None:
    judged = case(bent(), view(), [saliency(1), saliency(2)])
    areas = run(judged, "deletion", steps=12, fill="black")
    asked = judged.question.ledger.evaluations
    correlated = run(judged, "deletion-correlation", steps=12, fill="black")
    assert asked == 2 * 13 == judged.question.ledger.evaluations
    assert [found.curve for found in areas] == [found.curve for found in correlated]
    run(judged, "deletion-correlation", steps=12, fill="mean")
    run(judged, "insertion-correlation", steps=12, fill="black")
    assert judged.question.ledger.evaluations == 3 * asked


def test_what_is_not_a_number_is_changed_last() -> None:
    broken = saliency(1)
    broken[3, 4] = np.nan
    (found,) = run(case(bent(), view(), [broken]), "deletion-correlation", steps=SIZE[0] * SIZE[1])
    hidden = torch.from_numpy(np.diff(found.curve.values))
    assert np.isfinite(found.value)
    assert len(hidden) == 120
    assert "not finite" in found.note
