"""Infidelity: whether the map predicts what hiding random squares of the picture does to the score."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from captum.metrics import infidelity as captums_infidelity
from torch import Tensor

from decam.explanation import Progress
from decam.masking import FILLS
from decam.metrics.base import Case, Measuring, Metric
from decam.metrics.fallen import cost, fallen
from decam.metrics.scales import CONSTANT, Values
from decam.settings import Settings, parameter

_SMALLEST = 0.05  # of the picture's side
_PORTION = 64  # masks that are in memory at a time, as floats


@dataclass(frozen=True)
class InfidelitySettings(Settings):
    """Which squares are hidden, and how."""

    samples: int = parameter(200, "Random squares, one evaluation each for all maps together.", low=10, high=5000)
    largest: float = parameter(
        0.5, "Longest side of a square, as a share of the image's.", low=_SMALLEST, high=1.0, step=0.05
    )
    fill: str = parameter("mean", "What replaces a hidden pixel.", choices=FILLS)


def infidelity(case: Case, settings: InfidelitySettings) -> Measuring:
    """Mean squared difference of the map's sum over a hidden square and the fall in probability.

    Yeh et al. (2019) with random squares removed, by Captum's `infidelity`, whose input here is the mask:
    1 where a pixel is visible, and the perturbation is 1 where it is hidden. So it works for any classifier and for
    maps without channels. The signed map is multiplied by the factor that suits it best (Captum's `normalize`, as in
    the authors' code), for most maps have a scale of their own. At least 0, lower is better.
    """
    squares, falls = yield from hidden_squares(case, settings)
    values = [_captums(torch.from_numpy(saliency), squares, falls) for saliency in case.values]
    return case.measured("infidelity", values, [CONSTANT if constant else "" for constant in case.constant])


def squares(settings: InfidelitySettings, size: tuple[int, int], seed: int) -> Tensor:
    """Random squares (N×H×W, True inside), sides evenly from a twentieth of the picture's to `largest`."""
    generator = np.random.default_rng(seed)
    shares = generator.uniform(_SMALLEST, settings.largest, settings.samples)
    sides = np.maximum(1, np.round(shares * min(size)).astype(int))
    masks = torch.zeros(settings.samples, *size, dtype=torch.bool)
    for mask, side in zip(masks, sides, strict=True):
        top, left = (int(generator.integers(0, length - side + 1)) for length in size)
        mask[top : top + side, left : left + side] = True
    return masks


def hidden_squares(case: Case, settings: InfidelitySettings) -> Generator[Progress, None, tuple[Tensor, Tensor]]:
    """The squares (N×H×W, True inside) and how far the probability falls with each of them hidden (N)."""
    return (yield from case.once(("squares", settings), lambda: _asked(case, settings)))


def predicted_drops(saliency: Values, hidden: Tensor, falls: Tensor) -> Values:
    """The drops (N) that a map predicts: its sums over the squares, times the factor with the least squared error."""
    sums = np.array([saliency[square].sum() for square in hidden.numpy()])
    squared = float(sums @ sums)
    factor = float(sums @ falls.numpy()) / squared if squared > 0 else 0.0
    return sums * factor


def _asked(case: Case, settings: InfidelitySettings) -> Generator[Progress, None, tuple[Tensor, Tensor]]:
    hidden = squares(settings, case.question.classifier.input_size, case.seed)
    return hidden, (yield from fallen(case, hidden, settings.fill))


def _captums(saliency: Tensor, hidden: Tensor, falls: Tensor) -> float:
    """Captum's value of answers that are there already: it calls for masks and scores in portions, and gets them."""
    portions = iter(zip(torch.split(hidden, _PORTION), torch.split(falls, _PORTION), strict=True))
    current: list[Tensor] = []

    def perturb(masks: Tensor) -> tuple[Tensor, Tensor]:
        part, fallen = next(portions)
        current[:] = [fallen]
        return part.double(), masks - part.double()

    def score(masks: Tensor) -> Tensor:
        # Captum asks about the perturbed masks and then about the whole picture, whose score is the zero of the drops.
        return -current.pop() if current else torch.zeros(len(masks), dtype=torch.float64)

    whole = torch.ones_like(saliency)[None]
    value = captums_infidelity(
        score,
        perturb,
        whole,
        saliency[None],
        n_perturb_samples=len(hidden),
        max_examples_per_batch=min(_PORTION, len(hidden)),
        normalize=True,
    )
    return max(0.0, float(value))  # the sum of squares is expanded, which rounds below zero where it vanishes


INFIDELITY = Metric(
    name="infidelity",
    title="Infidelity",
    family="faithfulness",
    summary="How badly the map's sum over a hidden square predicts the drop in probability; lower is better.",
    reference="Yeh et al., On the (In)fidelity and Sensitivity of Explanations (2019), computed by Captum",
    url="https://arxiv.org/abs/1901.09392",
    formula=r"\min_\beta \mathbb{E}_I \left[\left(\beta\, I^\top S - \left(f_c(x) - f_c(x_{\setminus I})\right)"
    r"\right)^2\right]",
    direction=-1,
    low=0.0,
    high=1.0,
    weaknesses="Expects effects to add up, which those of pixels do not; a map and its negative get the same value, "
    "and where the probability hardly changes every map is nearly perfect.",
    settings=InfidelitySettings,
    run=infidelity,
    evaluations=cost,
)
