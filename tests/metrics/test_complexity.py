"""Complexity against the formulas written plainly, and maps whose complexity is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decam.metrics.scales import CONSTANT
from tests.tools.cases import SIZE, case, constant, run, values, view

PIXELS = SIZE[0] * SIZE[1]
NAMES = ("sparsity", "entropy", "effective-pixels")
ANY = arrays(np.float32, SIZE, elements=st.floats(-8, 8, width=16))


def said(saliency: np.ndarray) -> list[float]:
    judged = case(constant(0.5), view(), [np.asarray(saliency, np.float32)])
    return [values(judged, name)[0] for name in NAMES]


@pytest.mark.slow
@settings(max_examples=30)
@given(saliency=ANY)
def test_values_are_the_formulas(saliency: np.ndarray) -> None:
    flat = [float(value) for value in saliency.ravel()]
    got = said(saliency)
    if len(set(flat)) > 1:
        low, high = min(flat), max(flat)
        assert got[0] == pytest.approx(PIXELS / sum((v - low) / (high - low) for v in flat))
    total = sum(abs(v) for v in flat)
    if total:
        shares = [abs(v) / total for v in flat]
        entropy = -sum(s * math.log(s) for s in shares if s) / math.log(PIXELS)
        assert got[1] == pytest.approx(entropy, abs=1e-9)
        assert got[2] == pytest.approx(1 / (PIXELS * sum(s * s for s in shares)))
    assert got[0] >= 1 - 1e-9
    assert 0 <= got[1] <= 1 + 1e-9
    assert 1 / PIXELS - 1e-9 <= got[2] <= 1 + 1e-9


def test_one_pixel_is_as_simple_as_can_be() -> None:
    saliency = np.zeros(SIZE)
    saliency[3, 3] = 0.7
    assert said(saliency) == pytest.approx([PIXELS, 0, 1 / PIXELS])


def test_pixels_that_are_equal_count_themselves() -> None:
    saliency = np.zeros(SIZE)
    saliency[:3] = 2
    assert said(saliency) == pytest.approx([4, math.log(30) / math.log(PIXELS), 0.25])


@pytest.mark.parametrize("value", [-2.0, 0.0, 3.0])
def test_a_constant_map_is_not_simple_at_all_and_says_so(value: float) -> None:
    saliency = np.full(SIZE, value, np.float32)
    assert said(saliency) == pytest.approx([1, 1, 1])
    judged = case(constant(0.5), view(), [saliency])
    assert [run(judged, name)[0].note for name in NAMES] == [CONSTANT] * 3


def test_the_sign_counts_for_sparsity_alone() -> None:
    saliency = np.random.default_rng(0).normal(size=SIZE)
    one, other = said(saliency), said(np.abs(saliency))
    assert one[1:] == pytest.approx(other[1:], rel=1e-5)
    assert one[0] != pytest.approx(other[0])


@settings(max_examples=20)
@given(saliency=ANY, scale=st.sampled_from([1e-30, 0.3, 1e30]))
def test_the_unit_of_a_map_does_not_count(saliency: np.ndarray, scale: float) -> None:
    if np.ptp(saliency):
        assert said(saliency * scale) == pytest.approx(said(saliency), rel=1e-4)


def test_the_entropy_of_one_pixel_is_zero_without_a_sign() -> None:
    saliency = np.zeros(SIZE)
    saliency[3, 3] = 0.7
    assert math.copysign(1, said(saliency)[1]) == 1
