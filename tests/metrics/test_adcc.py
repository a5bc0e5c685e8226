"""ADCC against its three parts written plainly, and maps that fail in one of them."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from decam.classifier import probabilities
from decam.explanation import Question, Steps
from decam.metrics import Origin
from decam.metrics.adcc import joined
from tests.tools.cases import SIZE, WHITE, bent, case, constant, run, saliency, signed, view, weighted


def colours(question: Question, seed: int) -> Steps:
    """A map that is the picture's red."""
    del seed
    yield from ()
    return question.image[0].numpy()


def given_map(saliency: np.ndarray) -> Origin:
    """A method with one map, whatever the picture."""

    def steps(question: Question, seed: int) -> Steps:
        del question, seed
        yield from ()
        return saliency

    return Origin(steps, 0)


@pytest.mark.parametrize("scores", [saliency(3), signed(4)], ids=["positive", "signed"])
def test_the_value_joins_its_three_parts(scores: np.ndarray) -> None:
    judged = case(bent(), view(), [scores], origins=[Origin(colours, 0)])
    (found,) = run(judged, "adcc")
    scaled = (scores - scores.min()) / (scores.max() - scores.min())
    shown = judged.question.image * torch.from_numpy(scaled)
    own, kept = (float(probabilities(bent(), each[None])[0, 0]) for each in (judged.question.image, shown))
    drop = max(0.0, own - kept) / own
    coherency = (1 + np.corrcoef(scores.ravel(), shown[0].numpy().ravel())[0, 1]) / 2
    complexity = float(scaled.mean())
    parts = dict(found.parts)
    assert parts["average drop"] == pytest.approx(drop, abs=1e-6)
    assert parts["coherency"] == pytest.approx(coherency, abs=1e-6)
    assert parts["complexity"] == pytest.approx(complexity, abs=1e-6)
    assert found.value == pytest.approx(3 / (1 / (1 - drop) + 1 / coherency + 1 / (1 - complexity)), abs=1e-6)


def test_the_same_map_of_every_picture_is_perfectly_coherent() -> None:
    (found,) = run(case(weighted(), WHITE, [saliency()], origins=[given_map(saliency())]), "adcc")
    assert dict(found.parts)["coherency"] == pytest.approx(1)


def test_the_opposite_map_of_what_is_shown_is_worth_nothing() -> None:
    (found,) = run(case(weighted(), WHITE, [saliency()], origins=[given_map(-saliency())]), "adcc")
    assert dict(found.parts)["coherency"] == pytest.approx(0, abs=1e-9)
    assert found.value == pytest.approx(0, abs=1e-8)


def test_constant_maps_have_no_coherency_and_say_so() -> None:
    flat = np.ones(SIZE, np.float32)
    (constant_map,) = run(case(weighted(), WHITE, [flat], origins=[given_map(flat)]), "adcc")
    (vanished,) = run(case(weighted(), WHITE, [saliency()], origins=[given_map(flat)]), "adcc")
    (unanswered,) = run(case(constant(0.0), WHITE, [saliency()], origins=[given_map(saliency())]), "adcc")
    assert all(math.isnan(found.value) for found in (constant_map, vanished, unanswered))
    assert "The map is constant" in constant_map.note
    assert "salient alone is constant" in vanished.note
    assert "no probability" in unanswered.note


@pytest.mark.slow
@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=4))
def test_the_harmonic_mean_lies_between_the_lowest_and_the_highest(parts: list[float]) -> None:
    assert min(parts) - 1e-12 <= joined(*parts) <= max(parts) + 1e-12
    assert joined(*parts, 0.0) == 0.0
    assert math.isnan(joined(*parts, math.nan))
