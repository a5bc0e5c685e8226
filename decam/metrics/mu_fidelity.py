"""µFidelity: whether the map's sum over random sets of cells goes with the fall in score when they are hidden."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from decam.explanation import Progress
from decam.masking import FILLS
from decam.metrics.base import Case, Measuring, Metric
from decam.metrics.curves import SILENT
from decam.metrics.fallen import cost, fallen
from decam.metrics.scales import CONSTANT, Values, pearson
from decam.settings import Settings, parameter

EVEN = "The map has the same sum in all sets of cells, so none of them can stand out."


@dataclass(frozen=True)
class MuFidelitySettings(Settings):
    """Which sets of cells are hidden, and how."""

    samples: int = parameter(200, "Random sets of cells, one evaluation each for all maps together.", low=10, high=5000)
    cells: int = parameter(9, "Cells a side of the grid that the sets are drawn from.", low=2, high=32)
    share: float = parameter(0.2, "Share of the cells that each set hides.", low=0.05, high=0.95, step=0.05)
    fill: str = parameter("mean", "What replaces a hidden pixel.", choices=FILLS)


def mu_fidelity(case: Case, settings: MuFidelitySettings) -> Measuring:
    """Correlation, over random sets of cells, of the map's sum in a set and the fall in probability without it.

    Faithfulness as Bhatt et al. (2020) define it, with Pearson's correlation. All sets have the same number of cells
    of a grid. In [−1, 1], higher is better; NaN where the map or its sums have one value, and where the
    answer never changes.
    """
    sets, falls = yield from hidden_sets(case, settings)
    measured: Values = falls.numpy()
    silent = SILENT if np.ptp(measured) == 0 else EVEN
    values, notes = [], []
    for saliency, constant in zip(case.values, case.constant, strict=True):
        value = float("nan") if constant else pearson(sums(saliency, sets), measured)
        values.append(value)
        notes.append(CONSTANT if constant else silent if np.isnan(value) else "")
    return case.measured("mu-fidelity", values, notes)


def hidden_sets(case: Case, settings: MuFidelitySettings) -> Generator[Progress, None, tuple[Tensor, Tensor]]:
    """The sets (N×H×W, True inside) and how far the probability falls with each of them hidden (N)."""

    def asked() -> Generator[Progress, None, tuple[Tensor, Tensor]]:
        sets = drawn(settings, case.question.classifier.input_size, case.seed)
        return sets, (yield from fallen(case, sets, settings.fill))

    return (yield from case.once(("sets", settings), asked))


def drawn(settings: MuFidelitySettings, size: tuple[int, int], seed: int) -> Tensor:
    """Random sets of cells as masks (N×H×W, True inside), each of the same number of cells, one at least."""
    rows, columns = (np.arange(side) * settings.cells // side for side in size)
    places = rows[:, None] * settings.cells + columns
    total = settings.cells**2
    count = min(max(1, round(settings.share * total)), total - 1)
    generator = np.random.default_rng(seed)
    chosen = np.zeros((settings.samples, total), dtype=np.bool_)
    for one in chosen:
        one[generator.permutation(total)[:count]] = True
    return torch.from_numpy(chosen[:, places])


def sums(saliency: Values, sets: Tensor) -> Values:
    """The map's sum (H×W) over each set (N×H×W): N."""
    scale = float(np.abs(saliency).max()) or 1.0  # sums of huge values would overflow
    found: Values = sets.numpy().reshape(len(sets), -1) @ (saliency / scale).ravel() * scale
    return found


MU_FIDELITY = Metric(
    name="mu-fidelity",
    title="µFidelity",
    family="faithfulness",
    summary="How well the map's sum over hidden cells goes with the drop in probability; higher is better.",
    reference="Bhatt et al., Evaluating and Aggregating Feature-based Model Explanations (2020)",
    url="https://arxiv.org/abs/2005.00631",
    formula=r"\mathrm{corr}_{|I| = k} \left(\sum_{i \in I} S_i,\; f_c(x) - f_c(x_{\setminus I})\right)",
    direction=+1,
    low=-1.0,
    high=1.0,
    weaknesses="Expects effects to add up, and scattered cells seldom hide all of an object; depends on the grid, the "
    "share and the fill.",
    settings=MuFidelitySettings,
    run=mu_fidelity,
    evaluations=cost,
)
