"""Each rule of DeepLIFT against the same written out by hand, number by number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from decam.errors import MethodError
from decam.methods.gradient import step_rules
from decam.methods.gradient.deep_lift import walked_back
from decam.methods.gradient.recording import Recording
from decam.methods.gradient.step_rules import Handed, Pair, hand_back

seeds = st.integers(0, 2**31)


def handed(task: Callable[[Tensor], Tensor], picture: Tensor, baseline: Tensor, multiplier: Tensor) -> Handed:
    """What the one step of a task hands back."""
    sides = []
    for image in (picture, baseline):
        recording = Recording(image.clone())
        with torch.no_grad(), recording:
            task(recording.values[0])
        sides.append(recording)
    (step,), (other,) = (side.steps for side in sides)
    given, given_baseline = ([side.values[source] for source in step.sources] for side in sides)
    made, made_baseline = (
        [None if number is None else side.values[number] for number in step.outputs] for side in sides
    )
    multipliers = [multiplier, *[None] * (len(made) - 1)]
    return hand_back(Pair(step, other, given, given_baseline, made, made_baseline, multipliers, 1e-6))


def numbers(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.slow
@given(
    seeds,
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(0, 1),
    st.integers(1, 2),
    st.booleans(),
    st.booleans(),
)
def test_a_max_pool_shares_each_windows_difference_between_the_two_winners(
    seed: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool, coarse: bool
) -> None:
    picture, baseline = numbers(seed, 2, 1, 2, 8, 7)
    if coarse:  # so that windows have several highest places
        picture, baseline = picture.round(), baseline.round()
    padding = min(padding, kernel // 2)

    def pool(x: Tensor) -> Tensor:
        return F.max_pool2d(x, kernel, stride, padding, dilation, ceil)

    multiplier = numbers(seed + 1, *pool(picture).shape)
    expected = torch.zeros(picture.shape, dtype=torch.float64)
    for place in torch.cartesian_prod(*map(torch.arange, multiplier.shape)).tolist():
        *which, row, column = place
        window = [
            (row * stride - padding + i * dilation, column * stride - padding + j * dilation)
            for i in range(kernel)
            for j in range(kernel)
        ]
        window = [(y, x) for y, x in window if 0 <= y < 8 and 0 <= x < 7]
        high, low = ({spot: float(side[(*which, *spot)]) for spot in window} for side in (picture, baseline))
        first, second = max(window, key=lambda spot: high[spot]), max(window, key=lambda spot: low[spot])
        top = max(high[first], low[second])
        weight = float(multiplier[tuple(place)])
        expected[(*which, *first)] += weight * (top - low[second])
        expected[(*which, *second)] += weight * (high[first] - top)
    found = handed(pool, picture, baseline, multiplier)
    assert found.multipliers[0] is not None
    # Where places are equally high, either may be the winner: then only the sum is certain.
    if coarse:
        assert abs(found.gap) < 1e-4
    else:
        torch.testing.assert_close(
            (found.multipliers[0] * (picture - baseline)).double(), expected, rtol=1e-4, atol=1e-5
        )


BENDS: dict[str, Callable[[Tensor], Tensor]] = {
    **{f.__name__: f for f in (F.relu, F.leaky_relu, F.elu, F.selu, F.celu, F.gelu, F.silu, F.mish, F.hardswish)},
    **{f.__name__: f for f in (F.hardsigmoid, F.relu6, F.softplus, F.softshrink, F.hardshrink, F.logsigmoid)},
    **{f.__name__: f for f in (torch.sigmoid, torch.tanh, torch.exp, torch.square, torch.abs, torch.sign, torch.round)},
    "tensor method": lambda x: x.sigmoid(),
    "clamp": lambda x: x.clamp(-0.3, 0.4),
    "in place": lambda x: F.relu_(x),
    "power": lambda x: x**3,
    "threshold": lambda x: F.threshold(x, 0.2, -1.0),
    "prelu": lambda x: torch.prelu(x, torch.full((), 0.3).expand(1)),
    "a condition": lambda x: x > 0.1,
    "over a number": torch.reciprocal,
}


@pytest.mark.parametrize("bend", BENDS.values(), ids=BENDS)
@settings(max_examples=20)
@given(seed=seeds)
def test_an_elementwise_step_has_the_ratio_of_the_two_differences(bend: Callable[[Tensor], Tensor], seed: int) -> None:
    picture, baseline, multiplier = numbers(seed, 3, 1, 40)
    made = bend(picture.clone()).double() - bend(baseline.clone()).double()
    found = handed(bend, picture, baseline, multiplier)
    assert found.multipliers[0] is not None and not found.shared
    change = (picture - baseline).double()
    expected = multiplier.double() * made / change
    far = change.abs() > 1e-3
    torch.testing.assert_close(found.multipliers[0].double()[far], expected[far], rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@settings(max_examples=20)
@given(seeds, st.floats(-12, -5))
def test_an_elementwise_step_has_its_derivative_where_picture_and_baseline_hardly_differ(
    seed: int, exponent: float
) -> None:
    picture, multiplier = numbers(seed, 2, 1, 40)
    for bend in (torch.tanh, F.gelu, F.softplus, torch.exp):
        leaf = picture.double().requires_grad_()
        (slope,) = torch.autograd.grad(bend(leaf).sum(), leaf)
        for baseline in (picture, picture * (1 + 10**exponent)):
            (found,) = handed(bend, picture, baseline, multiplier).multipliers
            assert found is not None
            torch.testing.assert_close(found.double(), multiplier * slope, rtol=1e-4, atol=1e-4)


SUMS: dict[str, Callable[[Tensor], Tensor]] = {
    "product of halves": lambda x: x[:, :4] * x[:, 4:],
    "square": lambda x: x * x,
    "larger": lambda x: torch.maximum(x, x.flip(1)),
    "smaller": lambda x: torch.minimum(x, x.roll(1, 1)),
    "choice": lambda x: torch.where(x > 0, x, 0.1 * x),
    "choice by another": lambda x: torch.where(x > x.flip(1), x * 2, x - 1),
    "by a condition": lambda x: x * (x > 0),
    "over places": lambda x: x.amax(1),
    "over all": lambda x: x.max() - x.min(),
    "least": lambda x: x.amin(1, keepdim=True),
    "and where": lambda x: x.max(1).values,
    "softmax": lambda x: x.softmax(1),
    "layer normalisation": lambda x: F.layer_norm(x, (8,)),
    "quotient": lambda x: x / (1 + x.abs()),
    "length one": lambda x: F.normalize(x, dim=1),
    "even baseline": lambda x: F.layer_norm(x * torch.linspace(0, 1, 8).round(), (8,)),
    "Fourier": lambda x: torch.view_as_real(torch.fft.fft(x)).relu(),
    "whole numbers": lambda x: (4 * x).long().float(),
}


@pytest.mark.parametrize("task", SUMS.values(), ids=SUMS)
@pytest.mark.parametrize("seed", range(3))
def test_contributions_add_up_to_the_difference(task: Callable[[Tensor], Tensor], seed: int) -> None:
    picture, baseline = numbers(seed, 2, 1, 8)
    sides = []
    for image in (picture, baseline):
        recording = Recording(image.clone())
        with torch.no_grad(), recording:
            answer = task(recording.values[0])
        sides.append((recording, answer))
    (here, answer), (there, other) = sides
    weights = numbers(seed + 9, *answer.shape)
    expected = float((weights * (answer - other)).sum())
    multiplier = walked_back(here, there, answer, weights, 1e-6).multiplier
    assert multiplier is not None
    assert float((multiplier * (picture - baseline)).sum()) == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.slow
@given(seeds)
def test_the_factors_of_a_product_get_each_others_mean(seed: int) -> None:
    picture, baseline, multiplier = numbers(seed, 3, 1, 5)
    found = handed(lambda x: x * x, picture, baseline, multiplier)
    for part in found.multipliers:
        assert part is not None
        torch.testing.assert_close(part, multiplier * (picture + baseline) / 2)


@pytest.mark.parametrize(
    ("spelled", "bend"),
    [
        (lambda x: torch.where(x > 0, x, 0.1 * x), lambda x: F.leaky_relu(x, 0.1)),
        (lambda x: x * (x > 0), F.relu),
        (lambda x: torch.maximum(x, torch.zeros(())), F.relu),
        (lambda x: torch.maximum(x, 0.1 * x), lambda x: F.leaky_relu(x, 0.1)),
        (lambda x: x.clone().masked_fill(x < 0, 0.0), F.relu),
    ],
    ids=["choice", "product", "larger than zero", "larger", "filled"],
)
def test_a_bend_has_the_same_multipliers_however_it_is_spelled(
    spelled: Callable[[Tensor], Tensor], bend: Callable[[Tensor], Tensor]
) -> None:
    picture, baseline, weights = numbers(4, 3, 1, 30)
    found = []
    for task in (spelled, bend):
        here, there = Recording(picture.clone()), Recording(baseline.clone())
        with torch.no_grad():
            with here:
                answer = task(here.values[0])
            with there:
                task(there.values[0])
        found.append(walked_back(here, there, answer, weights, 1e-6).multiplier)
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("derivative for aten::exp is not implemented\nat line 3"), "derivative for aten::exp is not imp"),
        (NotImplementedError("no kernel for this type"), "no kernel for this type"),
        (NotImplementedError(), "NotImplementedError"),
    ],
)
def test_an_operator_that_cannot_be_asked_again_is_named_with_the_reason(
    error: RuntimeError, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_rules, "_rule", lambda _: _raising(error))
    with pytest.raises(MethodError, match=f"no way back through the operator exp: {reason}") as caught:
        handed(torch.exp, numbers(1, 1, 4), numbers(2, 1, 4), numbers(3, 1, 4))
    assert "\n" not in str(caught.value) and caught.value.__cause__ is error


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("full"), RuntimeError("out of memory"), ValueError("wrong")])
def test_memory_running_out_and_errors_of_the_rules_own_are_not_taken_for_an_operators(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_rules, "_rule", lambda _: _raising(error))
    with pytest.raises(type(error)) as caught:
        handed(torch.exp, numbers(1, 1, 4), numbers(2, 1, 4), numbers(3, 1, 4))
    assert caught.value is error


def _raising(error: Exception) -> Callable[[Pair], Any]:
    def rule(_: Pair) -> Any:
        raise error

    return rule
